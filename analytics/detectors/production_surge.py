"""`production_surge` (预警前突击生产, information): more production in the 24 h before a response.

Method: energy of the production in the 24 h before `response_from`, against the median of the same
clock window on the ten like days before, days under an alert and declared days left out. Monday to
Friday are alike; Saturday and Sunday are, where the plant works through them, else of their own
kind.
"""

from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.baselines.calendar import weekday_kinds
from analytics.detectors.plant_energy import ENERGY_FACT, energy_rows, is_declared
from analytics.detectors.stages import History
from analytics.episodes.plain import evidence_of
from wattwitness.domain.episodes import Episode
from wattwitness.domain.facts import BLOCKS, FactTable
from wattwitness.domain.instants import from_us
from wattwitness.domain.registry import Alert
from wattwitness.domain.rules import CATALOGUE, RULE_VERSION

KIND = "production_surge"
_DAY = timedelta(days=1)
LEAST_COVERAGE = 0.8
LEAST_DAYS = 5
LONGEST_BACK_DAYS = 61
CONFIDENCE = 0.8


def _window(table: FactTable, end: datetime) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Blocks of the 24 h before `end` (local time), and the ordinals of its days."""
    place = {day: n for n, day in enumerate(table.days)}
    block = (end.hour * 60 + end.minute) // 15
    parts = []
    for day, part in (
        (end.date() - _DAY, slice(block, BLOCKS)),
        (end.date(), slice(0, block)),
    ):
        n = place.get(day)
        length = part.stop - part.start
        parts.append(table.values[n, part] if n is not None else np.full(length, np.nan))
    return np.concatenate(parts), np.array([(end.date() - _DAY).toordinal()])


def _energy_kwh(table: FactTable, end: datetime) -> float:
    values, _ = _window(table, end)
    known = np.isfinite(values)
    if known.mean() < LEAST_COVERAGE:
        return float("nan")
    return 24.0 * float(np.nanmean(values))


def _left_out(history: History, day: date) -> bool:
    """Days that are no baseline: under an alert, the day before one, or declared."""
    for alert in history.alerts:
        begins = alert.issued_at.astimezone(history.plant.zone).date() - _DAY
        lifted = alert.lifted_at or from_us(history.watermark_us)
        if begins <= day <= lifted.astimezone(history.plant.zone).date():
            return True
    return is_declared(history.plant, day)


def _kinds(history: History, table: FactTable) -> tuple[int, ...]:
    """Kind of day of each weekday, from whole days that may stand in a baseline."""
    use = [n for n, day in enumerate(table.days) if not _left_out(history, day)]
    values = table.values[use].astype(np.float64)
    known = np.isfinite(values)
    sums = np.where(known, values, 0.0).sum(axis=1)
    counts = np.maximum(known.sum(axis=1), 1)
    level = np.where(known.sum(axis=1) >= LEAST_COVERAGE * BLOCKS, sums / counts, np.nan)
    return weekday_kinds([table.days[n].toordinal() for n in use], level)


def _baseline_kwh(history: History, table: FactTable, end: datetime) -> list[float]:
    """Energies of like windows before, newest first: those over the same kinds of days."""
    kinds = _kinds(history, table)

    def kind(at: datetime) -> tuple[int, ...]:
        days = [at - _DAY] if at.hour == at.minute == 0 else [at - _DAY, at]
        return tuple(kinds[day.weekday()] for day in days)

    found: list[float] = []
    for back in range(2, LONGEST_BACK_DAYS):
        at = end - back * _DAY
        if kind(at) != kind(end) or _left_out(history, (at - _DAY).date()):
            continue
        energy = _energy_kwh(table, at)
        if np.isfinite(energy):
            found.append(energy)
    return found[: int(CATALOGUE[KIND].parameters["like_days"])]


def _of_alert(history: History, table: FactTable, alert: Alert) -> Episode | None:
    end = alert.response_from.astimezone(history.plant.zone)
    used = _energy_kwh(table, end)
    like = _baseline_kwh(history, table, end)
    if len(like) < LEAST_DAYS or not np.isfinite(used):
        return None
    usual = float(np.median(like))
    if usual <= 0 or used <= CATALOGUE[KIND].parameters["share"] * usual:
        return None
    return Episode(
        enterprise_id=history.plant.enterprise_id,
        kind=KIND,
        from_=alert.response_from - _DAY,
        to=alert.response_from,
        detected_at=alert.response_from,
        circuits=tuple(history.plant.circuits[n].circuit_id for n in energy_rows(history.plant)),
        pairing_id=None,
        confidence=CONFIDENCE,
        evidence=evidence_of(
            {
                "energy_before_alert": (used, "kWh"),
                "usual_energy": (usual, "kWh"),
                "ratio": (used / usual, ""),
                "like_days": (float(len(like)), "d"),
            }
        ),
        rule_version=RULE_VERSION,
    )


def episodes(history: History) -> list[Episode]:
    """At most one per alert that concerns the enterprise."""
    table = history.facts_of(ENERGY_FACT, "")
    watermark = from_us(history.watermark_us)
    return [
        episode
        for alert in history.alerts
        if alert.response_from <= watermark
        and (episode := _of_alert(history, table, alert)) is not None
    ]
