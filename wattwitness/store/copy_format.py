"""PostgreSQL's binary COPY format, built and read by numpy.

Format (PostgreSQL manual, COPY, "Binary Format"): an 11-byte signature, two int32 (flags, header
extension), then per row an int16 field count and per field an int32 length (−1 = NULL, and no data)
and its big-endian data; an int16 −1 ends it. Timestamps are µs since 2000-01-01.

A row's width depends on which of its fields are NULL, so rows are grouped by NULL pattern, each
group one structured array; Python never touches a single row.
"""

import struct
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
PG_EPOCH_US = 946_684_800_000_000  # 2000-01-01 as µs since 1970


def encode(
    columns: Sequence[tuple[str, str, NDArray[np.generic]]],
    nulls: Mapping[str, NDArray[np.bool_]],
) -> bytes:
    """Columns → a whole binary COPY payload.

    Args:
        columns: (name, big-endian numpy format such as ">i4", values [n]) in table order.
        nulls: name → mask [n], for the columns that may be NULL.
    """
    return b"".join((SIGNATURE, encode_rows(columns, nulls), TRAILER))


def encode_rows(
    columns: Sequence[tuple[str, str, NDArray[np.generic]]],
    nulls: Mapping[str, NDArray[np.bool_]],
) -> bytes:
    """The rows of `encode`, without what stands before the first and after the last one."""
    pattern = np.zeros(len(columns[0][2]), dtype=np.int64)
    bits = {}
    for bit, (name, mask) in enumerate(nulls.items()):
        bits[name] = bit
        pattern |= mask.astype(np.int64) << bit
    parts = []
    same = len(pattern) > 0 and pattern.min() == pattern.max()  # nearly always
    for value in pattern[:1] if same else np.unique(pattern):
        chosen = slice(None) if same else pattern == value
        absent = {name for name, bit in bits.items() if int(value) >> bit & 1}
        parts.append(_encode_group(columns, absent, chosen))
    return b"".join(parts)


def _encode_group(
    columns: Sequence[tuple[str, str, NDArray[np.generic]]],
    absent: set[str],
    chosen: slice | NDArray[np.bool_],
) -> bytes:
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind, _ in columns:
        fields.append((f"{name}_length", ">i4"))
        if name not in absent:
            fields.append((name, kind))
    blank = np.zeros(1, dtype=np.dtype(fields))
    blank["fields"] = len(columns)
    for name, kind, _ in columns:
        blank[f"{name}_length"] = -1 if name in absent else np.dtype(kind).itemsize
    # what is the same in every row is copied in one piece, and each column turned in one piece:
    # filling the fields one by one takes three times as long
    rows = np.empty((len(columns[0][2][chosen]), blank.itemsize), dtype=np.uint8)
    rows[:] = blank.view(np.uint8)
    fields_of = rows.view(blank.dtype)[:, 0]
    for name, kind, values in columns:
        if name not in absent:
            fields_of[name] = values[chosen].astype(kind)
    return rows.tobytes()


def decode(payload: bytes, fields: Sequence[Sequence[tuple[str, str]]]) -> NDArray[np.void]:
    """A COPY payload without NULLs → structured array [rows] of its fields' parts.

    Args:
        payload: of the COPY, whole.
        fields: in order; of each the parts that its bytes consist of (most have one), as
            (name, big-endian numpy format).
    """
    row: list[tuple[str, str]] = [("fields", ">i2")]
    for number, parts in enumerate(fields):
        row += [(f"length_{number}", ">i4"), *parts]
    body = memoryview(payload)[len(SIGNATURE) : -len(TRAILER)]
    return np.frombuffer(body, dtype=np.dtype(row))
