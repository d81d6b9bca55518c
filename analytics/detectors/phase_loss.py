"""`phase_loss` (缺相): one phase without voltage, or without current while the others carry load.

Method: of three phases, one voltage below 0.78 of nominal while another is not, or one current
below 5 % of the mean of the other two while these carry load. Voltages that are all low are an
outage. A circuit whose phase was missing from the first is wired so (a single-phase load): that is
a fact of its installation, not an event.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.sample_spells import sample_spells
from analytics.detectors.stages import History, RawDay
from analytics.episodes.plain import join_plain, plain_episode
from wattwitness.domain.episodes import Episode
from wattwitness.domain.facts import DayFact
from wattwitness.domain.instants import US_PER_MINUTE, from_us
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.spells import ConditionSpell

KIND = "phase_loss"
LOAD_FACT = (
    "phase_minutes"  # per circuit: [readings with load on two phases or more, of these lost]
)
LOADED_SHARE = 0.05  # of rated current: below, a missing current says nothing
LOADED_A = 0.5  # without a nameplate
TYPICAL_PF = 0.85
ALWAYS_SHARE = 0.8
EARLY_DAYS = 7
CONFIDENCE = 0.95


def _lost_voltage(raw: RawDay) -> NDArray[np.bool_]:
    """Whether one voltage is low while another is not [n]."""
    lost = np.zeros(len(raw.rows), dtype=np.bool_)
    voltage, filled = raw.rows.phases("u"), raw.rows.filled
    nominal = np.array([c.nominal_v for c in raw.plant.circuits], dtype=np.float64)
    limit = CATALOGUE[KIND].parameters["voltage_share"] * nominal
    if not len(filled) or not raw.rows.knows("u_a").any():
        return lost
    lowest = np.fmin.reduceat(voltage, raw.rows.starts, axis=1).min(axis=0)
    for row in filled[~(lowest >= limit[filled])].tolist():
        part = raw.rows.part(row)
        low = voltage[:, part] < limit[row]
        known = np.isfinite(voltage[:, part]).all(axis=0)
        lost[part] = known & low.any(axis=0) & ~low.all(axis=0)
    return lost


def _currents(raw: RawDay) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The smallest of the three currents, and the mean of the other two [n]."""
    a, b, c = np.abs(raw.rows.phases("i"))
    low, high = np.minimum(a, b), np.maximum(a, b)
    middle = np.maximum(low, np.minimum(high, c))
    others = np.maximum(high, c)  # of NaN among the three, this is NaN
    others += middle
    others *= 0.5
    return np.minimum(low, c), others


def _lost(raw: RawDay) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether a phase is lost, and whether the circuit carries load, per reading [n]."""
    parameters = CATALOGUE[KIND].parameters
    plant, rows = raw.plant, raw.rows
    lost = _lost_voltage(raw)
    # without currents nobody knows the load: the circuit counts wherever it is energised
    could = lost.copy()
    if any((rows.knows(f"i_{phase}") < rows.count).any() for phase in "abc"):
        unknown = ~np.isfinite(rows.phases("i")).all(axis=0)
        could |= unknown & np.isfinite(rows.phases("u")).all(axis=0)
    if rows.knows("i_a").any():
        nominal = np.array([c.nominal_v for c in plant.circuits], dtype=np.float64)
        rated_a = plant.rated_kw * 1000.0 / (3.0 * nominal * TYPICAL_PF)
        least_a = np.where(np.isfinite(rated_a), LOADED_SHARE * rated_a, LOADED_A)
        smallest, others = _currents(raw)
        loaded = others >= rows.spread(least_a)
        could |= loaded
        lost |= loaded & (smallest < parameters["current_share"] * others)
    lost &= ~raw.invalid
    return lost, could


def mark(raw: RawDay) -> list[ConditionSpell]:
    """Spells of the day in which a phase of a circuit was lost."""
    lost, _ = raw.once(_lost)
    found = []
    for spell in sample_spells(raw, lost):
        sums = {"known_min": (spell.to_us - spell.from_us) / US_PER_MINUTE}
        for name in ("u_a", "u_b", "u_c", "i_a", "i_b", "i_c"):
            values = raw.rows[name][spell.part]
            if np.isfinite(values).any():
                sums[f"{name}_min_sum"] = float(np.nanmean(values)) * sums["known_min"]
        found.append(
            ConditionSpell(
                enterprise_id=raw.plant.enterprise_id,
                kind=KIND,
                subject=raw.plant.circuits[spell.row].circuit_id,
                from_=from_us(spell.from_us),
                to=from_us(spell.to_us),
                sums={name: round(value, 6) for name, value in sums.items()},
            )
        )
    return found


def raw_facts(raw: RawDay) -> list[DayFact]:
    """Per circuit with three phases: readings under load, and those with a phase lost."""
    lost, could = raw.once(_lost)
    under_load = raw.count(could)
    of_these = raw.count(could & lost)
    counts = np.stack((under_load, of_these), axis=1)
    return raw.facts(LOAD_FACT, counts, np.flatnonzero(under_load).tolist())


def _wired_so(history: History, circuit_id: str) -> bool:
    """Whether the phase was missing from the circuit's first days on."""
    early = history.facts_of(LOAD_FACT, circuit_id).values[:EARLY_DAYS]
    total = early.sum(axis=0)
    return len(early) > 0 and bool(total[1] > ALWAYS_SHARE * total[0])


def episodes(history: History) -> list[Episode]:
    """Losses that last long enough, one per spell and circuit."""
    parameters = CATALOGUE[KIND].parameters
    found = []
    for circuit_id in history.subjects_of(KIND):
        if circuit_id not in history.plant.row or _wired_so(history, circuit_id):
            continue
        for joined in join_plain(history.spells_of(KIND, circuit_id), parameters["bridge_min"]):
            minutes = joined.total("known_min")
            if minutes < parameters["episode_min"]:
                continue
            evidence = {"known_minutes": (minutes, "min")}
            for name in ("u_a", "u_b", "u_c", "i_a", "i_b", "i_c"):
                if joined.has(f"{name}_min_sum"):
                    mean = joined.total(f"{name}_min_sum") / minutes
                    evidence[f"{name}_mean"] = (mean, "V" if name[0] == "u" else "A")
            found.append(
                plain_episode(
                    history,
                    KIND,
                    joined,
                    (circuit_id,),
                    parameters["episode_min"],
                    evidence,
                    CONFIDENCE,
                )
            )
    return found
