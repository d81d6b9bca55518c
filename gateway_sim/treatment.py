"""Treatment: when its units run, and what they draw.

A fan follows the demand of its lines - a little before, a while after, through short pauses - but
its power follows its own filter and dampers, not production (measured correlations: −0.2, −0.4).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from gateway_sim.blueprint import Drive, GroupSpec, TreatmentMode, UnitSpec
from gateway_sim.effects import Action, Effect, select, spells_of
from gateway_sim.noise import Floats, Ints, drift, key_of, normal, uniform
from gateway_sim.spells import Mask, Spell, inside, merge

ROTATION_S = 3 * 86_400
ROTATION_OFFSET_S = 2 * 3600  # 10:00 at Asia/Shanghai, when the mechanic is there
SWITCH_OVER_S = 240  # old and new unit run together
DUTY_PERIOD_S = 1200  # of a unit that somebody lets cycle


def demand(group: GroupSpec, key: int, running: Sequence[Spell]) -> list[Spell]:
    """When one line's production wants the group on: led, run on, bridged."""
    if not running:
        return []
    bridged = merge(running, group.bridge_s)
    starts = np.array([start for start, _ in bridged], dtype=np.int64)
    early = uniform(key_of(key, group.name, "start"), starts)
    # keyed by the end: the start of a long chain of spells may lie outside what was asked for
    ends = np.array([end for _, end in bridged], dtype=np.int64)
    late = uniform(key_of(key, group.name, "stop"), ends)
    wanted = []
    for (start, end), before, after in zip(bridged, early, late, strict=True):
        # without a lead the fan starts between 2 min before and 3 min after production
        lag_s = int(180 - 300 * before) if group.lead_s == 0 else -int(group.lead_s * (1 + before))
        wanted.append((start + lag_s, end + int(group.run_on_s * (0.6 + 0.8 * after))))
    return merge(wanted)


def _on_turn(units: int, need: int, at_s: Ints) -> list[Mask]:
    """Which of the units are chosen at each instant: `need` of them, moving on every rotation."""

    def chosen(unit: int, at: Ints) -> Mask:
        turn = (at - ROTATION_OFFSET_S) // ROTATION_S
        return np.asarray((unit - turn) % units < need)

    return [chosen(u, at_s) | chosen(u, at_s - SWITCH_OVER_S) for u in range(units)]


def wanted_units(
    group: GroupSpec, key: int, running: Mapping[str, Sequence[Spell]], at_s: Ints
) -> list[Mask]:
    """Whether each unit of the group is in demand; one bool array per unit."""
    if group.mode is TreatmentMode.ALWAYS:
        return [np.ones(at_s.shape, dtype=np.bool_) for _ in group.units]
    per_line = [
        inside(demand(group, key_of(key, line), running[line]), at_s) for line in group.lines
    ]
    count = np.sum(per_line, axis=0)
    if group.mode is TreatmentMode.LINES:
        return [np.asarray(count > rank) for rank in range(len(group.units))]
    on = np.asarray(count > 0)
    if group.mode is TreatmentMode.SPARE:
        return [on & turn for turn in _on_turn(len(group.units), group.need, at_s)]
    return [on for _ in group.units]


def unit_on(unit: UnitSpec, wanted: Mask, effects: Sequence[Effect], at_s: Ints) -> Mask:
    """Whether the unit really runs: duty cycle and what somebody did to it included."""
    on = wanted
    if unit.duty_s is not None:
        on_s, period_s = unit.duty_s
        on = on & (at_s % period_s < on_s)
    for effect in select(effects, Action.DUTY, unit.circuit_id):
        on = on & (at_s % DUTY_PERIOD_S < effect.amount * DUTY_PERIOD_S)
    forced = spells_of(effects, Action.FORCE_ON, unit.circuit_id)
    if forced:
        on = on | inside(forced, at_s)
    dead = [
        *spells_of(effects, Action.FORCE_OFF, unit.circuit_id),
        *spells_of(effects, Action.RESISTOR, unit.circuit_id),
    ]
    return on & ~inside(dead, at_s) if dead else on


def unit_power(unit: UnitSpec, key: int, on: Mask, at_s: Ints, step_s: int) -> Floats:
    """Mean power [kW] over each step at nominal voltage; shape of `at_s`."""
    own = key_of(key, unit.circuit_id)
    spread = 0.012 if unit.drive is Drive.MOTOR else 0.02
    level = unit.level * (
        1.0
        + unit.wander * drift(key_of(own, "filter"), at_s, 5 * 3600)
        + spread * normal(own, at_s // step_s)
    )
    return np.where(on, unit.rated_kw * np.clip(level, 0.05, 1.1), 0.0)


def scaled(p_kw: Floats, circuit_id: str, effects: Sequence[Effect], at_s: Ints) -> Floats:
    """Power with throttling and slow decline applied."""
    for effect in select(effects, Action.SCALE, circuit_id):
        p_kw = np.where(inside([effect.spell], at_s), p_kw * effect.amount, p_kw)
    for effect in select(effects, Action.RAMP, circuit_id):
        way = np.clip((at_s - effect.from_s) / (effect.to_s - effect.from_s), 0.0, 1.0)
        p_kw = p_kw * (1.0 + (effect.amount - 1.0) * way)
    return p_kw


def following(
    p_kw: Floats,
    circuit_id: str,
    effects: Sequence[Effect],
    running: Sequence[Sequence[Spell]],
    at_s: Ints,
) -> Floats:
    """Power of a unit behind a converter that follows the number of working lines.

    Args:
        p_kw: power with all lines at work.
        circuit_id: of the unit.
        effects: what happened to it.
        running: when each line of its group works.
        at_s: instants [s since 1970].
    """
    for effect in select(effects, Action.FOLLOW_LINES, circuit_id):
        share = np.mean([inside(line, at_s) for line in running], axis=0)
        p_kw = p_kw * (effect.amount + (1.0 - effect.amount) * share)
    return p_kw
