"""`shared_treatment_short` (共用治污设施不足): some units work, but fewer than are required.

Method: as `treatment_off`, with the minutes in which at least one unit works and even the units of
which nothing is known could not make up the number that the pairing requires (`all`, `any`, a
number, or one per running line).
"""

from analytics.detectors.stages import History, JudgedDay
from analytics.episodes.treatment import treatment_episodes
from analytics.pairing.spells import pairing_spells
from wattwitness.domain.episodes import Episode
from wattwitness.domain.spells import ConditionSpell

KIND = "shared_treatment_short"


def conditions(judged: JudgedDay) -> list[ConditionSpell]:
    """Spells of one local day; a pairing with one unit has none."""
    return pairing_spells(judged, KIND, judged.pairs.short)


def episodes(history: History) -> list[Episode]:
    """Episodes of all pairings, suppressed ones included, oldest first."""
    return treatment_episodes(history, KIND)
