"""A row of readings as COPY sends it: what is asked for, and how it is taken apart.

Every field of a row costs the server about as much as finding the row. So columns of four bytes go
two by two as one of eight, high · 2^32 + low, and the two of two bytes as one of four. No count is
near the ends of its type (`domain.bounds`), so nothing overflows, and the greatest value is free to
say "not measured".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import US_PER_SECOND
from wattwitness.domain.readings import (
    MEASURANDS,
    NEVER,
    READING_DTYPE,
    ReadingColumns,
    Readings,
)
from wattwitness.store.copy_format import PG_EPOCH_US
from wattwitness.store.forms import RESENT, restore
from wattwitness.store.scales import STORED

Part = tuple[str, str]
"""Name and big-endian numpy format."""
_Field = tuple[str, list[Part]]  # what is asked for, and what it consists of

_MISSING: Final = {">i2": 2**15 - 1, ">i4": 2**31 - 1, ">i8": 2**63 - 1}
_SQL_TYPE: Final = {">i2": "smallint", ">i4": "int", ">i8": "bigint"}
# Rows from before there were forms send a negative one, which says whether they were resent.
_OLD_RESENT: Final = -2
_FORM: Final = f"coalesce(form, CASE WHEN resent THEN {_OLD_RESENT} ELSE -1 END)"
# The delay of the receipt [s], or (older rows) its instant [µs since 1970] and an offset beyond
# every delay.
_AT_OFFSET: Final = 1 << 61
_NO_RECEIPT: Final = 2**63 - 1
_RECEIPT: Final = f"""
coalesce(delay_s::bigint, {2 * _AT_OFFSET} + (extract(epoch FROM received_at) * 1000000)::bigint,
         '{_NO_RECEIPT}'::bigint)
"""
_FIELDS: Final = READING_DTYPE.names or ()
_AT_ONCE: Final = 8192  # rows, which stay in the processor's cache from step to step


def asked(measurands: Sequence[str]) -> tuple[list[list[Part]], str]:
    """What a COPY of readings sends, and the SELECT list for it: no NULLs, all rows of one width.

    Args:
        measurands: that are read, with everything they are restored from.
    """
    whole: list[_Field] = [("ts", [("ts", ">i8")]), (_RECEIPT, [("receipt", ">i8")])]
    words: list[_Field] = [("circuit_key", [("circuit", ">i4")]), (_FORM, [("form", ">i4")])]
    for name in measurands:
        column, kind, _ = STORED[name]
        sent = f"coalesce({column}, '{_MISSING[kind]}'::{_SQL_TYPE[kind]})"
        if kind == ">i8":
            whole.append((sent, [(name, kind)]))
        elif kind == ">i4":
            words.append((sent, [(name, kind)]))
        else:
            words[1] = (f"{sent} * 65536 + {_FORM}", [(name, kind), ("form", ">i2")])
    alone = words[len(words) // 2 * 2 :]
    pairs = [
        (f"{high} * 4294967296 + ({low})", [*above, *below])
        for (high, above), (low, below) in zip(words[::2], words[1::2], strict=False)
    ]
    fields = [*whole, *pairs, *alone]
    return [parts for _, parts in fields], ", ".join(sql for sql, _ in fields)


def restored(raw: NDArray[np.void], columns: Sequence[str]) -> Readings:
    """What a COPY sent, taken apart by `decode` → readings; columns not asked for are NaN."""
    rows = np.empty(len(raw), dtype=READING_DTYPE)
    _restore(raw, columns, {name: rows[name] for name in _FIELDS})
    return rows


def restored_columns(raw: NDArray[np.void]) -> ReadingColumns:
    """What a COPY of all measurands sent, column by column."""
    found = ReadingColumns.empty(len(raw))
    _restore(raw, MEASURANDS, {name: found[name] for name in _FIELDS})
    return found


def _restore(
    raw: NDArray[np.void], columns: Sequence[str], into: Mapping[str, NDArray[Any]]
) -> None:
    for name in set(MEASURANDS).difference(columns):
        into[name][:] = np.nan
    for start in range(0, len(raw), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        _restore_part(raw[part], columns, {name: own[part] for name, own in into.items()})


def _restore_part(
    raw: NDArray[np.void], columns: Sequence[str], into: Mapping[str, NDArray[Any]]
) -> None:
    parts = _parts(raw)
    form = parts.pop("form").astype(np.int64)  # negative: none
    into["circuit"][:] = parts.pop("circuit")
    into["ts"][:] = raw["ts"]
    np.add(into["ts"], PG_EPOCH_US, out=into["ts"])
    into["resent"][:] = np.where(form < 0, form == _OLD_RESENT, form & RESENT > 0)
    into["received_at"][:] = _received(raw["receipt"].astype(np.int64), into["ts"])
    missing = {
        name: values == most
        for name, values in parts.items()
        if values.max() == (most := float(_MISSING[STORED[name][1]]))
    }
    counts = restore(form, parts, missing)
    for name in columns:
        np.divide(counts[name], STORED[name][2], out=into[name])
        if name in missing:
            into[name][missing[name]] = np.nan


def _parts(raw: NDArray[np.void]) -> dict[str, NDArray[np.float64]]:
    """The numbers that were added into one: a negative lower part took one from the part above.

    Times are not among them: float64 does not hold them.
    """
    found: dict[str, NDArray[np.float64]] = {}
    below: NDArray[np.float64] | None = None
    for name in reversed(raw.dtype.names or ()):
        if name in ("fields", "ts", "receipt") or name.startswith("length"):
            below = None
            continue
        sent = raw[name].astype(np.float64)
        found[name] = sent if below is None else sent + (below < 0)
        below = sent
    return found


def _received(receipt: NDArray[np.int64], ts_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """What `_RECEIPT` sends → receipt [µs]; NEVER where it is not known."""
    at = np.where(receipt < _AT_OFFSET, ts_us + receipt * US_PER_SECOND, receipt - 2 * _AT_OFFSET)
    return np.where(receipt == _NO_RECEIPT, NEVER, at)
