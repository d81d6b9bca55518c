import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wattwitness.domain.rejects import RejectCode
from wattwitness.wire.payload import (
    Ack,
    Message,
    RefusedMessage,
    Status,
    WireReading,
    compose_message,
    decode_ack,
    decode_message,
    decode_status,
    encode_ack,
    encode_message,
    encode_status,
    reading_bytes,
)
from wattwitness.wire.refusals import Refusal
from wattwitness.wire.skimming import Letter, seal_message, skim_message

numbers = st.floats(allow_nan=False, allow_infinity=False)
maybe = st.none() | numbers
phases = st.none() | st.tuples(maybe, maybe, maybe)
names = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=20)
wire_readings = st.builds(
    WireReading,
    ch=names,
    ts=st.integers(0, 4_000_000_000_000),
    p=numbers,
    e=maybe,
    q=maybe,
    u=phases,
    i=phases,
    pf=maybe,
    rs=st.booleans(),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
some_readings = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "ch": json_values | names,
            "ts": json_values | st.integers(),
            "p": json_values | numbers,
            "e": json_values,
            "u": json_values,
            "rs": json_values,
            "zz": json_values,
        },
    )
    | json_values,
    max_size=4,
)
some_messages = st.fixed_dictionaries(
    {"readings": some_readings},
    optional={"v": json_values | st.just(1), "epoch": json_values, "seq": json_values},
)


@given(st.lists(wire_readings, max_size=5), names, st.integers(0, 2**53 - 1))
def test_what_is_encoded_decodes_to_the_same(readings: list[WireReading], epoch: str, seq: int):
    message = decode_message(encode_message(readings, epoch=epoch, seq=seq, sent_ms=5, oldest=0))
    assert isinstance(message, Message)
    assert list(message.readings) == readings
    assert list(message.ts_us) == [r.ts * 1000 for r in readings]
    assert message.mark is not None
    assert (message.mark.epoch, message.mark.seq, message.mark.oldest) == (epoch, seq, 0)
    assert message.sent_us == 5000
    assert (list(message.bad), message.unknown_fields) == ([], 0)


@given(st.binary(max_size=200))
@example(b"[" * 200_000)
@example(b'{"readings":' + b"[" * 5000 + b"]" * 5000 + b"}")
@example(b'{"readings":[{"ch":"a","ts":1,"p":1' + b"0" * 5000 + b"}]}")
@example(b'{"readings":[{"ch":"a","ts":-1' + b"0" * 5000 + b',"p":1}]}')
@example(b'{"readings":[{"ch":"\\ud800","ts":1,"p":1}]}')
@example(b'{"v":1' + b"0" * 5000 + b',"readings":[]}')
@example(b'{"epoch":"a","seq":1e400,"sent":1e400,"readings":[]}')
@example(b"\xef\xbb\xbf{}")
def test_no_bytes_raise(payload: bytes):
    assert isinstance(decode_message(payload), Message | RefusedMessage)


@given(some_messages)
def test_every_reading_is_good_or_bad_and_kept_whole(sent: dict[str, Any]):
    payload = json.dumps(sent).encode()
    message = decode_message(payload)
    if isinstance(message, RefusedMessage):
        assert message.refusal.text.isprintable()
        return
    assert message.count == len(sent["readings"])
    assert sorted([*message.index, *(b.index for b in message.bad)]) == list(range(message.count))
    items = reading_bytes(payload)
    for bad in message.bad:
        assert items[bad.index] == bad.payload
        assert bad.refusal.text.isprintable()
    for reading, index in zip(message.readings, message.index, strict=True):
        assert json.loads(items[index])["ch"] == reading.ch


@given(st.lists(wire_readings, min_size=1, max_size=4), st.data())
def test_a_bad_reading_does_not_take_the_good_ones_with_it(
    readings: list[WireReading], data: st.DataObject
):
    items = [*reading_bytes(encode_message(readings))]
    place = data.draw(st.integers(0, len(items)))
    items.insert(place, data.draw(st.sampled_from([b"7", b"{}", b'{"ch":"x","ts":1,"p":NaN}'])))
    message = decode_message(compose_message(items))
    assert isinstance(message, Message)
    assert [r.ch for r in message.readings] == [r.ch for r in readings]
    assert [r.p for r in message.readings] == [r.p for r in readings]
    assert [b.index for b in message.bad] == [place]


def test_too_large_is_refused_with_its_number():
    payload = encode_message([WireReading("P1", 1, p=1.0)] * 50, epoch="a", seq=9)
    refused = decode_message(payload, max_bytes=100)
    assert isinstance(refused, RefusedMessage)
    assert refused.refusal.code is RejectCode.TOO_LARGE
    assert refused.mark is not None
    assert refused.mark.seq == 9


@pytest.mark.parametrize(
    ("fields", "seq"),
    [
        (b'"epoch":"a","seq":7', 7),
        (b'"epoch":"a"', None),
        (b'"seq":7', None),
        (b'"epoch":5,"seq":7', None),
        (b'"epoch":"a","seq":-1', None),
        (b'"epoch":"a","seq":7.0', None),
        (b'"epoch":"a","seq":true', None),
        (b'"epoch":"","seq":7', None),
        (b'"epoch":"a","seq":9007199254740992', None),
    ],
)
def test_the_readings_are_good_whatever_the_number_is(fields: bytes, seq: int | None):
    message = decode_message(b'{%b,"readings":[{"ch":"P1","ts":1,"p":1}]}' % fields)
    assert isinstance(message, Message)
    assert len(message.readings) == 1
    assert (message.mark.seq if message.mark else None) == seq


@pytest.mark.parametrize(
    ("ts", "ts_us"),
    [
        (b"1767225600000", 1767225600000000),
        (b"1767225600000.25", 1767225600000250),
        (b'"2026-01-01T00:00:00Z"', 1767225600000000),
        (b'"2026-01-01T08:00:00.5+08:00"', 1767225600500000),
        (b"1e300", 253402300799000000),
        (b"-99999999999999999999999", -62135596800000000),
        (b'"0001-01-01T00:00:00+08:00"', -62135596800000000),
        (b'"9999-12-31T23:59:59-08:00"', 253402300799000000),
    ],
)
def test_instants(ts: bytes, ts_us: int):
    message = decode_message(b'{"readings":[{"ch":"P1","ts":%b,"p":1}]}' % ts)
    assert isinstance(message, Message)
    assert list(message.ts_us) == [ts_us]


def test_ack_and_status_go_and_come():
    ack = Ack("b7f2", 42, 1767225660123)
    assert encode_ack(ack) == b'{"epoch":"b7f2","seq":42,"ts":1767225660123}'
    assert decode_ack(encode_ack(ack)) == ack
    status = Status(online=True, ts=1767225660123)
    assert encode_status(status) == b'{"online":true,"ts":1767225660123}'
    decoded = decode_status(b'{"online":false,"ts":"2026-01-01T00:00:00Z","fw":1}')
    assert isinstance(decoded, Status)
    assert decoded.ts_us == 1767225600000000


@given(st.binary(max_size=50))
def test_no_ack_or_status_raises(payload: bytes):
    assert isinstance(decode_ack(payload), Ack | Refusal)
    assert isinstance(decode_status(payload), Status | Refusal)


def test_skimming_counts_what_the_contract_does_not_know():
    payload = (
        b'{"v":1,"epoch":"e","seq":3,"site":"x","readings":['
        b'{"ch":"P","ts":1,"p":1,"room":"n","a":[1]},{"ch":"P","ts":2,"p":1}]}'
    )
    letter = skim_message(payload)
    whole = decode_message(payload)
    assert isinstance(letter, Letter)
    assert isinstance(whole, Message)
    assert (letter.count, letter.mark) == (2, whole.mark)
    assert letter.unknown_fields == whole.unknown_fields == 3
    sealed = seal_message(payload)
    assert sealed is not None
    assert sealed.mark == whole.mark


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[]", b'{"readings":7}', b'{"v":2,"readings":[]}', b'{"readings":[7]}']
)
def test_what_is_no_letter_is_decoded_as_ever(payload: bytes):
    assert skim_message(payload) == decode_message(payload)
