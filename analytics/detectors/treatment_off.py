"""`treatment_off` (治污设施未运行): production ran while no required treatment unit worked.

Method: the minutes of `pairing.condition` in which no unit works while production runs, joined to
stretches over short open time (`episodes.joining`), cut at accepted declarations, and held against
what is lawful there: start and stop lags, rests of duty-cycled units. Thresholds are in the rule
catalogue (`domain.rules`).
"""

from analytics.detectors.stages import History, JudgedDay
from analytics.episodes.treatment import treatment_episodes
from analytics.pairing.spells import pairing_spells
from wattwitness.domain.episodes import Episode
from wattwitness.domain.spells import ConditionSpell

KIND = "treatment_off"


def conditions(judged: JudgedDay) -> list[ConditionSpell]:
    """Spells of one local day, for every pairing with circuits on both sides."""
    return pairing_spells(judged, KIND, judged.pairs.off)


def episodes(history: History) -> list[Episode]:
    """Episodes of all pairings, suppressed ones included, oldest first."""
    return treatment_episodes(history)
