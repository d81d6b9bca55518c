"""Decoded readings to columns, many at a time: Python touches each value once, then numpy."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.readings import Readings, empty_readings
from wattwitness.wire.instants import FIRST_US, LAST_US, wire_instant_us
from wattwitness.wire.payload import WireReading

_US_PER_MS: Final = 1000
_NO_PHASES: Final = (None, None, None)
_PLAIN: Final = frozenset({int})


def to_rows(readings: Sequence[WireReading]) -> Readings:
    """The measured values [n]; circuit, instant and receipt are left to the caller."""
    rows = empty_readings(len(readings))
    if not readings:
        return rows
    rows["resent"] = [r.rs for r in readings]
    rows["p_kw"] = _column([r.p for r in readings])
    rows["e_kwh"] = _column([r.e for r in readings])
    rows["q_kvar"] = _column([r.q for r in readings])
    rows["pf"] = _column([r.pf for r in readings])
    for phases, names in (
        ([r.u for r in readings], ("u_a", "u_b", "u_c")),
        ([r.i for r in readings], ("i_a", "i_b", "i_c")),
    ):
        table = _phases(phases)
        for k, name in enumerate(names):
            rows[name] = table[:, k]
    return rows


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


def _column(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Values [n]; what was not measured becomes NaN."""
    try:
        return np.fromiter(values, dtype=np.float64, count=len(values))
    except TypeError:  # there is a None, for which this other way is made, and slower
        return np.array(values, dtype=np.float64)


def _phases(values: Sequence[Any]) -> NDArray[np.float64]:
    """Three values each [n, 3]."""
    try:
        flat = np.fromiter(chain.from_iterable(values), np.float64, count=3 * len(values))
    except TypeError:  # some have none, or not all three
        if not any(values):
            return np.full((len(values), 3), np.nan)
        return np.array([phases or _NO_PHASES for phases in values], dtype=np.float64)
    return flat.reshape(-1, 3)
