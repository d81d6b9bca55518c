"""Decoded readings to columns, many at a time: Python touches each value once, then numpy."""

from collections.abc import Iterable, Sequence
from struct import error as struct_error
from struct import pack
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.readings import MEASURANDS, READING_DTYPE, Readings
from wattwitness.wire.instants import FIRST_US, LAST_US, wire_instant_us
from wattwitness.wire.payload import Phases, WireReading

_US_PER_MS: Final = 1000
_NO_PHASES: Final = (None, None, None)
_PLAIN: Final = frozenset({int})
_FIRST_VALUE: Final = int(np.dtype(READING_DTYPE.descr[:2]).itemsize)  # where they begin in a row


def to_rows(readings: Sequence[WireReading]) -> Readings:
    """The measured values [n]; circuit, instant and receipt are left to the caller, undefined."""
    rows = np.empty(len(readings), dtype=READING_DTYPE)
    if not readings:
        return rows
    columns = (
        [r.p for r in readings],
        [r.e for r in readings],
        [r.q for r in readings],
        *_phases([r.u for r in readings]),
        *_phases([r.i for r in readings]),
        [r.pf for r in readings],
    )
    values = np.frombuffer(b"".join([_doubles(column) for column in columns]))
    _values_of(rows)[:] = values.reshape(len(MEASURANDS), len(readings)).T
    resent = [r.rs for r in readings]
    rows["resent"] = resent if any(resent) else False
    return rows


def _values_of(rows: Readings) -> NDArray[np.float64]:
    """The measured values [n, measurands], which lie side by side in a row, to write to."""
    shape = (len(rows), len(MEASURANDS))
    strides = (rows.itemsize, np.dtype(np.float64).itemsize)
    return np.ndarray(shape, np.float64, rows.data, _FIRST_VALUE, strides)


def instants_us(values: Sequence[float | str]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Instants as they were written [n] → µs since 1970, and which of them cannot be read."""
    bad = np.zeros(len(values), dtype=np.bool_)
    if set(map(type, values)) <= _PLAIN:
        try:
            ms = np.fromiter(values, dtype=np.int64, count=len(values))
        except OverflowError:
            pass
        else:
            return np.clip(ms, FIRST_US // _US_PER_MS, LAST_US // _US_PER_MS) * _US_PER_MS, bad
    found = np.zeros(len(values), dtype=np.int64)
    for k, value in enumerate(values):
        at_us = wire_instant_us(value)
        if isinstance(at_us, int):
            found[k] = at_us
        else:
            bad[k] = True
    return found, bad


def _doubles(values: Sequence[float | None]) -> bytes:
    """Values [n], each in 8 bytes; what was not measured becomes NaN."""
    try:
        return pack(f"{len(values)}d", *values)  # three times as fast as numpy, but for None
    except struct_error:
        if values.count(None) == len(values):
            return np.full(len(values), np.nan).tobytes()
        return np.array(values, dtype=np.float64).tobytes()


def _phases(values: Sequence[Phases | None]) -> Iterable[Sequence[float | None]]:
    """Three values each [n] → three columns [n]."""
    try:
        return zip(*values, strict=True)
    except TypeError:  # some have none
        return zip(*[phases or _NO_PHASES for phases in values], strict=True)
