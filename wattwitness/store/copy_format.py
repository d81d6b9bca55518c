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
    n = len(columns[0][2])
    pattern = np.zeros(n, dtype=np.int64)
    bits = {}
    for bit, (name, mask) in enumerate(nulls.items()):
        bits[name] = bit
        pattern |= mask.astype(np.int64) << bit
    parts = [SIGNATURE]
    found = np.unique(pattern)
    for value in found:
        chosen = slice(None) if len(found) == 1 else pattern == value
        absent = {name for name, bit in bits.items() if int(value) >> bit & 1}
        parts.append(_encode_group(columns, absent, chosen))
    parts.append(TRAILER)
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
    rows = np.empty(len(columns[0][2][chosen]), dtype=np.dtype(fields))
    rows["fields"] = len(columns)
    for name, kind, values in columns:
        rows[f"{name}_length"] = -1 if name in absent else np.dtype(kind).itemsize
        if name not in absent:
            rows[name] = values[chosen]
    return rows.tobytes()


def decode(payload: bytes, columns: Sequence[tuple[str, str]]) -> NDArray[np.void]:
    """A COPY payload without NULLs → structured array [rows] with the named big-endian columns."""
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in columns:
        fields += [(f"{name}_length", ">i4"), (name, kind)]
    body = memoryview(payload)[len(SIGNATURE) : -len(TRAILER)]
    return np.frombuffer(body, dtype=np.dtype(fields))
