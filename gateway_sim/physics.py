"""The truth: what every circuit of a plant really does and draws, before any meter looks.

A pure function of the blueprint, what happened, and the time: asking for a minute alone or as part
of a month gives the same bits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from gateway_sim.blueprint import AuxiliarySpec, Blueprint, Drive
from gateway_sim.effects import Action, Effect, select, spells_of
from gateway_sim.machines import (
    States,
    at_voltage,
    line_spells,
    machine_power,
    machine_states,
    reactive,
)
from gateway_sim.noise import Floats, Ints, drift, key_of, normal
from gateway_sim.spells import Spell, inside, merge
from gateway_sim.treatment import following, scaled, unit_on, unit_power, wanted_units
from wattwitness.domain.instants import DEFAULT_ZONE
from wattwitness.domain.registry import Role
from wattwitness.domain.states import State

SITE_DRIFT = 0.022  # voltage knots an hour apart within ±2.2 %: about 1.7 % within the hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What surrounds a plant: everything that is not the plant itself."""

    effects: tuple[Effect, ...] = ()
    holidays: frozenset[date] = frozenset()
    zone: ZoneInfo = field(default=DEFAULT_ZONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueLoad:
    """Circuits x samples; sample j stands for [at_s[j], at_s[j] + step)."""

    at_s: Ints  # (n,)
    volts: Floats  # (n,) site voltage relative to nominal
    p_kw: Floats  # (circuits, n) mean power that reaches the meter
    q_kvar: Floats  # (circuits, n)
    states: States  # (circuits, n)


@dataclass(slots=True)
class _Part:
    """One consumer, metered or not."""

    p_kw: Floats
    q_kvar: Floats
    states: States


def _grid(span: Spell, step_s: int) -> Ints:
    first = -(-span[0] // step_s) * step_s
    return np.arange(first, span[1], step_s, dtype=np.int64)


def _volts(blueprint: Blueprint, at_s: Ints) -> Floats:
    key = key_of(blueprint.key, "volts")
    daily = 0.008 * np.sin(2 * np.pi * (at_s % 86_400) / 86_400)
    wander = SITE_DRIFT * drift(key, at_s, 3600)
    return np.asarray(1.02 + daily + wander + 0.0012 * normal(key, at_s // blueprint.step_s))


def _production(
    blueprint: Blueprint,
    effects: Sequence[Effect],
    spells: Mapping[str, tuple[list[Spell], list[Spell]]],
    at_s: Ints,
    volts: Floats,
) -> dict[str, _Part]:
    parts = {}
    for machine in blueprint.machines:
        states = machine_states(machine, *spells[machine.line], at_s)
        power = machine_power(machine, blueprint.key, states, at_s, blueprint.step_s)
        power = scaled(power, machine.circuit_id, effects, at_s)
        power = at_voltage(power, machine.drive, volts)
        q_kvar = reactive(power, machine.drive, machine.rated_kw)
        parts[machine.circuit_id] = _Part(power, q_kvar, states)
    return parts


def _treatment(
    blueprint: Blueprint,
    effects: Sequence[Effect],
    spells: Mapping[str, tuple[list[Spell], list[Spell]]],
    at_s: Ints,
    volts: Floats,
) -> dict[str, _Part]:
    parts = {}
    running = {line: spells[line][1] for line in spells}
    for group in blueprint.groups:
        wanted = wanted_units(group, blueprint.key, running, at_s)
        for unit, want in zip(group.units, wanted, strict=True):
            on = unit_on(unit, want, effects, at_s)
            power = scaled(
                unit_power(unit, blueprint.key, on, at_s, blueprint.step_s),
                unit.circuit_id,
                effects,
                at_s,
            )
            of_group = [running[line] for line in group.lines]
            power = following(power, unit.circuit_id, effects, of_group, at_s)
            power = at_voltage(power, unit.drive, volts)
            q_kvar = reactive(power, unit.drive, unit.rated_kw)
            heater = inside(spells_of(effects, Action.RESISTOR, unit.circuit_id), at_s) & want
            if heater.any():
                load = np.full(at_s.shape, unit.rated_kw * unit.level)
                power = np.where(heater, at_voltage(load, Drive.RESISTOR, volts / 1.02), power)
            states = np.where(on, State.RUNNING, State.OFF).astype(np.int8)
            parts[unit.circuit_id] = _Part(power, q_kvar, states)
    return parts


def _auxiliary(
    spec: AuxiliarySpec, key: int, energised: Sequence[Spell], at_s: Ints, step_s: int
) -> _Part:
    own = key_of(key, spec.circuit_id)
    noise = normal(own, at_s // step_s)
    if spec.follows_lines:
        on = inside(energised, at_s)
        share = 0.62 + 0.18 * drift(own, at_s, 600) + 0.05 * noise
        power = np.where(on, spec.rated_kw * share, 0.0)
    else:
        hour = (at_s + 8 * 3600) % 86_400 / 3600  # an office keeps clock hours
        busy = (hour >= 8) & (hour < 18)
        on = np.ones(at_s.shape, dtype=np.bool_)
        power = spec.rated_kw * (np.where(busy, 0.5, 0.12) + 0.03 * noise)
    states = np.where(on, State.RUNNING, State.OFF).astype(np.int8)
    return _Part(np.maximum(power, 0.0), reactive(power, Drive.MOTOR, spec.rated_kw), states)


def _together(parts: Sequence[_Part], base_kw: float = 0.0) -> _Part:
    return _Part(
        np.sum([part.p_kw for part in parts], axis=0) + base_kw,
        np.sum([part.q_kvar for part in parts], axis=0) + 0.25 * base_kw,
        np.max([part.states for part in parts], axis=0),
    )


def true_load(blueprint: Blueprint, around: Circumstances, span: Spell) -> TrueLoad:
    """What the plant really does over `span` [s since 1970]."""
    effects = around.effects
    at_s = _grid(span, blueprint.step_s)
    volts = _volts(blueprint, at_s)
    spells = {
        line.name: line_spells(line, effects, around.holidays, span, around.zone)
        for line in blueprint.lines
    }
    parts = _production(blueprint, effects, spells, at_s, volts)
    parts |= _treatment(blueprint, effects, spells, at_s, volts)
    energised = merge(spell for both in spells.values() for spell in both[0])
    for spec in blueprint.auxiliaries:
        parts[spec.circuit_id] = _auxiliary(spec, blueprint.key, energised, at_s, blueprint.step_s)
    return _at_meters(blueprint, effects, parts, at_s, volts)


def _at_meters(
    blueprint: Blueprint,
    effects: Sequence[Effect],
    parts: Mapping[str, _Part],
    at_s: Ints,
    volts: Floats,
) -> TrueLoad:
    """Consumers → circuits: the main sees all, a diverted sub-meter sees less than there is."""
    feeds = dict(blueprint.combined)
    seen = []
    for circuit in blueprint.circuits:
        if circuit.role is Role.MAIN:
            part = _together(list(parts.values()), blueprint.base_kw)
        elif circuit.circuit_id in feeds:
            part = _together([parts[name] for name in feeds[circuit.circuit_id]])
        else:
            part = parts[circuit.circuit_id]
        for effect in select(effects, Action.DIVERT, circuit.circuit_id):
            kept = np.where(inside([effect.spell], at_s), 1.0 - effect.amount, 1.0)
            part = _Part(part.p_kw * kept, part.q_kvar * kept, part.states)
        seen.append(part)
    p_kw = np.array([part.p_kw for part in seen])
    q_kvar = np.array([part.q_kvar for part in seen])
    states = np.array([part.states for part in seen], dtype=np.int8)
    dead = inside([e.spell for e in effects if e.action is Action.OUTAGE], at_s)
    if dead.any():
        p_kw[:, dead] = q_kvar[:, dead] = 0.0
        states[:, dead] = State.OFF
        volts = np.where(dead, 0.0, volts)
    return TrueLoad(at_s=at_s, volts=volts, p_kw=p_kw, q_kvar=q_kvar, states=states)
