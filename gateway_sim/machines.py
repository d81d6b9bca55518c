"""Production: what a line does, and what its machines draw.

Powers are mean kW over [t, t + step). Off is (nearly) nothing, standby is the machine's own no-load
share, running wanders around its typical load and never comes near the no-load level.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gateway_sim.blueprint import Drive, LineSpec, MachineSpec
from gateway_sim.effects import Action, Effect, spells_of
from gateway_sim.noise import Floats, Ints, drift, key_of, normal
from gateway_sim.schedule import line_day
from gateway_sim.spells import Spell, inside, merge, subtract
from wattwitness.domain.instants import day_bounds, from_us, local_day, to_us
from wattwitness.domain.states import State

States = NDArray[np.int8]
"""Values of `wattwitness.domain.states.State`."""

LOWEST_RUNNING_OVER_NO_LOAD = 2.5


def local_days(from_s: int, to_s: int, zone: ZoneInfo) -> list[date]:
    """Local days that [from_s, to_s) touches, and one more on each side."""
    first = local_day(from_us(from_s * 1_000_000), zone) - timedelta(days=1)
    last = local_day(from_us(to_s * 1_000_000), zone) + timedelta(days=1)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def midnight_s(day: date, zone: ZoneInfo) -> int:
    """The start of a local day [s since 1970]."""
    return to_us(day_bounds(day, zone)[0]) // 1_000_000


def line_spells(
    line: LineSpec,
    effects: Sequence[Effect],
    holidays: frozenset[date],
    span: Spell,
    zone: ZoneInfo,
) -> tuple[list[Spell], list[Spell]]:
    """(energised, running) spells of a line around `span`, with what happened to it applied.

    Spells reach to the whole local days around the span; their ends there are artefacts.
    """
    energised: list[Spell] = []
    running: list[Spell] = []
    for day in local_days(*span, zone):
        drawn = line_day(line.pattern, line.key, day, closed=day in holidays)
        at = midnight_s(day, zone)
        energised += [(at + a, at + b) for a, b in drawn.energised]
        running += [(at + a, at + b) for a, b in drawn.running]
    forced = spells_of(effects, Action.LINE_RUN, line.name)
    idle = spells_of(effects, Action.LINE_IDLE, line.name)
    stopped = spells_of(effects, Action.LINE_STOP, line.name)
    return (
        subtract(merge(energised + forced + idle), stopped),
        subtract(merge(running + forced), stopped + idle),
    )


def machine_states(
    machine: MachineSpec, energised: Sequence[Spell], running: Sequence[Spell], at_s: Ints
) -> States:
    """State of the machine at each instant; int8, shape of `at_s`."""
    shifted = at_s - machine.offset_s
    states = np.full(at_s.shape, State.OFF, dtype=np.int8)
    states[inside(energised, shifted)] = State.STANDBY
    states[inside(running, shifted)] = State.RUNNING
    return states


def machine_power(
    machine: MachineSpec, key: int, states: States, at_s: Ints, step_s: int
) -> Floats:
    """Mean power [kW] over each step at nominal voltage; shape of `at_s`."""
    own = key_of(key, machine.circuit_id)
    ripple = normal(own, at_s // step_s)
    slow = drift(key_of(own, "swing"), at_s, 1500) + 0.5 * drift(key_of(own, "job"), at_s, 9 * 3600)
    load = machine.load * (1.0 + machine.swing * slow + machine.ripple * ripple)
    lowest = machine.no_load * LOWEST_RUNNING_OVER_NO_LOAD
    running = np.clip(load, lowest, 1.08)
    idle = machine.no_load * (1.0 + 0.03 * ripple)
    share = np.where(states == State.RUNNING, running, np.where(states == State.STANDBY, idle, 0.0))
    return machine.rated_kw * share


def at_voltage(p_kw: Floats, drive: Drive, volts: Floats) -> Floats:
    """Power at the site's voltage (relative to nominal).

    A heater follows V²; a motor's shaft power hardly cares (exponent about 0.15); a converter not
    at all.
    """
    exponent = {Drive.RESISTOR: 2.0, Drive.MOTOR: 0.15, Drive.VFD: 0.0}[drive]
    return p_kw * volts**exponent if exponent else p_kw


def reactive(p_kw: Floats, drive: Drive, rated_kw: float) -> Floats:
    """Reactive power [kvar].

    An induction motor draws its magnetising power at any load (PF 0.1–0.3 idle, 0.85–0.9 at full
    load); a converter keeps PF near 0.96; a heater has none.
    """
    if drive is Drive.RESISTOR:
        return np.zeros_like(p_kw)
    if drive is Drive.VFD:
        return p_kw * 0.29
    on = p_kw > 0
    return np.where(on, rated_kw * (0.26 + 0.24 * (p_kw / rated_kw) ** 2), 0.0)
