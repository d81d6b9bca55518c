"""`treatment_inspection_only` (仅检查时段运行治污): treatment works when somebody may look.

Method: per pairing and day the share of running-production minutes in which treatment worked,
inside and outside office hours (and registered inspections). A day speaks if both sides have
enough production; days on which it works inside and not outside follow each other, against a
binomial contrast over the whole spell. Beside it stand the `treatment_off` episodes of the nights.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import History, JudgedDay
from analytics.episodes.declared import Window, accepted, covers_pairing
from analytics.episodes.plain import evidence_of
from wattwitness.domain.episodes import Episode
from wattwitness.domain.facts import DayFact, FactTable
from wattwitness.domain.instants import day_bounds
from wattwitness.domain.registry import Pairing
from wattwitness.domain.rules import CATALOGUE, RULE_VERSION

KIND = "treatment_inspection_only"
HALF_HOURS = 48
RUN_FACT = "running_half_hours"  # per pairing: minutes of running production with treatment known
#                                  [48], of these with treatment at work [48]
LEAST_MIN = 30.0
ROUNDING_MIN = 1e-6
SATURDAY = 5
OFFICE_LEEWAY_H = 0.5  # offices open and close a little earlier or later


def facts(judged: JudgedDay) -> list[DayFact]:
    """Running and treated minutes of each half hour of the day, per pairing."""
    pairs = judged.pairs
    running = (pairs.running & ~pairs.unknown)[:, judged.skip :]
    treated = running & pairs.works[:, judged.skip :]
    # a 25th hour belongs to the last half hour
    first = np.arange(0, min(running.shape[1], HALF_HOURS * 30), 30)
    minutes = np.zeros((len(pairs.pairs), 2, HALF_HOURS), dtype=np.float32)
    for k, mask in enumerate((running, treated)):
        minutes[:, k, : len(first)] = np.add.reduceat(mask, first, axis=1, dtype=np.int16)
    return [
        judged.fact(RUN_FACT, pair.pairing.pairing_id, own.ravel())
        for pair, own in zip(pairs.pairs, minutes, strict=True)
        if not pair.pairing.duty_cycled and own[0].any()
    ]


@dataclass(frozen=True, slots=True)
class _Shares:
    """Minutes inside and outside the watched hours, per day [days] (or [days, n] of such hours)."""

    run_in: NDArray[np.float64]
    run_out: NDArray[np.float64]
    on_in: NDArray[np.float64]
    on_out: NDArray[np.float64]

    @property
    def speaks(self) -> NDArray[np.bool_]:
        """Days with production on both sides."""
        found: NDArray[np.bool_] = (self.run_in >= LEAST_MIN) & (self.run_out >= LEAST_MIN)
        return found

    def share(self, on: NDArray[np.float64], run: NDArray[np.float64]) -> NDArray[np.float64]:
        """On-share, 0 where nothing ran."""
        found: NDArray[np.float64] = on / np.maximum(run, 1.0)
        return found

    @property
    def shows(self) -> NDArray[np.bool_]:
        """Days on which treatment works inside and not outside."""
        parameters = CATALOGUE[KIND].parameters
        inside = self.share(self.on_in, self.run_in) >= parameters["inside_share"]
        return (
            self.speaks
            & inside
            & (self.share(self.on_out, self.run_out) <= parameters["outside_share"])
        )


def _shares(table: FactTable, watched: NDArray[np.bool_]) -> _Shares:
    """Sums inside and outside of `watched` [days, 48]."""
    run = table.values[:, :HALF_HOURS].astype(np.float64)
    on = table.values[:, HALF_HOURS:].astype(np.float64)
    return _Shares(
        (run * watched).sum(axis=1),
        (run * ~watched).sum(axis=1),
        (on * watched).sum(axis=1),
        (on * ~watched).sum(axis=1),
    )


def _office_hours() -> NDArray[np.bool_]:
    """Office hours as treatment that follows them could take them [3, 48]."""
    parameters = CATALOGUE[KIND].parameters
    leeway = OFFICE_LEEWAY_H * np.array([[0.0], [1.0], [-1.0]])
    half = np.arange(HALF_HOURS) / 2.0
    found: NDArray[np.bool_] = (half >= parameters["office_from_h"] + leeway) & (
        half < parameters["office_to_h"] - leeway
    )
    return found


OFFICE_HOURS = _office_hours()


def _showing_days(table: FactTable) -> NDArray[np.intp]:
    """How many days show it, were offices open on all of them, by each of OFFICE_HOURS [3]."""
    values, hours = table.values.astype(np.float64), OFFICE_HOURS.T.astype(np.float64)
    run, on = values[:, :HALF_HOURS], values[:, HALF_HOURS:]
    run_in, on_in = run @ hours, on @ hours  # whole minutes: exact, however they are added
    run_out = run.sum(axis=1)[:, np.newaxis] - run_in
    on_out = on.sum(axis=1)[:, np.newaxis] - on_in
    found: NDArray[np.intp] = np.count_nonzero(
        _Shares(run_in, run_out, on_in, on_out).shows, axis=0
    )
    return found


def day_minutes(
    history: History, pairing_id: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Minutes of running production, and of these with treatment at work, of each day [days]."""
    return history.once(_day_minutes, pairing_id)


def _day_minutes(
    history: History, pairing_id: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    values = history.facts_of(RUN_FACT, pairing_id).values
    run = values[:, :HALF_HOURS].sum(axis=1, dtype=np.float64)
    return run, values[:, HALF_HOURS:].sum(axis=1, dtype=np.float64)


def _may_show(history: History, pairing_id: str) -> bool:
    """Whether treatment is missing for long enough on enough days: a quick look."""
    parameters = CATALOGUE[KIND].parameters
    run, treated = day_minutes(history, pairing_id)
    missing = run - treated >= (1.0 - parameters["outside_share"]) * LEAST_MIN - ROUNDING_MIN
    return bool(np.count_nonzero(missing) >= parameters["least_days"])


def _watched(history: History, table: FactTable) -> Iterator[NDArray[np.bool_]]:
    """The hours in which somebody may look [days, 48], where enough days may show it."""
    least = CATALOGUE[KIND].parameters["least_days"]
    for hours, showing in zip(OFFICE_HOURS, _showing_days(table).tolist(), strict=True):
        if showing >= least:
            weekdays = np.array([d.weekday() < SATURDAY for d in table.days], dtype=np.bool_)
            yield np.broadcast_to(hours, (len(table.days), HALF_HOURS))
            yield weekdays[:, np.newaxis] & hours
    if history.inspections:
        yield _inspected(history, table)


def _inspected(history: History, table: FactTable) -> NDArray[np.bool_]:
    """Half hours that a registered inspection touches [days, 48]."""
    found = np.zeros((len(table.days), HALF_HOURS), dtype=np.bool_)
    for n, day in enumerate(table.days):
        start, _ = day_bounds(day, history.plant.zone)
        for inspection in history.inspections:
            first = (inspection.from_ - start).total_seconds() / 1800.0
            last = (inspection.to - start).total_seconds() / 1800.0
            if last > 0 and first < HALF_HOURS:
                found[n, max(0, int(first)) : min(HALF_HOURS, int(np.ceil(last)))] = True
    return found


def _spells(table: FactTable, shares: _Shares) -> Iterator[NDArray[np.intp]]:
    """Positions of days that show it and follow each other."""
    bridge = CATALOGUE[KIND].parameters["bridge_days"]
    shows, ordinal = shares.shows, table.ordinals.tolist()
    against = (shares.speaks & ~shows).tolist()
    group: list[int] = []
    for n, own in enumerate(shows.tolist()):
        far = bool(group) and ordinal[n] - ordinal[group[-1]] > bridge
        if (against[n] or far) and group:
            yield np.array(group)
            group = []
        if own:
            group.append(n)
    if group:
        yield np.array(group)


def _contrast(shares: _Shares, part: NDArray[np.intp]) -> float:
    """Z of the two on-shares, days as trials: minutes of one day are not independent."""
    inside = float(shares.share(shares.on_in, shares.run_in)[part].mean())
    outside = float(shares.share(shares.on_out, shares.run_out)[part].mean())
    pooled = 0.5 * (inside + outside)
    spread = np.sqrt(max(pooled * (1 - pooled), 0.02) * 2.0 / len(part))
    return float((inside - outside) / spread)


def _episode(
    history: History,
    pairing: Pairing,
    table: FactTable,
    shares: _Shares,
    part: NDArray[np.intp],
    window: Window,
) -> Episode:
    least = int(CATALOGUE[KIND].parameters["least_days"])
    told = day_bounds(table.days[int(part[least - 1])], history.plant.zone)[1]
    inside = 100.0 * shares.on_in[part].sum() / shares.run_in[part].sum()
    outside = 100.0 * shares.on_out[part].sum() / shares.run_out[part].sum()
    clear = min(1.0, (inside - outside) / 90.0)
    return Episode(
        enterprise_id=history.plant.enterprise_id,
        kind=KIND,
        from_=window.from_,
        to=window.to,
        detected_at=min(told, window.to),
        circuits=(*pairing.production, *pairing.treatment),
        pairing_id=pairing.pairing_id,
        confidence=round(0.75 + 0.2 * clear, 3),
        evidence=evidence_of(
            {
                "on_share_watched": (float(inside), "%"),
                "on_share_unwatched": (float(outside), "%"),
                "running_watched": (float(shares.run_in[part].sum()), "min"),
                "running_unwatched": (float(shares.run_out[part].sum()), "min"),
                "days": (float(len(part)), "d"),
                "contrast": (_contrast(shares, part), "σ"),
            }
        ),
        rule_version=RULE_VERSION,
        suppressed_by=window.declaration_id,
    )


def _parts(
    history: History, pairing: Pairing, table: FactTable, part: NDArray[np.intp]
) -> Iterator[tuple[NDArray[np.intp], Window]]:
    """Days of a spell, cut at declarations; a day that one touches belongs to its inside."""
    valid = accepted(history.plant, lambda d: covers_pairing(d, pairing))
    bounds = [day_bounds(table.days[k], history.plant.zone) for k in part.tolist()]
    owner = [next((d for d in valid if d.from_ < b and d.to > a), None) for a, b in bounds]
    start = 0
    for end in range(1, len(part) + 1):
        if end < len(part) and owner[end] is owner[start]:
            continue
        first, last, why = bounds[start][0], bounds[end - 1][1], owner[start]
        if why is not None:
            first, last = max(first, why.from_), min(last, why.to)
        yield part[start:end], Window(first, last, why.declaration_id if why else None)
        start = end


def episodes(history: History) -> list[Episode]:
    """One per spell and pairing; the watched hours that explain most days count."""
    parameters = CATALOGUE[KIND].parameters
    found = []
    for pairing in history.plant.pairings:
        table = history.facts_of(RUN_FACT, pairing.pairing_id)
        if not table.days or not _may_show(history, pairing.pairing_id):
            continue
        best: list[Episode] = []
        for watched in _watched(history, table):
            shares = _shares(table, watched)
            own = [
                _episode(history, pairing, table, shares, part, window)
                for spell in _spells(table, shares)
                for part, window in _parts(history, pairing, table, spell)
                if len(part) >= parameters["least_days"]
                and _contrast(shares, part) >= parameters["least_contrast"]
            ]
            if sum((e.to - e.from_).days for e in own) > sum((e.to - e.from_).days for e in best):
                best = own
        found += best
    return found
