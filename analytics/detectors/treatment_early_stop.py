"""`treatment_early_stop` (治污提前停运): treatment stops earlier before production than is lawful.

Method: production stops before a real rest (`pairing.edges`), against the last minute in which a
unit worked.
"""

from analytics.detectors.stages import History, JudgedDay
from analytics.detectors.treatment_edges import edge_episodes, event_spell
from analytics.pairing.edges import stops
from wattwitness.domain.episodes import Episode
from wattwitness.domain.spells import ConditionSpell

KIND = "treatment_early_stop"


def conditions(judged: JudgedDay) -> list[ConditionSpell]:
    """Stops that were told on this day and in which treatment went before production."""
    return [
        event_spell(judged, KIND, judged.pairs.pairs[k], edge, -edge.lag_min)
        for k, edge in stops(judged.pairs)
        if edge.told >= judged.skip and edge.lag_min < 0
    ]


def episodes(history: History) -> list[Episode]:
    """Early stops of all pairings, suppressed ones included."""
    return edge_episodes(history, KIND, "stop_lag_min", told_after_production=False)
