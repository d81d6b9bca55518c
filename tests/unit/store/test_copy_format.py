"""The binary COPY format against the bytes of PostgreSQL's manual."""

import struct

import numpy as np

from wattwitness.store.copy_format import PG_EPOCH_US, decode, encode

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)


def test_rows_are_written_field_by_field():
    payload = encode(
        [("k", ">i4", np.array([1, 2])), ("p", ">i2", np.array([7, 9]))],
        {"p": np.array([False, False])},
    )
    row = struct.Struct(">hiiih")
    assert payload == HEADER + row.pack(2, 4, 1, 2, 7) + row.pack(2, 4, 2, 2, 9) + b"\xff\xff"


def test_null_has_length_minus_one_and_no_data():
    payload = encode(
        [("k", ">i4", np.array([1])), ("p", ">i2", np.array([0]))], {"p": np.array([True])}
    )
    assert payload == HEADER + struct.pack(">hiii", 2, 4, 1, -1) + b"\xff\xff"


def test_rows_of_every_null_pattern_arrive_once():
    n = 100
    masks = np.random.default_rng(1).random((2, n)) < 0.5
    payload = encode(
        [("k", ">i4", np.arange(n)), ("a", ">i2", np.arange(n)), ("b", ">i8", np.arange(n))],
        {"a": masks[0], "b": masks[1]},
    )
    found, at = [], len(HEADER)
    while (fields := struct.unpack_from(">h", payload, at)[0]) != -1:
        at += 2
        values = []
        for _ in range(fields):
            length = struct.unpack_from(">i", payload, at)[0]
            at += 4
            data = payload[at : at + max(0, length)]
            values.append(None if length < 0 else int.from_bytes(data, "big", signed=True))
            at += max(0, length)
        found.append(tuple(values))
    assert at + 2 == len(payload)
    expected = [(k, None if masks[0][k] else k, None if masks[1][k] else k) for k in range(n)]
    assert sorted(found, key=lambda row: row[0]) == expected


def test_decode_reads_what_encode_wrote():
    keys = np.arange(50)
    payload = encode([("k", ">i4", keys), ("t", ">i8", keys * 10)], {})
    rows = decode(payload, [[("k", ">i4")], [("t", ">i8")]])
    np.testing.assert_array_equal(rows["k"], keys)
    np.testing.assert_array_equal(rows["t"], keys * 10)


def test_no_rows_are_a_header_and_a_trailer():
    payload = encode([("k", ">i4", np.array([], dtype=np.int64))], {})
    assert payload == HEADER + b"\xff\xff"
    assert len(decode(payload, [[("k", ">i4")]])) == 0


def test_the_epoch_is_2000():
    assert np.datetime64("1970-01-01", "us") + PG_EPOCH_US == np.datetime64("2000-01-01", "us")
