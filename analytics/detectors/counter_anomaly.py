"""`counter_anomaly` (电能表计数异常): the register rolls back, jumps, or disagrees with the power.

Method, step by step over the sound registers of a circuit:

- a step down that lasts (a momentary zero comes back and is a mark, not an episode) and is no
  roll-over of the digits (10^k) or of a binary counter; one to almost nothing may be a new meter:
  after minutes of silence it is one, without silence it is told with less confidence;
- a step up of more than the circuit can have used in the time since the last one: by its
  nameplate, by the power measured beside it, and by its neighbours, for a load counts step after
  step and a jump stands alone;
- hour by hour, the steps of the register against the integral of power over the same readings,
  where power is sampled at least once a minute: a difference of more than 10 %. Hours that cannot
  be compared (nights) do not end such a spell, sound ones do.

Hours in which nothing moves at all belong to `frozen_reading`.
"""

from collections.abc import Mapping
from datetime import timedelta

from analytics.detectors.register_hours import hour_spells, joined_hours
from analytics.detectors.register_screen import suspects
from analytics.detectors.register_steps import KIND, registers, sudden_spells
from analytics.detectors.stages import History, RawDay
from analytics.episodes.plain import Joined, join_plain, plain_episode
from wattwitness.domain.episodes import Episode
from wattwitness.domain.spells import ConditionSpell

EXCHANGE_MIN = 5.0  # without readings, at least, while a meter is exchanged
CLOCK_HOURS = 3.0  # at the running level: what a clock that is set may add or take
AT_ONCE = timedelta(minutes=3)
RENEWED_SHARE = 0.02  # of the register before: what a new meter may show when it is read first
CONFIDENCE_STEP, CONFIDENCE_ENERGY, CONFIDENCE_RENEWED = 0.95, 0.9, 0.6


def mark(raw: RawDay) -> list[ConditionSpell]:
    """Everything of the day that the register cannot have counted."""
    found: list[ConditionSpell] = []
    for steps in registers(raw, suspects(raw).tolist()):
        found += sudden_spells(raw, steps)
        found += hour_spells(raw, steps)
    return found


def _renewed(sums: Mapping[str, float]) -> bool:
    """Whether a register that went back begins almost at nothing, as that of a new meter does."""
    return "back_kwh" in sums and sums["after_kwh"] <= RENEWED_SHARE * sums["before_kwh"]


def _exchanged(spell: ConditionSpell) -> bool:
    """Whether a meter was exchanged: silence for as long as that takes, then a new register."""
    return _renewed(spell.sums) and spell.sums["silent_min"] >= EXCHANGE_MIN


def _small(history: History, spell: ConditionSpell) -> bool:
    """Whether a step is no more than the circuit uses while a clock is wrong."""
    level = history.thresholds.get(spell.subject)
    step_kwh = spell.sums.get("back_kwh", 0.0) + spell.sums.get("jump_kwh", 0.0)
    return level is not None and step_kwh <= CLOCK_HOURS * level.running_level_kw


def _clock_was_set(history: History, spell: ConditionSpell) -> bool:
    """Whether the registers of most circuits of the gateway step at once, each by a little.

    Who sets a clock shifts the time under all registers; nobody resets them all to the hour before.
    """
    circuits = history.plant.circuits
    gateway = circuits[history.plant.row[spell.subject]].gateway_id
    own = [c.circuit_id for c in circuits if c.gateway_id == gateway]
    together = 0
    for circuit_id in own:
        near = (s for s in history.spells_of(KIND, circuit_id) if "power_kwh" not in s.sums)
        together += any(abs(s.from_ - spell.from_) <= AT_ONCE and _small(history, s) for s in near)
    return together >= max(2, len(own) // 2) and _small(history, spell)


def _step_confidence(joined: Joined) -> float:
    return CONFIDENCE_RENEWED if _renewed(joined.spells[0].sums) else CONFIDENCE_STEP


def _numbers(joined: Joined) -> dict[str, tuple[float | str, str]]:
    numbers: dict[str, tuple[float | str, str]] = {}
    for name, says in (("back_kwh", "rolled_back"), ("jump_kwh", "jumped")):
        if joined.has(name):
            first = next(spell.sums for spell in joined.spells if name in spell.sums)
            numbers[says] = (first[name], "kWh")
            numbers["register_before"] = (first["before_kwh"], "kWh")
            numbers["register_after"] = (first["after_kwh"], "kWh")
            if _renewed(first):
                numbers["looks_like"] = ("replaced_meter", "")
    if joined.has("power_kwh"):
        power, counted = joined.total("power_kwh"), joined.total("register_kwh")
        numbers["energy_of_power"] = (power, "kWh")
        numbers["energy_of_register"] = (counted, "kWh")
        if power > 0:
            numbers["register_share"] = (100.0 * counted / power, "%")
    return numbers


def episodes(history: History) -> list[Episode]:
    """Sudden steps each for itself; hours that follow each other as one."""
    found = []
    for circuit_id in history.subjects_of(KIND):
        if circuit_id not in history.plant.row:
            continue
        spells = history.spells_of(KIND, circuit_id)
        sudden = [s for s in spells if "power_kwh" not in s.sums and not _exchanged(s)]
        hourly = [s for s in spells if "power_kwh" in s.sums]
        sudden = [s for s in sudden if not _clock_was_set(history, s)]
        parts = [(joined, 0.0, _step_confidence(joined)) for joined in join_plain(sudden, 0.0)]
        parts += [(joined, 60.0, CONFIDENCE_ENERGY) for joined in joined_hours(hourly)]
        found += [
            plain_episode(history, KIND, joined, (circuit_id,), after, _numbers(joined), confidence)
            for joined, after, confidence in parts
        ]
    return found
