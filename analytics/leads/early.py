"""Treatment is off right now, beyond what is lawful, but not for as long as an episode takes."""

from datetime import timedelta

from analytics.detectors.stages import History
from analytics.episodes.declared import split
from analytics.episodes.joining import Stretches
from analytics.episodes.treatment import (
    OFF,
    duty_off_minutes,
    required_minutes,
    warned_after_min,
)
from wattwitness.domain.early_warnings import EarlyWarning
from wattwitness.domain.instants import from_us
from wattwitness.domain.registry import Pairing
from wattwitness.domain.rules import CATALOGUE

STILL_MIN = 15.0  # before the newest data: what ended earlier is over


def _of_pairing(history: History, pairing: Pairing) -> list[EarlyWarning]:
    since = from_us(history.watermark_us) - timedelta(minutes=STILL_MIN)
    table = history.spell_table(OFF, pairing.pairing_id)
    if table is None or from_us(int(table.to_us[-1])) < since:
        return []
    stretches = Stretches(table, CATALOGUE[OFF].parameters["bridge_unknown_min"])
    required = required_minutes(stretches[-1], pairing, duty_off_minutes(stretches))
    lawful = pairing.start_lag_min * stretches[-1].spells[0].sums.get("begins_with_production", 1.0)
    least = max(
        lawful + CATALOGUE[OFF].parameters["warn_min"], warned_after_min(stretches[-1], required)
    )
    return [
        EarlyWarning(
            enterprise_id=history.plant.enterprise_id,
            kind=OFF,
            pairing_id=pairing.pairing_id,
            from_=part.stretch.from_,
            to=part.stretch.to,
            known_minutes=round(part.stretch.known_min, 1),
            required_minutes=required.minutes,
        )
        for part in split(stretches[-1], pairing, history.plant.declarations)
        if part.declaration is None
        and part.stretch.to >= since
        and least <= part.stretch.known_min < required.minutes
    ]


def early_warnings(history: History) -> list[EarlyWarning]:
    """Warnings of an enterprise at the newest data, by pairing."""
    return [w for pairing in history.plant.pairings for w in _of_pairing(history, pairing)]
