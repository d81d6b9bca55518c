"""Treatment is off, or short, right now, beyond what is lawful, but is no episode yet."""

from datetime import timedelta
from typing import Final

from analytics.detectors.stages import History
from analytics.episodes.declared import Part, split
from analytics.episodes.joining import Stretches
from analytics.episodes.treatment import (
    OFF,
    SHORT,
    Required,
    duty_off_minutes,
    required_minutes,
    warned_after_min,
)
from wattwitness.domain.early_warnings import EarlyWarning
from wattwitness.domain.instants import from_us
from wattwitness.domain.registry import Pairing
from wattwitness.domain.rules import CATALOGUE

WARNED: Final = (OFF, SHORT)
STILL_MIN: Final = 15.0  # before the newest data: what ended earlier is over


def _of_pairing(
    history: History, pairing: Pairing, kind: str, judged_us: int | None
) -> list[EarlyWarning]:
    since = from_us(history.watermark_us) - timedelta(minutes=STILL_MIN)
    table = history.spell_table(kind, pairing.pairing_id)
    if table is None or from_us(int(table.to_us[-1])) < since:
        return []
    stretches = Stretches(table, CATALOGUE[kind].parameters["bridge_unknown_min"])
    last = stretches[-1]
    rest_min = duty_off_minutes(stretches) if pairing.duty_cycled else 0.0
    required = required_minutes(last, pairing, rest_min, kind)
    lawful = pairing.start_lag_min * last.spells[0].sums.get("begins_with_production", 1.0)
    least = max(lawful + CATALOGUE[OFF].parameters["warn_min"], warned_after_min(last, required))
    return [
        EarlyWarning(
            enterprise_id=history.plant.enterprise_id,
            kind=kind,
            pairing_id=pairing.pairing_id,
            from_=part.stretch.from_,
            to=part.stretch.to,
            known_minutes=round(part.stretch.known_min, 1),
            required_minutes=required.minutes,
        )
        for part in split(last, pairing, history.plant.declarations, any_unit=kind == SHORT)
        if part.declaration is None
        and part.stretch.to >= since
        and least <= part.stretch.known_min
        and not _is_told(part, required, judged_us)
    ]


def _is_told(part: Part, required: Required, judged_us: int | None) -> bool:
    """Whether this is an episode, to an analysis that saw the minutes up to an instant."""
    if part.stretch.known_min < required.minutes:
        return False
    full = part.stretch.minutes_known_at(required.minutes)
    return judged_us is None or full <= from_us(judged_us)


def early_warnings(history: History, judged_us: int | None = None) -> list[EarlyWarning]:
    """Warnings of an enterprise at the newest data, by pairing.

    Args:
        history: of the enterprise; its spells may be newer than its episodes.
        judged_us: end of the minutes that its episodes rest on [µs]; None = of its spells.
    """
    return [
        warning
        for pairing in history.plant.pairings
        for kind in WARNED
        for warning in _of_pairing(history, pairing, kind, judged_us)
    ]
