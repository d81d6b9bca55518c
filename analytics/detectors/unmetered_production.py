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
from analytics.quantiles import is_at_least, median, quantile
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
ROUNDING_KW = 1e-9
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
    plant, kw = judged.plant, judged.known_kw
    mains = [
        (row, subs)
        for row in plant.rows_of(Role.MAIN)
        if (subs := plant.rows(children(plant, plant.circuits[row].circuit_id)))
    ]
    if not mains:
        return []
    known = np.stack([judged.known_all([row, *subs]) for row, subs in mains])
    both = np.stack([(kw[row], kw[subs].sum(axis=0)) for row, subs in mains])
    means = block_means(both, known[:, np.newaxis], judged.skip)
    return [
        judged.fact(MAIN_FACT, plant.circuits[row].circuit_id, own.ravel())
        for (row, _), own, seen in zip(mains, means, known, strict=True)
        if seen[judged.skip :].any()
    ]


def _beyond(
    main: NDArray[np.float64], subs: NDArray[np.float64], reference: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], float] | None:
    """Which blocks lie beyond the band, and, if any do, the usual residual [kW].

    None without enough reference.

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
    positive = np.maximum(main, 0.0)
    margin = parameters["margin_share"] * positive + parameters["margin_kw"]
    found = _long_beyond(main, residual, reference)
    if not is_at_least(own, 0.99, float((residual - margin).max()) + ROUNDING_KW):
        found |= residual - quantile(own, 0.99) - margin > 0
    # the sub-meters together see more than the main, and more than they did in the reference
    heavy = subs > parameters["sum_share"] * positive
    if heavy.any():
        found |= heavy & (min(quantile(own, 0.01), 0.0) - residual - margin > 0)
    return found, median(own) if found.any() else 0.0


def _slope(main: NDArray[np.float64], residual: NDArray[np.float64]) -> float:
    """How the residual of the reference grows with the load (errors of meters, losses)."""
    high = main > median(main)
    if not high.any():
        return 0.0
    rise = median(main[high]) - median(main[~high])
    step = median(residual[high]) - median(residual[~high])
    return float(np.clip(step / rise, 0.0, MOST_SLOPE)) if rise > 0 else 0.0


def _long_beyond(
    main: NDArray[np.float64],
    residual: NDArray[np.float64],
    reference: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Whose mean over hours of the residual is beyond anything that it was in the reference [n].

    As it is, and without what grows with the load.

    Args:
        main: block means of the main meter [n].
        residual: main − Σ sub-meters [n].
        reference: blocks of the reference period [n].
    """
    if np.count_nonzero(reference) < LEAST_LONG_BLOCKS:
        return np.zeros(residual.shape, dtype=np.bool_)
    parameters, own = CATALOGUE[KIND].parameters, main[reference]
    usual_kw = quantile(own, 0.9)  # a lamp at night is no production
    margin = parameters["long_margin_share"] * max(usual_kw, 0.0) + parameters["margin_kw"]
    found = _means_beyond(residual, reference, margin)
    slope = _slope(own, residual[reference]) if found.any() else 0.0
    if slope > 0:
        rest = residual - slope * main
        found &= _means_beyond(rest, reference, margin)
    return found


def _means_beyond(
    rest: NDArray[np.float64], reference: NDArray[np.bool_], margin: float
) -> NDArray[np.bool_]:
    """Blocks that show an excess themselves, as does the mean over the hours around them [n]."""
    own = rest[reference]
    if is_at_least(own, 0.5, float(rest.max()) - margin + ROUNDING_KW):
        return np.zeros(rest.shape, dtype=np.bool_)
    shows: NDArray[np.bool_] = rest > median(own) + margin
    if not shows.any():
        return shows
    half = LONG_BLOCKS // 2
    wide = np.concatenate((np.full(half, rest[0]), rest, np.full(half, rest[-1])))
    mean = np.convolve(wide, np.ones(LONG_BLOCKS) / LONG_BLOCKS, mode="valid")
    shows &= mean - float(mean[reference].max()) - margin > 0
    return shows


def _stretches(number: NDArray[np.int64], beyond: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Positions of blocks beyond the band that belong together."""
    parameters = CATALOGUE[KIND].parameters
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
    known = np.isfinite(table.values[:, :BLOCKS]).ravel()
    kept = np.flatnonzero(known) if not known.all() else slice(None)
    main = table.values[:, :BLOCKS].ravel()[kept].astype(np.float64)
    subs = table.values[:, BLOCKS:].ravel()[kept].astype(np.float64)
    inside = np.repeat(within(table, period), BLOCKS)[kept]
    found = _beyond(main, subs, inside)
    if found is None or not found[0].any():
        return []
    beyond, usual = np.flatnonzero(found[0]), found[1]
    number = table.blocks[kept]
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
        for part in _stretches(number, beyond)
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
