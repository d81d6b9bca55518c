"""The rates of all circuits of a plant on one local day.

Most circuits sent one sound reading in each slot of which they sent any: their counts are known
without looking at single slots. The others are counted slot by slot (`rates`).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import RawDay
from analytics.plants import Interval
from analytics.quality.rates import LATE_AFTER_US, DaySlots, day_quality, slot_span
from wattwitness.domain.instants import to_us
from wattwitness.domain.quality import DayQuality
from wattwitness.domain.readings import NEVER

_Counts = NDArray[np.int64]


def _slots(raw: RawDay) -> NDArray[np.int64]:
    """Slot number since 1970 of each reading [n]."""
    interval_us = raw.plant.interval_us
    if (interval_us == interval_us[0]).all():  # dividing by one number is many times faster
        return np.asarray(raw.rows.ts // int(interval_us[0]))
    return np.asarray(raw.rows.ts // raw.rows.spread(interval_us))


def _easy(raw: RawDay, begin: _Counts, end: _Counts) -> NDArray[np.bool_]:
    """Circuits with one sound reading in each of their slots, all of them expected [circuits].

    Args:
        raw: the day.
        begin: first slot that should hold a reading [circuits].
        end: the one after the last [circuits].
    """
    slot, doubtful = _slots(raw), raw.invalid.copy()
    doubtful[1:] |= slot[1:] == slot[:-1]
    some = np.flatnonzero(raw.readings)
    first = slot[[raw.parts[row].start for row in some.tolist()]]
    last = slot[[raw.parts[row].stop - 1 for row in some.tolist()]]
    easy: NDArray[np.bool_] = raw.count(doubtful) == 0
    easy[raw.readings == 0] = False
    easy[some] &= (begin[some] <= first) & (last < end[some])
    return easy


def _declared(raw: RawDay) -> Mapping[int, Sequence[Interval]]:
    """Row → its declared windows, of circuits with one that touches the day."""
    begin, end = raw.bounds
    if not any(to_us(d.from_) < end and to_us(d.to) > begin for d in raw.plant.declarations):
        return {}
    own = {row: raw.plant.declared(c.circuit_id) for row, c in enumerate(raw.plant.circuits)}
    return {row: windows for row, windows in own.items() if windows}


def day_rates(raw: RawDay, first_us: Mapping[str, int]) -> tuple[DayQuality, ...]:
    """Count the slots of the day, circuit by circuit.

    Args:
        raw: the day.
        first_us: circuit id → its first reading ever [µs].
    """
    plant, rows = raw.plant, raw.rows
    if not plant.circuits:
        return ()
    names = [circuit.circuit_id for circuit in plant.circuits]
    first = np.array([first_us.get(name, raw.bounds[1]) for name in names], dtype=np.int64)
    begin, end = slot_span(raw.bounds, plant.interval_us, first, raw.watermark_us)
    late = rows.resent | (raw.lag_us > rows.spread(plant.interval_us + LATE_AFTER_US))
    untold = raw.count(rows.received_at == NEVER)
    easy = _easy(raw, begin, end) & ((untold == 0) | (untold == raw.readings))
    columns = (end - begin, raw.readings, raw.readings - raw.count(late), untold == 0)
    counts = zip(*(column.tolist() for column in columns), strict=True)
    declared, found = _declared(raw), []
    for row, (name, (expected, received, in_time, told)) in enumerate(
        zip(names, counts, strict=True)
    ):
        if not easy[row] or row in declared:
            found.append(_slot_by_slot(raw, row, first_us.get(name), declared.get(row, ())))
            continue
        found.append(
            DayQuality(
                circuit_id=name,
                day=raw.day,
                expected=expected,
                received=received,
                valid=received,
                in_time=in_time if told else None,
            )
        )
    return tuple(found)


def _slot_by_slot(
    raw: RawDay, row: int, first_us: int | None, declared: Sequence[Interval]
) -> DayQuality:
    rows, part = raw.rows, raw.parts[row]
    slots = DaySlots(
        circuit_id=raw.plant.circuits[row].circuit_id,
        day=raw.day,
        bounds=raw.bounds,
        interval_us=int(raw.plant.interval_us[row]),
        first_us=first_us,
        watermark_us=raw.watermark_us,
        declared=declared,
    )
    return day_quality(
        slots, rows.ts[part], rows.received_at[part], rows.resent[part], raw.invalid[part]
    )
