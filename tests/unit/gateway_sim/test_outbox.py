import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_sim.delivery import FIRST_PATIENCE_S, Delivery
from gateway_sim.outbox import Outbox, Stretch
from wattwitness.domain.errors import SetupError


def test_numbers_begin_at_one_per_gateway():
    with Outbox(None, "e1") as outbox:
        outbox.append([("A", 10, b"a"), ("B", 10, b"b"), ("A", 20, b"c")])
        assert [(k.seq, k.readings) for k in outbox.read("A", "e1", 0, 9)] == [(1, b"a"), (2, b"c")]
        assert outbox.stretches() == [Stretch("A", "e1", 1, 2), Stretch("B", "e1", 1, 1)]


def test_what_was_left_over_keeps_its_epoch_and_comes_first(tmp_path):
    path = tmp_path / "box.sqlite"
    for epoch in ("zz", "aa", "mm"):
        with Outbox(path, epoch) as outbox:
            outbox.append([("G", 1, epoch.encode()), ("G", 2, b"2")])
            outbox.confirm([("G", "zz", 1)])
    with Outbox(path, "now") as outbox:
        outbox.append([("G", 3, b"3")])
        assert outbox.stretches() == [
            Stretch("G", "zz", 2, 2), Stretch("G", "aa", 1, 2), Stretch("G", "mm", 1, 2),
            Stretch("G", "now", 1, 1),
        ]  # fmt: skip


def test_two_processes_do_not_share_an_outbox(tmp_path):
    path = tmp_path / "box.sqlite"
    with Outbox(path, "a") as outbox:
        outbox.append([("G", 1, b"1")])
        with pytest.raises(SetupError, match="other simulator"):
            Outbox(path, "b", patience_s=0.1)


def test_a_file_that_is_no_outbox_is_told(tmp_path):
    path = tmp_path / "box.sqlite"
    path.write_text("no database, but long enough to be read as one" * 40)
    with pytest.raises(SetupError, match="cannot be used"):
        Outbox(path, "a")


GATEWAYS = st.sampled_from("AB")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), GATEWAYS),
        st.tuples(st.just("proof"), GATEWAYS, st.sampled_from(["e1", "e2"]), st.integers(-1, 12)),
        st.tuples(st.just("restart")),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_only_a_proof_deletes(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("box") / "box.sqlite"
    epoch, last, kept = "e1", {}, set()
    outbox = Outbox(path, epoch)
    for step in steps:
        if step[0] == "append":
            outbox.append([(step[1], 1, step[1].encode())])
            last[step[1], epoch] = last.get((step[1], epoch), 0) + 1
            kept.add((step[1], epoch, last[step[1], epoch]))
        elif step[0] == "proof":
            _, gateway, of, seq = step
            outbox.confirm([(gateway, of, seq)])
            kept = {k for k in kept if k[:2] != (gateway, of) or k[2] > seq}
        elif epoch == "e1":
            outbox.close()
            epoch = "e2"
            outbox = Outbox(path, epoch)
    found = {
        (s.gateway, s.epoch, k.seq)
        for s in outbox.stretches()
        for k in outbox.read(s.gateway, s.epoch, 0, 1000)
    }
    assert found == kept
    assert outbox.count() == len(kept)
    outbox.close()


def _sent_all(delivery):
    for cursor in delivery.unsent():
        cursor.sent = cursor.newest


def test_resend_begins_after_the_last_proof():
    delivery = Delivery()
    delivery.added("G", "e", 5, now_s=0)
    _sent_all(delivery)
    assert delivery.proof("G", "e", 2, now_s=1)
    assert not delivery.proof("G", "e", 2, now_s=1)
    assert not delivery.proof("G", "other", 2, now_s=1)
    assert not delivery.proof("G", "e", 6, now_s=1), "more than was ever sent proves nothing"
    assert delivery.unproven() == 3
    assert delivery.impatient(FIRST_PATIENCE_S) == []
    (late,) = delivery.impatient(1 + FIRST_PATIENCE_S)
    assert late.sent == 2
    assert list(delivery.unsent()) == [late]
    _sent_all(delivery)
    delivery.reconnected(now_s=40)
    assert late.sent == 2


def test_patience_doubles_until_something_moves():
    delivery = Delivery()
    delivery.added("G", "e", 1, now_s=0)
    _sent_all(delivery)
    assert delivery.impatient(FIRST_PATIENCE_S)
    _sent_all(delivery)
    assert not delivery.impatient(2.5 * FIRST_PATIENCE_S)
    assert delivery.impatient(3 * FIRST_PATIENCE_S)


@given(st.lists(st.integers(-1, 30), max_size=30), st.text(string.ascii_lowercase, min_size=1))
def test_proofs_in_any_order_end_at_the_highest(proofs, epoch):
    delivery = Delivery()
    delivery.added("G", epoch, 20, now_s=0)
    _sent_all(delivery)
    for seq in proofs:
        delivery.proof("G", epoch, seq, now_s=0)
    best = max([seq for seq in proofs if 0 < seq <= 20], default=0)
    assert delivery.cursors["G", epoch].proven == best
