"""What `treatment_late_start` and `treatment_early_stop` share: events, lags, episodes.

Every start and stop of a pairing that could be told is kept as a spell with its lag, the lawful
ones as well: a pair's own lags in its verified period widen what is lawful, up to a bound, so that
nobody teaches the system that late is usual.
"""

import math
from datetime import timedelta

import numpy as np

from analytics.detectors.stages import History, JudgedDay
from analytics.episodes.declared import Window, accepted, covers_pairing, windows
from analytics.episodes.plain import evidence_of
from analytics.pairing.edges import Edge
from analytics.plants import Paired
from analytics.quantiles import quantile
from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import to_us
from wattwitness.domain.registry import Pairing
from wattwitness.domain.rules import CATALOGUE, RULE_VERSION
from wattwitness.domain.spells import ConditionSpell, SpellTable

LEAST_EVENTS = 5
LEAST_WORK_MIN = 5  # of production that are looked at where treatment has to lead
LEAST_LOAD = 0.3  # of the level of the smallest machine: less is not yet, or no longer, work
_MINUTE = timedelta(minutes=1)


def event_spell(
    judged: JudgedDay,
    kind: str,
    pair: Paired,
    edge: Edge,
    late_min: float,
    since: int | None = None,
) -> ConditionSpell:
    """An event as a spell between the two edges; `late_min` > 0 is against the enterprise.

    Args:
        judged: the day of the event.
        kind: code of the rule catalogue.
        pair: the pairing whose event it is.
        edge: its two ends.
        late_min: how late treatment was [min].
        since: minute from which production worked; None = the edge is one of its own.
    """
    first, last = sorted((edge.production, edge.treatment))
    span = slice(first, max(last, first + 1))
    minutes = span.stop - span.start
    work = span if since is None else slice(since, max(last, since + LEAST_WORK_MIN))
    production = judged.power[pair.production, work]
    worked = production.shape[1]
    production[np.isnan(production)] = 0.0
    return ConditionSpell(
        enterprise_id=judged.plant.enterprise_id,
        kind=kind,
        subject=pair.pairing.pairing_id,
        from_=judged.instant(span.start),
        to=judged.instant(span.stop),
        sums={
            "late_min": float(late_min),
            "known_min": float(minutes),
            "production_kwh": round(float(production.sum(dtype=np.float64)) / 60.0, 6),
            "production_level_kwh": round(_level_kw(judged, pair) * worked / 60.0, 6),
        },
    )


def _level_kw(judged: JudgedDay, pair: Paired) -> float:
    """The smallest running level of the pairing's production [kW]; 0 = not known."""
    levels = [judged.thresholds[row].running_level_kw for row in pair.production]
    return min((kw for kw in levels if math.isfinite(kw)), default=0.0)


def _usual_min(history: History, table: SpellTable, registered_min: float) -> float:
    """What is lawful: the registered lag, or the pair's own in its verified period, bounded."""
    parameters = CATALOGUE["treatment_late_start"].parameters
    if history.verified is None:
        return registered_min
    begins_us, ends_us = map(to_us, history.verified)
    inside = (table.from_us >= begins_us) & (table.to_us <= ends_us)
    own = table.sum("late_min")[inside]
    if len(own) < LEAST_EVENTS:
        return registered_min
    learned = quantile(own, parameters["lag_quantile"])
    return max(registered_min, min(learned, parameters["lag_most_factor"] * registered_min))


def _parts(
    history: History, pairing: Pairing, spell: ConditionSpell, least_min: float
) -> list[Window]:
    """An event cut at declarations; each part must be longer than what is lawful on its own."""
    valid = accepted(history.plant, lambda d: covers_pairing(d, pairing))
    parts = windows(valid, spell.from_, spell.to)
    return [part for part in parts if len(parts) == 1 or part.minutes > least_min]


def _episode(
    history: History,
    kind: str,
    pairing: Pairing,
    spell: ConditionSpell,
    part: Window,
    lawful: float,
    told_after_production: bool,  # noqa: FBT001 - handed on by name
) -> Episode:
    share = part.minutes / ((spell.to - spell.from_) / _MINUTE)
    late = share * spell.sums["late_min"]
    told = part.from_ + lawful * _MINUTE if told_after_production else spell.to
    clear = min(1.0, (late - lawful) / max(lawful, 5.0))
    return Episode(
        enterprise_id=history.plant.enterprise_id,
        kind=kind,
        from_=part.from_,
        to=part.to,
        detected_at=min(told, part.to),
        circuits=(*pairing.production, *pairing.treatment),
        pairing_id=pairing.pairing_id,
        confidence=round(0.8 + 0.15 * clear, 3),
        evidence=evidence_of(
            {
                "late": (late, "min"),
                "lawful_lag": (lawful, "min"),
                "production_energy": (share * spell.sums["production_kwh"], "kWh"),
                "known_minutes": (share * spell.sums["known_min"], "min"),
            }
        ),
        rule_version=RULE_VERSION,
        suppressed_by=part.declaration_id,
    )


def edge_episodes(
    history: History, kind: str, registered: str, *, told_after_production: bool
) -> list[Episode]:
    """Events whose lag is beyond what is lawful.

    Args:
        history: of the enterprise.
        kind: code of the rule catalogue.
        registered: field of the pairing that holds the lawful lag.
        told_after_production: whether the rule can speak once the lag is over (a late start), or
            only when production has stopped (an early stop).
    """
    parameters = CATALOGUE["treatment_late_start"].parameters
    found = []
    for pairing in history.plant.pairings:
        if pairing.duty_cycled:
            continue  # its rests are judged by treatment_off
        table = history.spell_table(kind, pairing.pairing_id)
        if table is None:
            continue
        lawful = _usual_min(history, table, getattr(pairing, registered))
        least = lawful + parameters["tolerance_min"]
        works = table.sum("production_kwh") >= LEAST_LOAD * table.sum("production_level_kwh")
        for n in np.flatnonzero(works & (table.sum("late_min") > least)).tolist():
            spell = table.spell(n)
            found += [
                _episode(history, kind, pairing, spell, part, lawful, told_after_production)
                for part in _parts(history, pairing, spell, least)
            ]
    return found
