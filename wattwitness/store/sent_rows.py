"""Readings as the server sends them: what is asked for, and how it is taken apart.

Every field of a row costs the server about as much as finding the row. So columns of four bytes go
two by two as one of eight, high · 2^32 + low, and the two of two bytes as one of four. No count is
near the ends of its type (`domain.bounds`), so nothing overflows, and the greatest value is free to
say "not measured". Every row costs the client as much again; so where circuits have many readings,
those of a circuit come as one row, with the numbers of a field behind each other in a bytea.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
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
from wattwitness.store.copy_format import PG_EPOCH_US, decode
from wattwitness.store.forms import RESENT, needed, restore
from wattwitness.store.scales import STORED

Part = tuple[str, str]
"""Name and big-endian numpy format."""
Sent = Mapping[str, NDArray[Any]]
"""Part → its numbers as they came [n]."""

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
# Likewise in four bytes: the few instants come aside.
_NO_DELAY: Final = 2**31 - 1
_ASIDE: Final = 2**31 - 2
_DELAY: Final = f"""
coalesce(delay_s, CASE WHEN received_at IS NULL THEN {_NO_DELAY} ELSE {_ASIDE} END)
"""
_INSTANTS: Final = """
coalesce(string_agg(timestamptz_send(received_at), NULL ORDER BY ts)
         FILTER (WHERE delay_s IS NULL AND received_at IS NOT NULL), ''::bytea)
"""
_FIELDS: Final = READING_DTYPE.names or ()
_AT_ONCE: Final = 8192  # readings, which stay in the processor's cache from step to step


@dataclass(frozen=True, slots=True)
class _Field:
    sql: str
    parts: tuple[Part, ...]  # from the highest to the lowest
    send: str  # the server's function that gives its bytes


_TS: Final = _Field("ts", (("ts", ">i8"),), "timestamptz_send")


def _fields(measurands: Sequence[str], key: Sequence[_Field], delay: Sequence[_Field]
            ) -> list[_Field]:  # fmt: skip
    """What is sent of readings beside their time, without NULLs."""
    whole: list[_Field] = []
    form = _Field(_FORM, (("form", ">i4"),), "int4send")
    words: list[_Field] = []
    for name in measurands:
        column, kind, _ = STORED[name]
        sent = f"coalesce({column}, '{_MISSING[kind]}'::{_SQL_TYPE[kind]})"
        if kind == ">i8":
            whole.append(_Field(sent, ((name, kind),), "int8send"))
        elif kind == ">i4":
            words.append(_Field(sent, ((name, kind),), "int4send"))
        else:
            form = _Field(f"{sent} * 65536 + {_FORM}", ((name, kind), ("form", ">i2")), "int4send")
    words = [*key, form, *words, *delay]
    pairs = [
        _Field(f"({high.sql}) * 4294967296 + ({low.sql})", high.parts + low.parts, "int8send")
        for high, low in zip(words[::2], words[1::2], strict=False)
    ]
    return [*whole, *pairs, *words[2 * len(pairs) :]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a SELECT asks for, and how it comes."""

    select: str
    fields: tuple[tuple[Part, ...], ...]


def asked_rows(columns: Sequence[str]) -> Asked:
    """The SELECT list of readings row by row, for `rows_sent`."""
    key = _Field("circuit_key", (("circuit", ">i4"),), "int4send")
    receipt = _Field(_RECEIPT, (("receipt", ">i8"),), "int8send")
    fields = [_TS, receipt, *_fields(needed(columns), [key], [])]
    return Asked(", ".join(f.sql for f in fields), tuple(f.parts for f in fields))


def asked_columns(columns: Sequence[str]) -> Asked:
    """The SELECT list of readings GROUP BY circuit_key, for `columns_sent`."""
    delay = _Field(_DELAY, (("delay", ">i4"),), "int4send")
    fields = [_TS, *_fields(needed(columns), [], [delay])]
    chosen = (f"string_agg({f.send}({f.sql}), NULL ORDER BY ts)" for f in fields)
    return Asked(", ".join(("circuit_key", _INSTANTS, *chosen)), tuple(f.parts for f in fields))


def rows_sent(payload: bytes, asked: Asked) -> Sent:
    """Take apart what COPY sent of `asked_rows`."""
    raw = decode(payload, asked.fields)
    return {name: raw[name] for parts in asked.fields for name, _ in parts}


def columns_sent(groups: Sequence[Any], asked: Asked) -> Sent:
    """Take apart the rows that answer `asked_columns`, by circuit."""

    def joined(place: int, kind: Any) -> NDArray[Any]:
        return np.frombuffer(b"".join(group[place] for group in groups), dtype=kind)

    found: dict[str, NDArray[Any]] = {}
    for place, parts in enumerate(asked.fields, 2):
        raw = joined(place, [*parts])
        found |= {name: raw[name] for name, _ in parts}
    counts = [len(group[2]) // 8 for group in groups]
    found["circuit"] = np.repeat(np.array([group[0] for group in groups], dtype=np.int32), counts)
    delay = found["delay"]
    receipt = np.where(delay == _NO_DELAY, _NO_RECEIPT, delay.astype(np.int64))
    receipt[delay == _ASIDE] = joined(1, ">i8") + (PG_EPOCH_US + 2 * _AT_OFFSET)
    found["receipt"] = receipt
    return found


def restored(sent: Sent, asked: Asked, columns: Sequence[str]) -> Readings:
    """What was sent → readings; columns not asked for are NaN."""
    rows = np.empty(len(sent["ts"]), dtype=READING_DTYPE)
    _restore(sent, asked, columns, {name: rows[name] for name in _FIELDS})
    return rows


def restored_columns(sent: Sent, asked: Asked) -> ReadingColumns:
    """What was sent, if all measurands were asked for → readings column by column."""
    found = ReadingColumns.empty(len(sent["ts"]))
    _restore(sent, asked, MEASURANDS, {name: found[name] for name in _FIELDS})
    return found


def _restore(
    sent: Sent, asked: Asked, columns: Sequence[str], into: Mapping[str, NDArray[Any]]
) -> None:
    for name in set(MEASURANDS).difference(columns):
        into[name][:] = np.nan
    below = {high: low for parts in asked.fields for (high, _), (low, _) in pairwise(parts)}
    for start in range(0, len(sent["ts"]), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        part = {name: own[some] for name, own in sent.items()}
        _restore_part(part, below, columns, {name: own[some] for name, own in into.items()})


def _restore_part(
    sent: Sent,
    below: Mapping[str, str],
    columns: Sequence[str],
    into: Mapping[str, NDArray[Any]],
) -> None:
    numbers = _separated(sent, below)
    form = numbers.pop("form").astype(np.int64)  # negative: none
    into["circuit"][:] = numbers.pop("circuit")
    numbers.pop("delay", None)  # is in the receipt
    np.add(sent["ts"], PG_EPOCH_US, out=into["ts"])
    into["resent"][:] = np.where(form < 0, form == _OLD_RESENT, form & RESENT > 0)
    into["received_at"][:] = _received(sent["receipt"].astype(np.int64), into["ts"])
    missing = {
        name: values == most
        for name, values in numbers.items()
        if values.max() == (most := float(_MISSING[STORED[name][1]]))
    }
    counts = restore(form, numbers, missing)
    for name in columns:
        np.divide(counts[name], STORED[name][2], out=into[name])
        if name in missing:
            into[name][missing[name]] = np.nan


def _separated(sent: Sent, below: Mapping[str, str]) -> dict[str, NDArray[np.float64]]:
    """Parts that were added into one: a negative lower part took one from the part above it.

    Times are not among them: float64 does not hold them.
    """
    raw = {
        name: numbers.astype(np.float64)
        for name, numbers in sent.items()
        if name not in ("ts", "receipt")
    }
    lower = {name: raw[low] < 0 for name, low in below.items()}
    for name, borrowed in lower.items():
        raw[name] += borrowed
    return raw


def _received(receipt: NDArray[np.int64], ts_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """What `_RECEIPT` sends → receipt [µs]; NEVER where it is not known."""
    at = np.where(receipt < _AT_OFFSET, ts_us + receipt * US_PER_SECOND, receipt - 2 * _AT_OFFSET)
    return np.where(receipt == _NO_RECEIPT, NEVER, at)
