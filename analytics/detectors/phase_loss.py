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


def _phases(raw: RawDay, names: str) -> NDArray[np.float64]:
    """Three phases of the readings [n, 3]."""
    return np.stack([raw.rows[f"{names}_{phase}"] for phase in "abc"], axis=1)


def _lost(raw: RawDay) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether a phase is lost, and whether the circuit carries load, per reading [n]."""
    parameters = CATALOGUE[KIND].parameters
    plant, row = raw.plant, raw.circuit_row
    nominal = np.array([c.nominal_v for c in plant.circuits], dtype=np.float64)
    rated_a = plant.rated_kw * 1000.0 / (3.0 * nominal * TYPICAL_PF)
    least_a = np.where(np.isfinite(rated_a), LOADED_SHARE * rated_a, LOADED_A)[row]
    low = _phases(raw, "u") < parameters["voltage_share"] * nominal[row][:, np.newaxis]
    known_u = np.isfinite(_phases(raw, "u")).all(axis=1)
    lost_u = known_u & low.any(axis=1) & ~low.all(axis=1)
    current = np.sort(np.abs(_phases(raw, "i")), axis=1)
    others = current[:, 1:].mean(axis=1)
    loaded = np.isfinite(others) & (others >= least_a)
    lost_i = loaded & (current[:, 0] < parameters["current_share"] * others)
    # without currents nobody knows the load: the circuit counts wherever it is energised
    could = np.where(np.isfinite(others), loaded, known_u) | lost_u
    return (lost_u | lost_i) & ~raw.invalid, could


def mark(raw: RawDay) -> list[ConditionSpell]:
    """Spells of the day in which a phase of a circuit was lost."""
    lost, _ = _lost(raw)
    found = []
    for spell in sample_spells(raw, lost):
        rows = raw.rows[spell.part]
        sums = {"known_min": (spell.to_us - spell.from_us) / US_PER_MINUTE}
        for name in ("u_a", "u_b", "u_c", "i_a", "i_b", "i_c"):
            if np.isfinite(rows[name]).any():
                sums[f"{name}_min_sum"] = float(np.nanmean(rows[name])) * sums["known_min"]
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
    lost, loaded = _lost(raw)
    use = raw.today & loaded
    n = len(raw.plant.circuits)
    under_load = np.bincount(raw.circuit_row[use], minlength=n)
    of_these = np.bincount(raw.circuit_row[use & lost], minlength=n)
    return [
        raw.fact(LOAD_FACT, raw.plant.circuits[row].circuit_id, np.array([load, gone]))
        for row, (load, gone) in enumerate(zip(under_load, of_these, strict=True))
        if load
    ]


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
