"""`treatment_dummy_load` (治污假负载): the power is right, the physics are not.

A heater in place of a fan is invisible in kW. It differs in what a motor cannot do: its power
factor is one, its power follows the square of the voltage, its phases are balanced otherwise.
Method: block by block the unit's power factor (measured, or from P and Q, or from P, U and I), the
imbalance of its currents, and the sums of a regression of ln P on ln U, against its own reference.
Only a unit whose reference differs from a resistor can be told from one.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from analytics.columns import Columns
from analytics.detectors.stages import History, RawDay
from analytics.detectors.unit_physics import Physics
from analytics.episodes.declared import BlockPart, accepted, block_parts, covers_unit
from analytics.episodes.plain import evidence_of
from analytics.pairing.blocks import block_instants_us
from analytics.quantiles import linear_quantiles
from analytics.references import reference_period
from wattwitness.domain.episodes import Episode
from wattwitness.domain.facts import BLOCK_MIN, BLOCKS, DayFact
from wattwitness.domain.instants import US_PER_MINUTE, from_us
from wattwitness.domain.registry import Pairing, Role
from wattwitness.domain.rules import CATALOGUE, RULE_VERSION

KIND = "treatment_dummy_load"
PHYSICS_FACT = "unit_physics"  # per treatment circuit, five times [96]: mean kW, power factor,
#                                imbalance of currents, Σ dlnU², Σ dlnU·dlnP
LEAST_READINGS = 3  # of a block; fewer where the interval is longer
WORKING_SHARE = 0.3  # of the day's upper power: below, the unit is not working
UNIT_SHARE = 0.4  # of its reference: a block with less says nothing about the unit


def _power_factor(rows: Columns, own: NDArray[np.intp]) -> NDArray[np.float64]:
    """Measured, or from P and Q, or from P, U and I; NaN where none is possible [len(own)]."""
    measured = np.abs(rows["pf"][own])
    if np.isfinite(measured).all():
        return measured
    power = rows["p_kw"][own]
    with np.errstate(invalid="ignore", divide="ignore"):
        from_q = power / np.hypot(power, rows["q_kvar"][own])
        volt_ampere = sum(rows[f"u_{k}"][own] * rows[f"i_{k}"][own] for k in "abc")
        from_i = np.where(volt_ampere > 0, power * 1000.0 / volt_ampere, np.nan)
    found = np.where(np.isfinite(measured), measured, from_q)
    return np.asarray(np.where(np.isfinite(found), found, np.minimum(from_i, 1.0)))


def _log_voltage(rows: Columns, own: NDArray[np.intp]) -> NDArray[np.float64]:
    """Logarithm of the mean voltage; NaN where a phase is not measured [len(own)]."""
    if not rows.knows("u_a").any():  # logarithms of NaN are slow
        return np.full(len(own), np.nan)
    voltage: NDArray[np.float64] = np.take(rows.phases("u"), own, axis=1).mean(axis=0)
    return np.log(voltage)


def _imbalance(rows: Columns, own: NDArray[np.intp]) -> NDArray[np.float64]:
    """Largest deviation of a phase current from their mean, relative [len(own)]."""
    if not rows.knows("i_a").any():
        return np.full(len(own), np.nan)
    current = np.abs(np.take(rows.phases("i"), own, axis=1))
    mean = current.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.abs(current - mean).max(axis=0) / mean
    return np.asarray(np.where(mean > 0, spread, np.nan))


def _working(raw: RawDay) -> dict[int, NDArray[np.intp]]:
    """Row of each treatment unit that works today → the readings at which it does."""
    power, drawing = raw.rows["p_kw"], {}
    for row in raw.plant.rows_of(Role.TREATMENT):
        part = raw.parts[row]
        own = part.start + np.flatnonzero((power[part] > 0) & ~raw.invalid[part])
        if len(own):
            drawing[row] = own
    drawn = [power[own] for own in drawing.values()]
    least = WORKING_SHARE * linear_quantiles(drawn, 0.9)
    found = zip(drawing.items(), drawn, least.tolist(), strict=True)
    return {row: own[kw >= enough] for (row, own), kw, enough in found}


def raw_facts(raw: RawDay) -> list[DayFact]:
    """Physics of every treatment unit while it draws power."""
    working, rows = _working(raw), raw.rows
    if not working:
        return []
    units, own = list(working), np.concatenate(list(working.values()))
    unit = np.repeat(np.arange(len(units)), [len(readings) for readings in working.values()])
    cell = unit * BLOCKS + raw.block[own]

    def sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.bincount(cell, weights=values, minlength=len(units) * BLOCKS)
        return found.astype(np.float64)

    fit = BLOCK_MIN * US_PER_MINUTE // raw.plant.interval_us[units]
    least = np.repeat(np.clip(fit, 1, LEAST_READINGS), BLOCKS)
    count = np.bincount(cell, minlength=len(units) * BLOCKS)
    power = rows["p_kw"][own]
    with np.errstate(invalid="ignore", divide="ignore"):
        enough = np.where(count >= least, count, np.nan)
        ln_p, ln_u = np.log(power), _log_voltage(rows, own)
        mean_u, mean_p = sums(ln_u) / enough, sums(ln_p) / enough
        columns = np.stack(
            [
                sums(power) / enough,
                sums(_power_factor(rows, own)) / enough,
                sums(_imbalance(rows, own)) / enough,
                sums(ln_u**2) - enough * mean_u**2,
                sums(ln_u * ln_p) - enough * mean_u * mean_p,
            ]
        ).reshape(5, len(units), BLOCKS)
    return [
        raw.fact(PHYSICS_FACT, raw.plant.circuits[row].circuit_id, columns[:, k].ravel())
        for k, row in enumerate(units)
    ]


def _unit(history: History, circuit_id: str) -> Physics | None:
    table = history.facts_of(PHYSICS_FACT, circuit_id)
    period = reference_period(history, table.days)
    return None if period is None else Physics(table, period)


def _episode(
    history: History,
    pairing: Pairing,
    circuit_id: str,
    unit: Physics,
    part: NDArray[np.intp],
    piece: BlockPart,
) -> Episode:
    numbers: dict[str, tuple[float | str, str]] = {
        "treatment_mean": (float(unit.kw[part].mean()), "kW"),
        "known_minutes": (float(len(part) * BLOCK_MIN), "min"),
        "reference": (unit.period.basis, ""),
    }
    for name, values in (
        ("power_factor", unit.pf),
        ("voltage_exponent", unit.exponent),
        ("current_imbalance", unit.imbalance),
    ):
        if np.isfinite(values[part]).any():
            numbers[name] = (float(np.nanmedian(values[part])), "")
            numbers[f"{name}_reference"] = (unit.usual(values), "")
    least = int(CATALOGUE[KIND].parameters["episode_min"] / BLOCK_MIN)
    full = unit.number[part[min(least, len(part)) - 1]]
    told_us = int(block_instants_us(np.array([full]), history.plant.zone)[0])
    told = from_us(told_us + BLOCK_MIN * US_PER_MINUTE)
    return Episode(
        enterprise_id=history.plant.enterprise_id,
        kind=KIND,
        from_=piece.from_,
        to=piece.to,
        detected_at=min(told, piece.to),
        circuits=(circuit_id,),
        pairing_id=pairing.pairing_id,
        confidence=(0.95 if unit.tells_by_pf else 0.8) - (0.0 if unit.period.verified else 0.03),
        evidence=evidence_of({k: v for k, v in numbers.items() if v[0] == v[0]}),
        rule_version=RULE_VERSION,
        suppressed_by=piece.declaration_id,
    )


def is_readable(history: History, circuit_id: str) -> bool:
    """Whether a unit's own physics differ from a resistor's in anything that is measured."""
    unit = history.once(_unit, circuit_id)
    return unit is not None and unit.is_readable


def _stretches(unit: Physics) -> Iterator[NDArray[np.intp]]:
    """Positions of blocks that speak for a resistor and follow each other.

    Blocks that say nothing (the unit was switched in them) are passed over, and so is a single one
    that says otherwise: readings of many minutes mix what was before a switch with what came after.
    """
    if unit.is_motor:
        return
    bridge = CATALOGUE[KIND].parameters["bridge_hours"] * 4
    enough_kw = UNIT_SHARE * unit.usual(unit.kw)
    judged = np.flatnonzero((unit.votes[1] >= 1) & (unit.kw >= enough_kw))
    dummy = unit.speaks()[judged]
    if not dummy.any():
        return
    between = dummy.copy()
    between[1:-1] |= dummy[:-2] & dummy[2:]
    breaks = np.flatnonzero(np.diff(unit.number[judged]) > bridge) + 1
    flips = np.flatnonzero(np.diff(between.astype(np.int8))) + 1
    for part in np.split(np.arange(len(judged)), np.union1d(breaks, flips)):
        if between[part[0]]:
            yield judged[part[dummy[part]]]


def _of_unit(history: History, pairing: Pairing, circuit_id: str) -> list[Episode]:
    parameters = CATALOGUE[KIND].parameters
    unit = history.once(_unit, circuit_id)
    if unit is None:
        return []
    found = []
    valid = accepted(history.plant, lambda d: covers_unit(d, pairing, circuit_id))
    for part in _stretches(unit):
        begins = block_instants_us(unit.number[part], history.plant.zone)
        found += [
            _episode(history, pairing, circuit_id, unit, part[piece.blocks], piece)
            for piece in block_parts(valid, begins, BLOCK_MIN * US_PER_MINUTE)
            if len(piece.blocks) * BLOCK_MIN >= parameters["episode_min"]
        ]
    return found


def episodes(history: History) -> list[Episode]:
    """Dummy loads of all units, each unit once."""
    found: dict[str, list[Episode]] = {}
    for pairing in history.plant.pairings:
        for circuit_id in pairing.treatment:
            if circuit_id not in found and circuit_id in history.plant.row:
                found[circuit_id] = _of_unit(history, pairing, circuit_id)
    return [episode for own in found.values() for episode in own]
