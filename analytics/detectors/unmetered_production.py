"""`unmetered_production` (生产用电未接入监测): the main meter sees more than its sub-meters.

Method: mean of main − Σ sub-meters over blocks of 15 minutes in which all of them are known,
against the band of the reference: the upper 1 % of the reference's own residuals plus a margin for
meter errors that grow with the load. A small load that stays shows in means over hours instead,
whose own band is much narrower. Or the sub-meters see more than the main: Σ > 1.03 × main. Blocks
in which the unmetered load rests (nights) are bridged.
"""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import History, JudgedDay
from analytics.episodes.declared import BlockPart, accepted, block_parts
from analytics.episodes.plain import evidence_of
from analytics.pairing.blocks import block_instants_us, block_means
from analytics.plants import Plant
from analytics.references import Period, reference_period, within
from wattwitness.domain.episodes import Episode
from wattwitness.domain.facts import BLOCK_MIN, BLOCKS, DayFact
from wattwitness.domain.instants import US_PER_MINUTE
from wattwitness.domain.registry import Role
from wattwitness.domain.rules import CATALOGUE, RULE_VERSION

KIND = "unmetered_production"
MAIN_FACT = "main_balance"  # per main: mean kW of main [96], of all its sub-meters [96]
LEAST_BLOCKS = 48
LONG_BLOCKS = 17  # in a mean over hours, the block in the middle
LEAST_LONG_BLOCKS = 192
MOST_SLOPE = 0.2  # of the residual against the main meter
EPISODE = timedelta(minutes=CATALOGUE[KIND].parameters["episode_min"])


def children(plant: Plant, main_id: str) -> list[str]:
    """Sub-meters of a main; all other circuits where no parent is registered and it is the one."""
    own = [c.circuit_id for c in plant.circuits if c.parent_circuit_id == main_id]
    if own:
        return own
    parents = any(c.parent_circuit_id for c in plant.circuits)
    mains = plant.rows_of(Role.MAIN)
    if parents or len(mains) != 1:
        return []
    return [c.circuit_id for c in plant.circuits if c.role is not Role.MAIN]


def facts(judged: JudgedDay) -> list[DayFact]:
    """Block means of every main and of its sub-meters, where all are known."""
    found = []
    for row in judged.plant.rows_of(Role.MAIN):
        main_id = judged.plant.circuits[row].circuit_id
        subs = judged.plant.rows(children(judged.plant, main_id))
        if not subs:
            continue
        power = judged.power[subs]
        known = np.isfinite(power).all(axis=0) & np.isfinite(judged.power[row])
        if not known[judged.skip :].any():
            continue
        main = block_means(judged.power[row], known, judged.skip)
        total = block_means(power.sum(axis=0, dtype=np.float64), known, judged.skip)
        found.append(judged.fact(MAIN_FACT, main_id, np.concatenate((main, total))))
    return found


def _excess(
    main: NDArray[np.float64], subs: NDArray[np.float64], reference: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], float] | None:
    """Residual beyond the band [kW], and the usual residual; None without enough reference.

    Args:
        main: block means of the main meter [n].
        subs: of all its sub-meters together [n].
        reference: blocks of the reference period [n].
    """
    parameters = CATALOGUE[KIND].parameters
    residual = main - subs
    own = residual[reference]
    if len(own) < LEAST_BLOCKS:
        return None
    usual = float(np.median(own))
    margin = parameters["margin_share"] * np.maximum(main, 0.0) + parameters["margin_kw"]
    upper = float(np.quantile(own, 0.99))
    over = np.maximum(residual - upper - margin, _long_excess(main, residual, reference))
    # the sub-meters together see more than the main, and more than they did in the reference
    low = float(np.quantile(own, 0.01))
    most = parameters["sum_share"]
    under = np.where(subs > most * np.maximum(main, 0.0), np.minimum(low, 0.0) - residual, -1.0)
    under = under - margin
    return np.maximum(over, under), usual


def _slope(main: NDArray[np.float64], residual: NDArray[np.float64]) -> float:
    """How the residual of the reference grows with the load (errors of meters, losses)."""
    high = main > np.median(main)
    if not high.any():
        return 0.0
    rise = float(np.median(main[high]) - np.median(main[~high]))
    step = float(np.median(residual[high]) - np.median(residual[~high]))
    return float(np.clip(step / rise, 0.0, MOST_SLOPE)) if rise > 0 else 0.0


def _long_excess(
    main: NDArray[np.float64], residual: NDArray[np.float64], reference: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Means over hours of the residual beyond anything that they were in the reference [kW].

    As it is, and without what grows with the load: whichever says less.

    Args:
        main: block means of the main meter [n].
        residual: main − Σ sub-meters [n].
        reference: blocks of the reference period [n].
    """
    if reference.sum() < LEAST_LONG_BLOCKS:
        return np.full(residual.shape, -1.0)
    parameters = CATALOGUE[KIND].parameters
    usual_kw = float(np.quantile(main[reference], 0.9))  # a lamp at night is no production
    margin = parameters["long_margin_share"] * max(usual_kw, 0.0) + parameters["margin_kw"]
    kernel = np.ones(LONG_BLOCKS) / LONG_BLOCKS
    found = np.full(residual.shape, np.inf)
    for slope in (0.0, _slope(main[reference], residual[reference])):
        rest = residual - slope * main
        mean = np.convolve(np.pad(rest, LONG_BLOCKS // 2, mode="edge"), kernel, mode="valid")
        excess = mean - float(mean[reference].max()) - margin
        shows = rest > float(np.median(rest[reference])) + margin  # the block itself does
        found = np.minimum(found, np.where(shows, excess, -1.0))
    return found


def _stretches(
    number: NDArray[np.int64], excess: NDArray[np.float64]
) -> Iterator[NDArray[np.intp]]:
    """Positions of blocks beyond the band that belong together."""
    parameters = CATALOGUE[KIND].parameters
    beyond = np.flatnonzero(excess > 0)
    if not len(beyond):
        return
    # single blocks are edges between two states of a machine, met by meters at different instants
    lonely = np.ones(len(beyond), dtype=np.bool_)
    near = np.diff(number[beyond]) <= 2
    lonely[1:] &= ~near
    lonely[:-1] &= ~near
    beyond = beyond[~lonely]
    cuts = np.flatnonzero(np.diff(number[beyond]) > parameters["bridge_hours"] * 4) + 1
    for part in np.split(beyond, cuts):
        if len(part) * BLOCK_MIN >= parameters["episode_min"]:
            yield part


def _of_main(history: History, main_id: str) -> list[Episode]:
    table = history.facts_of(MAIN_FACT, main_id)
    period = reference_period(history, table.days)
    if period is None:
        return []
    number = table.blocks
    values = table.values.astype(np.float64)
    main, subs = values[:, :BLOCKS].ravel(), values[:, BLOCKS:].ravel()
    known = np.isfinite(main)
    number, main, subs = number[known], main[known], subs[known]
    inside = np.repeat(within(table, period), BLOCKS)[known]
    found = _excess(main, subs, inside)
    if found is None:
        return []
    excess, usual = found
    circuits = (main_id, *children(history.plant, main_id))
    valid = accepted(history.plant, lambda d: all(d.covers(c) for c in circuits))
    zone, length_us = history.plant.zone, BLOCK_MIN * US_PER_MINUTE
    return [
        _episode(
            history,
            main_id,
            period,
            piece,
            main[part][piece.blocks],
            subs[part][piece.blocks],
            usual,
        )
        for part in _stretches(number, excess)
        for piece in block_parts(valid, block_instants_us(number[part], zone), length_us)
        if len(piece.blocks) * BLOCK_MIN >= CATALOGUE[KIND].parameters["episode_min"]
    ]


def _episode(
    history: History,
    main_id: str,
    period: Period,
    piece: BlockPart,
    main: NDArray[np.float64],
    subs: NDArray[np.float64],
    usual_kw: float,
) -> Episode:
    told = min(piece.from_ + EPISODE, piece.to)
    residual = float((main - subs).mean())
    share = abs(residual - usual_kw) / max(float(main.mean()), 1e-9)
    confidence = 0.8 + 0.15 * min(1.0, share / 0.15)
    circuits = (main_id, *children(history.plant, main_id))
    return Episode(
        enterprise_id=history.plant.enterprise_id,
        kind=KIND,
        from_=piece.from_,
        to=piece.to,
        detected_at=told,
        circuits=circuits,
        pairing_id=None,
        confidence=round(confidence - (0.0 if period.verified else 0.05), 3),
        evidence=evidence_of(
            {
                "main_mean": (float(main.mean()), "kW"),
                "sub_meters_mean": (float(subs.mean()), "kW"),
                "residual_mean": (residual, "kW"),
                "usual_residual": (usual_kw, "kW"),
                "known_minutes": (float(len(main) * BLOCK_MIN), "min"),
                "reference": (period.basis, ""),
            }
        ),
        rule_version=RULE_VERSION,
        suppressed_by=piece.declaration_id,
    )


def episodes(history: History) -> list[Episode]:
    """One per stretch and main meter."""
    mains = [history.plant.circuits[row].circuit_id for row in history.plant.rows_of(Role.MAIN)]
    return [episode for main_id in mains for episode in _of_main(history, main_id)]
