"""`data_gap_at_alert` (预警期间数据缺失): a meter falls silent when an alert or inspection begins.

Method: gaps of single circuits (readings that came late fill them). One that starts within half an
hour of a response or an inspection counts if the circuit's own gaps make it unlikely: their rate
times the hour around the alert. Circuits that are silent alone, while others of the enterprise go
on, were silenced. Where all are silent only the registers tell an outage from a silence: energy
that was used in the gap was used by a plant that had power.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import History, RawDay
from analytics.episodes.plain import evidence_of
from analytics.grid import BRIDGED_INTERVALS
from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import US_PER_MINUTE, from_us, to_us
from wattwitness.domain.rules import CATALOGUE, RULE_VERSION
from wattwitness.domain.spells import ConditionSpell

KIND = "data_gap_at_alert"
LEAST_GAP_MIN = 10.0  # shorter gaps are not kept
USED_SHARE = 0.1  # of the circuit's usual level: energy in the gap that proves that it had power
CONFIDENCE_ALONE, CONFIDENCE_REGISTER = 0.93, 0.85
_MINUTE = timedelta(minutes=1)


def _with_gaps(raw: RawDay, reach_us: NDArray[np.float64], end_us: int) -> NDArray[np.intp]:
    """Circuits with a gap of the day that is longer than their reach [µs]."""
    found = raw.readings == 0
    some = np.flatnonzero(~found)
    first = raw.rows.ts[[raw.parts[row].start for row in some.tolist()]]
    last = raw.rows.ts[[raw.parts[row].stop - 1 for row in some.tolist()]]
    found[some] = first - raw.bounds[0] + raw.plant.interval_us[some] > reach_us[some]
    found[some] |= end_us - last > reach_us[some]
    row = raw.circuit_row[raw.holes]
    found[row[raw.rows.step_us[raw.holes] > reach_us[row]]] = True
    return np.flatnonzero(found)


def mark(raw: RawDay) -> list[ConditionSpell]:
    """Gaps of each circuit within the day, with the registers around them.

    A gap that reaches over midnight is one spell in each day; it is put together again later.
    """
    found: list[ConditionSpell] = []
    end_us = min(raw.bounds[1], raw.watermark_us)
    reach_us = np.maximum(BRIDGED_INTERVALS * raw.plant.interval_us, LEAST_GAP_MIN * US_PER_MINUTE)
    for row in _with_gaps(raw, reach_us, end_us).tolist():
        interval_us = int(raw.plant.interval_us[row])
        ts, e_kwh = raw.rows.ts[raw.parts[row]], raw.rows["e_kwh"][raw.parts[row]]
        edges = np.concatenate(([raw.bounds[0] - interval_us], ts, [end_us]))
        for k in np.flatnonzero(np.diff(edges) > reach_us[row]).tolist():
            begins, ends = int(edges[k]) + interval_us, int(edges[k + 1])
            if ends <= begins:
                continue
            sums = {"known_min": 0.0}
            if k > 0 and np.isfinite(e_kwh[k - 1]):
                sums["before_kwh"] = float(e_kwh[k - 1])
            if k < len(ts) and np.isfinite(e_kwh[k]):
                sums["after_kwh"] = float(e_kwh[k])
            found.append(
                ConditionSpell(
                    enterprise_id=raw.plant.enterprise_id,
                    kind=KIND,
                    subject=raw.plant.circuits[row].circuit_id,
                    from_=from_us(begins),
                    to=from_us(ends),
                    sums=sums,
                )
            )
    return found


@dataclass(frozen=True, slots=True)
class Gap:
    """One silence of one circuit."""

    circuit_id: str
    from_: datetime
    to: datetime
    used_kwh: float | None  # by the registers around it; None = they do not tell

    @property
    def minutes(self) -> float:
        """Its length [min]."""
        return (self.to - self.from_) / _MINUTE


def gaps_of(history: History, circuit_id: str) -> list[Gap]:
    """Silences of a circuit after its first reading, put together over midnights."""
    first_us = history.first_us.get(circuit_id)
    if first_us is None:
        return []
    found: list[list[ConditionSpell]] = []
    for spell in history.spells_of(KIND, circuit_id):
        if to_us(spell.to) <= first_us:
            continue
        if found and spell.from_ - found[-1][-1].to <= 2 * _MINUTE:
            found[-1].append(spell)
        else:
            found.append([spell])
    gaps = []
    for parts in found:
        before, after = parts[0].sums.get("before_kwh"), parts[-1].sums.get("after_kwh")
        used = None if before is None or after is None else after - before
        gaps.append(Gap(circuit_id, parts[0].from_, parts[-1].to, used))
    return gaps


def _unlikely(history: History, gap: Gap, gaps: Sequence[Gap]) -> tuple[bool, float]:
    """Whether chance hardly explains that a gap of this length begins in this very hour."""
    parameters = CATALOGUE[KIND].parameters
    observed_h = (history.watermark_us - history.first_us[gap.circuit_id]) / (60 * US_PER_MINUTE)
    alike = sum(g.minutes >= 0.5 * gap.minutes for g in gaps if g is not gap)
    window_h = 2.0 * parameters["window_min"] / 60.0
    chance = 1.0 - float(np.exp(-(alike + 0.5) * window_h / max(observed_h, 24.0)))
    return chance < parameters["most_chance"], chance


def _occasions(history: History) -> Iterator[tuple[str, datetime]]:
    for alert in history.alerts:
        if alert.phases():  # called off before its response, it had none
            yield "alert", alert.response_from
    for inspection in history.inspections:
        yield "inspection", inspection.from_


def _had_power(history: History, gap: Gap) -> bool:
    """Whether the registers around a gap show that the circuit used energy in it."""
    level = history.thresholds.get(gap.circuit_id)
    if gap.used_kwh is None or level is None or not np.isfinite(level.running_level_kw):
        return False
    # the registers were read up to an interval before and after the silence
    interval_h = float(history.plant.intervals_s[history.plant.row[gap.circuit_id]]) / 3600.0
    hours = USED_SHARE * gap.minutes / 60.0 + 2.0 * interval_h
    return gap.used_kwh > level.running_level_kw * hours


def _others_went_on(
    silent: Sequence[Gap], gaps: Mapping[str, Sequence[Gap]], circuits: Sequence[str]
) -> bool:
    """Whether some circuit of the enterprise was heard through most of the silence."""
    begins, ends = min(g.from_ for g in silent), max(g.to for g in silent)
    names = {g.circuit_id for g in silent}
    for circuit_id in circuits:
        if circuit_id in names:
            continue
        missing = sum(
            max(0.0, (min(g.to, ends) - max(g.from_, begins)) / _MINUTE) for g in gaps[circuit_id]
        )
        if missing < 0.2 * ((ends - begins) / _MINUTE):
            return True
    return False


def _episode(
    history: History,
    occasion: tuple[str, datetime],
    silent: Sequence[Gap],
    chance: float,
    *,
    alone: bool,
) -> Episode:
    what, at = occasion
    begins, ends = min(g.from_ for g in silent), max(g.to for g in silent)
    used = [g.used_kwh for g in silent if g.used_kwh is not None]
    numbers: dict[str, tuple[float | str, str]] = {
        "missing_minutes": ((ends - begins) / _MINUTE, "min"),
        "after_occasion": ((begins - at) / _MINUTE, "min"),
        "occasion": (what, ""),
        "chance": (100.0 * chance, "%"),
        "silent_circuits": (float(len(silent)), ""),
    }
    if used:
        numbers["energy_in_gap"] = (sum(used), "kWh")
    return Episode(
        enterprise_id=history.plant.enterprise_id,
        kind=KIND,
        from_=begins,
        to=ends,
        detected_at=min(
            begins + CATALOGUE[KIND].parameters["episode_min"] * _MINUTE if alone else ends, ends
        ),
        circuits=tuple(sorted(g.circuit_id for g in silent)),
        pairing_id=None,
        confidence=CONFIDENCE_ALONE if alone else CONFIDENCE_REGISTER,
        evidence=evidence_of(numbers),
        rule_version=RULE_VERSION,
    )


def episodes(history: History) -> list[Episode]:
    """One per occasion at which circuits fell silent together."""
    parameters = CATALOGUE[KIND].parameters
    if not history.alerts and not history.inspections:
        return []
    ids = [c.circuit_id for c in history.plant.circuits if c.circuit_id in history.first_us]
    gaps = {circuit_id: gaps_of(history, circuit_id) for circuit_id in ids}
    window = parameters["window_min"] * _MINUTE
    found = []
    for occasion in _occasions(history):
        silent, chances = [], []
        for circuit_id in ids:
            for gap in gaps[circuit_id]:
                near = abs(gap.from_ - occasion[1]) <= window
                if not near or gap.minutes < parameters["episode_min"]:
                    continue
                unlikely, chance = _unlikely(history, gap, gaps[circuit_id])
                if unlikely:
                    silent.append(gap)
                    chances.append(chance)
        if not silent:
            continue
        alone = _others_went_on(silent, gaps, ids)
        if alone or any(_had_power(history, gap) for gap in silent):
            found.append(_episode(history, occasion, silent, max(chances), alone=alone))
    return found
