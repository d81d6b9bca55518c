"""`frozen_reading` (读数冻结): all channels of a meter repeat the same values while samples come.

Method: runs of readings in which no measured channel moves, the register included. Where power
flows, the register has to move: five of its steps overdue prove a freeze. Where it does not (no
register, or nothing flows), only a run far longer than the circuit's own lawful runs counts, judged
on the finest channel: whole-kW meters are lawfully constant, voltages of 0.1 V are not. Power alone
counts where the circuit's running power hardly ever repeats a value.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.sample_spells import SampleSpell, no_hole, spell_of
from analytics.detectors.stages import History, RawDay
from analytics.episodes.plain import Joined, join_plain, plain_episode
from analytics.quantiles import linear_quantiles
from wattwitness.domain.episodes import Episode
from wattwitness.domain.facts import DayFact
from wattwitness.domain.instants import US_PER_HOUR, US_PER_MINUTE, from_us
from wattwitness.domain.readings import MEASURANDS
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.spells import ConditionSpell

KIND = "frozen_reading"
LEAST_RUN_MIN = 20.0  # shorter runs are not even kept
LEAST_READINGS = 3
OWN_RUNS = 5  # so many other runs are needed to know what is usual
STILL_FACT = "still_readings"  # per circuit: readings under load, of these as the one before
LOADED_SHARE = 0.5  # of the upper power of the day, or of the running level
LIVELY_SHARE = 0.2  # of its readings under load: who repeats less often is never still for long
LEAST_PAIRS = 200.0
CONFIDENCE_REGISTER, CONFIDENCE_RUN, CONFIDENCE_POWER = 0.96, 0.85, 0.75
_LIVELIEST_FIRST = ("u_a", "u_b", "u_c", "p_kw", "i_a", "i_b", "i_c", "q_kvar", "e_kwh", "pf")


def _repeats(raw: RawDay) -> NDArray[np.intp]:
    """Readings that repeat the one before on every channel, ascending [k]."""
    rows, found = raw.rows, None
    for name in _LIVELIEST_FIRST:  # after the first channels hardly any are left
        if rows.knows(name).any():
            value = rows[name]
            after, before = (
                (value[1:], value[:-1]) if found is None else (value[found], value[found - 1])
            )
            alike = after == before
            if name not in rows.whole:
                alike |= np.isnan(after) & np.isnan(before)
            found = np.flatnonzero(alike) + 1 if found is None else found[alike]
    if found is None:  # nothing is measured at all
        found = np.arange(1, len(rows))
    row = raw.circuit_row
    own: NDArray[np.intp] = found[row[found] == row[found - 1]]
    return own


def raw_facts(raw: RawDay) -> list[DayFact]:
    """How often a circuit's readings under load repeat the one before."""
    power, same = raw.rows["p_kw"], raw.once(_repeats)
    if "p_kw" not in raw.rows.whole:
        power = np.nan_to_num(power)
    upper, read = np.zeros(len(raw.parts)), np.flatnonzero(raw.readings)
    upper[read] = linear_quantiles([power[raw.parts[row]] for row in read.tolist()], 0.95)
    loaded = power > raw.rows.spread(LOADED_SHARE * upper)
    pairs = raw.count(loaded)
    still = np.bincount(
        raw.circuit_row[same[loaded[same] & raw.today[same]]], minlength=len(raw.parts)
    )
    return raw.facts(STILL_FACT, np.stack((pairs, still), axis=1), np.flatnonzero(pairs).tolist())


def _runs(raw: RawDay) -> Iterator[SampleSpell]:
    """Runs of the day in which no channel of a circuit moves, and something is not zero."""
    rows, same = raw.rows, raw.once(_repeats)
    follows = same[raw.today[same - 1] & no_hole(raw, same)]
    cuts = np.flatnonzero(np.diff(follows) != 1) + 1
    firsts = follows[np.concatenate(([0], cuts))] - 1 if len(follows) else follows
    ends = follows[np.concatenate((cuts - 1, [-1]))] + 1 if len(follows) else follows
    row = raw.circuit_row[firsts]
    lasts_us = rows.ts[ends - 1] - rows.ts[firsts] + raw.plant.interval_us[row]
    long = (ends - firsts >= LEAST_READINGS) & (lasts_us >= LEAST_RUN_MIN * US_PER_MINUTE)
    for first, end in zip(firsts[long].tolist(), ends[long].tolist(), strict=True):
        held = {name: rows[name][first] for name in MEASURANDS if name not in {"e_kwh", "pf"}}
        if any(np.isfinite(value) and value != 0.0 for value in held.values()):
            yield spell_of(raw, first, end)


def mark(raw: RawDay) -> list[ConditionSpell]:
    """Runs of the day in which no channel of a circuit moves, and something is not zero."""
    found = []
    for spell in _runs(raw):
        run_min = (spell.to_us - spell.from_us) / US_PER_MINUTE
        if run_min < LEAST_RUN_MIN:
            continue
        circuit = raw.plant.circuits[spell.row]
        held = {name: float(raw.rows[name][spell.first]) for name in MEASURANDS}
        power = abs(held["p_kw"]) if np.isfinite(held["p_kw"]) else 0.0
        hours = (int(raw.rows.ts[spell.end - 1]) - spell.from_us) / US_PER_HOUR
        sums = {"known_min": run_min, "power_kw_min": power * run_min}
        if np.isfinite(held["e_kwh"]):
            sums["overdue_steps"] = power * hours / circuit.register_resolution_kwh
        fine = any(np.isfinite(held[name]) and held[name] != 0 for name in ("u_a", "i_a"))
        sums["fine_min"] = run_min * fine
        found.append(
            ConditionSpell(
                enterprise_id=raw.plant.enterprise_id,
                kind=KIND,
                subject=circuit.circuit_id,
                from_=from_us(spell.from_us),
                to=from_us(spell.to_us),
                sums={name: round(value, 6) for name, value in sums.items()},
            )
        )
    return found


def is_proven(spell: ConditionSpell) -> bool:
    """Whether one run of a day is a freeze already by itself: the register should have moved."""
    parameters = CATALOGUE[KIND].parameters
    overdue = spell.sums.get("overdue_steps", 0.0) >= parameters["register_steps"]
    return overdue and spell.sums["known_min"] >= parameters["episode_min"]


def _by_register(joined: Joined) -> bool:
    steps = CATALOGUE[KIND].parameters["register_steps"]
    return joined.total("overdue_steps") >= steps


def is_lively(history: History, circuit_id: str, known_min: float = 0.0) -> bool:
    """Whether a circuit's running power hardly ever repeats a value.

    Args:
        history: of the enterprise.
        circuit_id: of the circuit.
        known_min: of its readings under load, how many minutes not to count.
    """
    table = history.facts_of(STILL_FACT, circuit_id)
    if not table.days:
        return False
    own = known_min * 60.0 / history.plant.intervals_s[history.plant.row[circuit_id]]
    pairs, still = (float(x) - own for x in table.values.sum(axis=0))
    return pairs >= LEAST_PAIRS and still <= LIVELY_SHARE * pairs


def _loaded(history: History, joined: Joined) -> bool:
    """Whether a run stands at a power at which the circuit works."""
    level = history.thresholds.get(joined.spells[0].subject)
    power = joined.total("power_kw_min") / joined.total("known_min")
    return level is not None and power >= LOADED_SHARE * level.running_level_kw


def _own_limit_min(joined: Joined, runs: Sequence[Joined]) -> float:
    """What the circuit's other runs allow [min]; infinite where they are too few to say."""
    parameters = CATALOGUE[KIND].parameters
    fine = joined.total("fine_min") > 0
    others = [r.minutes for r in runs if r is not joined and (r.total("fine_min") > 0) == fine]
    if fine and len(others) < OWN_RUNS:  # voltages never stand still: there is nothing to learn
        return parameters["fine_run_min"]
    if len(others) < OWN_RUNS:
        return float("inf")
    usual = float(np.quantile(others, 0.9))
    return max(parameters["fine_run_min"], parameters["run_factor"] * usual)


def episodes(history: History) -> list[Episode]:
    """Freezes of single circuits, oldest first."""
    parameters = CATALOGUE[KIND].parameters
    found = []
    for circuit_id in history.subjects_of(KIND):
        if circuit_id not in history.plant.row:
            continue
        runs = join_plain(history.spells_of(KIND, circuit_id), 0.0)
        for joined in runs:
            proven = _by_register(joined)
            limit = parameters["episode_min"] if proven else _own_limit_min(joined, runs)
            by_power = not np.isfinite(limit) and _loaded(history, joined)
            if by_power and is_lively(history, circuit_id, joined.total("known_min")):
                limit = parameters["fine_run_min"]
            if joined.minutes < max(limit, parameters["episode_min"]):
                continue
            minutes = joined.total("known_min")
            numbers: dict[str, tuple[float | str, str]] = {
                "minutes": (minutes, "min"),
                "power": (joined.total("power_kw_min") / minutes, "kW"),
            }
            if joined.has("overdue_steps"):
                numbers["register_steps_overdue"] = (joined.total("overdue_steps"), "")
            confidence = CONFIDENCE_REGISTER if proven else CONFIDENCE_RUN
            if by_power:
                confidence = CONFIDENCE_POWER
            after = min(joined.minutes, max(limit, parameters["episode_min"]))
            found.append(
                plain_episode(history, KIND, joined, (circuit_id,), after, numbers, confidence)
            )
    return found
