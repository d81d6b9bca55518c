"""`treatment_late_start` (治污启动滞后): treatment starts later after production than is lawful.

Method: production starts after a real rest (`pairing.edges`), against the first minute in which a
unit works. Treatment that has to run before production (`lead_min`, as an RTO that heats up) is
late by the lead that it lacks.
"""

from analytics.detectors.stages import History, JudgedDay
from analytics.detectors.treatment_edges import edge_episodes, event_spell
from analytics.pairing.edges import Edge, starts
from wattwitness.domain.episodes import Episode
from wattwitness.domain.spells import ConditionSpell

KIND = "treatment_late_start"


def conditions(judged: JudgedDay) -> list[ConditionSpell]:
    """Starts that were told on this day and in which treatment came after it should."""
    found = []
    for k, edge in starts(judged.pairs):
        pair = judged.pairs.pairs[k]
        due = edge.production - int(pair.pairing.lead_min)
        if edge.told >= judged.skip and edge.treatment > due:
            own = Edge(max(0, due), edge.treatment, edge.told)
            since = edge.production if pair.pairing.lead_min > 0 else None
            found.append(event_spell(judged, KIND, pair, own, edge.treatment - due, since))
    return found


def episodes(history: History) -> list[Episode]:
    """Late starts of all pairings, suppressed ones included."""
    return edge_episodes(history, KIND, "start_lag_min", told_after_production=True)
