from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.bounds import Calendar
from collector.decode import Delivery, Place, Placed, Places, draw_up, place
from collector.parking import knows, place_parked
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.domain.rejects import RejectCode
from wattwitness.wire.payload import (
    Message,
    WireReading,
    compose_message,
    decode_message,
    encode_message,
    reading_bytes,
)
from wattwitness.wire.skimming import skim_message

NOW_US = 1_767_225_600_000_000
NOW_MS = NOW_US // 1000
CALENDAR = Calendar(keep_from_us=NOW_US - 10**12, tolerance_us=60_000_000)
PLACES = Places({"G1": {"P1": Place(7, 1e6), "T1": Place(8, 1e6)}, "G2": {}})


def deliver(payload: bytes, gateway_id: str | None = "G1") -> Delivery:
    return Delivery(gateway_id, payload, NOW_US, decode_message(payload))


def placed(*deliveries: Delivery, places: Places = PLACES) -> Placed:
    return place(deliveries, places, CALENDAR)


def test_a_reading_becomes_a_row():
    payload = encode_message(
        [WireReading("T1", NOW_MS, 1.0, 2.0, 3.0, (4.0, None, 6.0), (7.0, 8.0, 9.0), 0.5, rs=True)]
    )
    row = placed(deliver(payload)).rows[0]
    assert (row["circuit"], row["ts"], row["received_at"], row["resent"]) == (8, NOW_US, NOW_US, 1)
    assert [row[n] for n in ("p_kw", "e_kwh", "q_kvar", "u_a", "u_c", "i_c", "pf")] == [
        1.0, 2.0, 3.0, 4.0, 6.0, 9.0, 0.5,
    ]  # fmt: skip
    assert np.isnan(row["u_b"])


def test_negative_power_is_stored():
    assert len(placed(deliver(encode_message([WireReading("P1", NOW_MS, p=-5.0)]))).rows) == 1


def test_what_is_refused_is_kept_as_it_was_sent():
    payload = (
        b'{"readings":[{"ch":"P1","ts":%d,"p": 5e7, "x":1},{"ch":"P1","ts":%d,"p":1},'
        b'{"ch":"P1","ts":%d},{"ch":"T1","ts":1,"p":2}]}'
    ) % (NOW_MS, NOW_MS, NOW_MS)
    found = placed(deliver(payload))
    assert found.rows["p_kw"].tolist() == [1.0]
    assert {(r.code, r.index, r.payload) for r in found.rejects} == {
        (RejectCode.IMPOSSIBLE, 0, b'{"ch":"P1","ts":%d,"p": 5e7, "x":1}' % NOW_MS),
        (RejectCode.NO_VALUE, 2, b'{"ch":"P1","ts":%d}' % NOW_MS),
        (RejectCode.TS_PAST, 3, b'{"ch":"T1","ts":1,"p":2}'),
    }


def test_a_message_is_opened_once_however_many_of_its_readings_are_refused(
    monkeypatch: pytest.MonkeyPatch,
):
    opened = []

    def counted(payload: bytes) -> Sequence[bytes]:
        opened.append(payload)
        return reading_bytes(payload)

    monkeypatch.setattr("collector.decode.reading_bytes", counted)
    payloads = [
        encode_message([WireReading("P1", NOW_MS + k, p=9e9) for k in range(50)], seq=seq)
        for seq in (1, 2)
    ]
    assert len(placed(*(deliver(payload) for payload in payloads)).rejects) == 100
    assert opened == payloads


def test_a_hopeless_message_is_one_reject():
    (reject,) = placed(deliver(b"\xff\x00")).rejects
    assert (reject.code, reject.index, reject.payload) == (
        RejectCode.MALFORMED, None, b"\xff\x00",
    )  # fmt: skip


def test_an_unknown_gateway_parks_its_message_whole():
    payload = encode_message([WireReading("P1", NOW_MS, p=1.0)] * 2, epoch="a", seq=1)
    (parked,) = placed(deliver(payload, "G9")).parked
    assert (parked.gateway_id, parked.channel, parked.readings) == ("G9", None, 2)
    assert parked.payload == payload


def test_an_unknown_channel_parks_only_its_readings():
    payload = encode_message([WireReading(c, NOW_MS, p=1.0) for c in ("P1", "X", "Y", "X")])
    found = placed(deliver(payload))
    assert len(found.rows) == 1
    assert [(p.channel, p.readings) for p in found.parked] == [("X", 2), ("Y", 1)]
    message = decode_message(found.parked[0].payload)
    assert isinstance(message, Message)
    assert [r.ch for r in message.readings] == ["X", "X"]


def test_parked_readings_come_in_with_their_own_receipt():
    payload = encode_message([WireReading("X", NOW_MS, p=1.0)])
    parked = placed(deliver(payload)).parked
    wider = Places({"G1": {"X": Place(9, 1e6)}})
    assert not knows(PLACES, parked[0])
    assert knows(wider, parked[0])
    found = place_parked(parked, wider, CALENDAR)
    assert found.rows[["circuit", "received_at"]].tolist() == [(9, NOW_US)]


def test_places_of_a_registry():
    circuit = Circuit(circuit_id="C", gateway_id="G", channel="P1", role=Role.MAIN, rated_kw=5.0)
    registry = Registry(
        enterprises={"E": Enterprise(enterprise_id="E", name="E")},
        gateways={g: Gateway(gateway_id=g, enterprise_id="E") for g in ("G", "H")},
        circuits={"C": circuit},
        circuit_keys={"C": 3},
    )
    assert Places.of(registry).by_gateway == {"G": {"P1": Place(3, 1e6)}, "H": {}}


one_reading = st.sampled_from(
    [
        b'{"ch":"P1","ts":%d,"p":1}' % NOW_MS,
        b'{"ch":"T1","ts":"2026-01-01T08:00:00+08:00","e":1,"new":[1,2]}',
        b'{"ch":"X","ts":%d,"p":1}' % NOW_MS,
        b'{"ch":"P1","ts":%d,"p":1e9}' % NOW_MS,
        b'{"ch":"P1","ts":99999999999999,"p":1}',
        b'{"ch":"P1","ts":%d}' % NOW_MS,
        b'{"ch":"P1","ts":%d,"p":Infinity}' % NOW_MS,
        b"7",
    ]
)


@given(st.lists(st.tuples(st.sampled_from(["G1", "G2", "G9"]), st.lists(one_reading)), max_size=5))
def test_every_reading_ends_in_exactly_one_place(sent: list[tuple[str, list[bytes]]]):
    found = placed(*(deliver(compose_message(items), gateway) for gateway, items in sent))
    n_parked = sum(p.readings for p in found.parked)
    n_sent = sum(len(items) for _, items in sent)
    assert len(found.rows) + len(found.rejects) + n_parked == n_sent


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["G1", "G2", "G9"]), st.lists(one_reading)), max_size=8),
    st.booleans(),
)
def test_many_together_end_as_one_by_one(
    sent: list[tuple[str, list[bytes]]],
    at_receipt: bool,  # noqa: FBT001
):
    slow = [deliver(compose_message(items), gateway) for gateway, items in sent]
    fast = [Delivery(d.gateway_id, d.payload, NOW_US, skim_message(d.payload)) for d in slow]
    if at_receipt:
        draw_up(fast[: len(fast) // 2], PLACES)
        draw_up(fast[len(fast) // 2 :], PLACES)
    expected, found = placed(*slow), placed(*fast)
    assert found.rows.tobytes() == expected.rows.tobytes()
    assert sorted(found.rejects, key=repr) == sorted(expected.rejects, key=repr)
    assert sorted(found.parked, key=repr) == sorted(expected.parked, key=repr)


def test_an_instant_beyond_all_time_is_held_at_its_edge_together_with_others():
    payload = b'{"readings":[{"ch":"P1","ts":%d,"p":1},{"ch":"P1","ts":%d,"p":2}]}'
    far = placed(Delivery("G1", p := payload % (NOW_MS, 10**30), NOW_US, skim_message(p)))
    assert far.rows["p_kw"].tolist() == [1.0]
    assert [r.code for r in far.rejects] == [RejectCode.TS_FUTURE]
