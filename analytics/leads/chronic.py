"""Pairs that miss from the first day on: registered wrongly, or chronic offenders; both look alike.

P(treatment off | production runs) over the whole history, and in the first days with production.
Such a pair goes to the queue of registrations to be checked. Its findings stay what they are, and
nothing learns that missing is normal.
"""

from analytics.detectors.stages import History
from analytics.detectors.treatment_inspection_only import RUN_FACT, day_minutes
from wattwitness.domain.leads import ChronicPair
from wattwitness.domain.registry import Pairing

HIGH_SHARE = 0.4  # of the running minutes, of all days and of the first ones
FIRST_DAYS = 3
LEAST_DAYS = 3
LEAST_MIN = 600.0  # of running production, or the share says nothing


def _of_pairing(history: History, pairing: Pairing) -> ChronicPair | None:
    table = history.facts_of(RUN_FACT, pairing.pairing_id)
    if len(table.days) < LEAST_DAYS:
        return None
    run, treated = day_minutes(history, pairing.pairing_id)
    run, treated = run[run > 0], treated[run > 0]
    if len(run) < LEAST_DAYS or run.sum() < LEAST_MIN:
        return None
    off = 1.0 - float(treated.sum() / run.sum())
    early = 1.0 - float(treated[:FIRST_DAYS].sum() / run[:FIRST_DAYS].sum())
    if min(off, early) < HIGH_SHARE:
        return None
    return ChronicPair(
        pairing_id=pairing.pairing_id,
        off_share=round(off, 4),
        early_share=round(early, 4),
        running_minutes=round(float(run.sum()), 1),
        days=len(run),
    )


def chronic_pairs(history: History) -> list[ChronicPair]:
    """Pairs of an enterprise whose registration is to be checked, by id."""
    found = (_of_pairing(history, p) for p in history.plant.pairings)
    return [pair for pair in found if pair is not None]
