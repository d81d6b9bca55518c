"""Meters: what an honest meter makes of the truth, and what a sick or bribed one does.

A reading at `ts` shows the power that starts there (it holds forward); its register holds the
energy up to `ts`. Registers are whole micro-kWh inside, so that sums are exact in any grouping: a
day computed alone continues the day before to the last digit.
"""

from collections.abc import Sequence

import numpy as np

from gateway_sim.blueprint import MeterSpec
from gateway_sim.effects import Action, Effect, select, spells_of
from gateway_sim.noise import Floats, Ints, drift, key_of, normal
from gateway_sim.spells import Mask, inside
from wattwitness.domain.readings import MEASURANDS

MICRO = 1_000_000  # micro-kWh in a kWh
PHASE_DRIFT = 0.002  # how far a phase's voltage wanders from the mean of the three, relative
Columns = dict[str, Floats]
"""One array per measurand of `wattwitness.domain.readings`; NaN = not measured."""


def energy_micro_kwh(
    meter: MeterSpec, p_kw: Floats, at_s: Ints, step_s: int, effects: Sequence[Effect]
) -> Ints:
    """What the register counts in each step; int64, shape of `p_kw`."""
    counted = p_kw * meter.gain
    for effect in select(effects, Action.REGISTER_SLOW, meter.circuit_id):
        counted = np.where(inside([effect.spell], at_s), counted * effect.amount, counted)
    return np.asarray(np.rint(counted * (step_s / 3600 * MICRO)).astype(np.int64))


def _register_kwh(meter: MeterSpec, micro: Ints, at_s: Ints, effects: Sequence[Effect]) -> Floats:
    digits = 10**meter.register_decimals
    shown = micro // (MICRO // digits) / digits
    for effect in select(effects, Action.REGISTER_BACK, meter.circuit_id):
        shown = np.where(at_s >= effect.from_s, shown - effect.amount, shown)
    for effect in select(effects, Action.REGISTER_ROLL, meter.circuit_id):
        shown = np.where(at_s >= effect.from_s, shown % effect.amount, shown)
    for effect in select(effects, Action.REGISTER_ZERO, meter.circuit_id):
        shown = np.where(inside([effect.spell], at_s), 0.0, shown)
    return np.asarray(np.round(shown, meter.register_decimals))


def _phases(
    meter: MeterSpec,
    p_kw: Floats,
    q_kvar: Floats,
    volts: Floats,
    at_s: Ints,
    effects: Sequence[Effect],
) -> Columns:
    """Voltages to 0.1 V, currents and reactive power with as many digits as the power, PF to 0.01.

    A meter shows what its current transformers let it resolve: 0.1 kW goes with 0.1 A.
    """
    lost: Mask = inside(spells_of(effects, Action.PHASE_LOSS, meter.circuit_id), at_s)
    single = inside(spells_of(effects, Action.SINGLE_PHASE, meter.circuit_id), at_s)
    apparent_kva = np.hypot(p_kw, q_kvar)
    with np.errstate(invalid="ignore", divide="ignore"):
        pf = np.where(apparent_kva > 0, p_kw / apparent_kva, 1.0)
    columns: Columns = {
        "q_kvar": np.round(q_kvar, meter.p_decimals),
        "pf": np.asarray(np.round(pf, 2), dtype=np.float64),
    }
    for phase, imbalance in zip("abc", meter.imbalance, strict=True):
        own = key_of(meter.key, "phase", phase)
        # single-phase loads shift the phases over minutes; the last digit flickers
        share = 0.25 * imbalance + PHASE_DRIFT * drift(own, at_s, 1200) + 0.0003 * normal(own, at_s)
        u_v = meter.nominal_v * volts * (1.0 + share)
        with np.errstate(invalid="ignore", divide="ignore"):
            i_a = np.where(u_v > 0, apparent_kva / 3 * 1000 / u_v, 0.0) * (1.0 + imbalance)
        if phase == "b" and lost.any():  # a blown fuse: the rest carries the load
            u_v = np.where(lost, u_v * 0.06, u_v)
            i_a = np.where(lost, i_a * 0.01, i_a)
        i_a = np.where(single, 3.0 * i_a if phase == "a" else 0.0, i_a)
        columns[f"u_{phase}"] = np.round(u_v, 1)
        columns[f"i_{phase}"] = np.round(i_a, meter.p_decimals)
    return columns


def read(
    meter: MeterSpec,
    p_kw: Floats,
    q_kvar: Floats,
    volts: Floats,
    micro: Ints,
    at_s: Ints,
    effects: Sequence[Effect],
) -> Columns:
    """The meter's readings at `at_s`.

    Args:
        meter: the meter.
        p_kw: mean power from each sample on [kW].
        q_kvar: reactive power [kvar].
        volts: site voltage relative to nominal.
        micro: register up to each sample [micro-kWh].
        at_s: sample instants [s since 1970].
        effects: what happened; only effects on this meter are applied here.
    """
    shown = p_kw * meter.gain * (1.0 + 0.004 * normal(key_of(meter.key, "p"), at_s))
    columns = {name: np.full(at_s.shape, np.nan) for name in MEASURANDS}
    if meter.electrical:
        columns |= _phases(meter, shown, q_kvar * meter.gain, volts, at_s, effects)
    reversed_ct = inside(spells_of(effects, Action.REVERSED, meter.circuit_id), at_s)
    shown = np.where(reversed_ct, -shown, shown)
    for effect in select(effects, Action.SPIKE, meter.circuit_id):
        shown = np.where(inside([effect.spell], at_s), effect.amount, shown)
    for effect in select(effects, Action.COARSE, meter.circuit_id):
        steps = np.rint(shown / effect.amount)
        shown = np.where(inside([effect.spell], at_s), steps * effect.amount, shown)
    columns["p_kw"] = np.round(shown, meter.p_decimals) + 0.0  # no negative zero
    columns["e_kwh"] = _register_kwh(meter, micro, at_s, effects)
    return columns
