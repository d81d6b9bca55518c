"""All that is known of one enterprise → its findings: one pure function."""

from analytics.calibration import CALIBRATION, Calibration
from analytics.detectors import curtailment_violation
from analytics.detectors.line_up import EPISODES
from analytics.detectors.stages import History
from analytics.episodes.explained import units_together, without_echoes
from analytics.leads.chronic import chronic_pairs
from analytics.leads.early import early_warnings
from analytics.leads.merging import Scene, leads_of
from analytics.leads.meter_changes import register_backs
from analytics.results import Findings
from analytics.testability import testability_of
from analytics.verdicts.judging import cases_of, rejudged
from wattwitness.domain.instants import from_us


def conclude(
    history: History, district: str | None, calibration: Calibration = CALIBRATION
) -> Findings:
    """Episodes, leads, testability, warnings and verdicts.

    Args:
        history: of the enterprise.
        district: of the enterprise.
        calibration: what the confidence of a method is worth.
    """
    found = [e for look in EPISODES for e in look(history)]
    cases = cases_of(history, found)
    verdicts = [case.verdict(history.watermark_us, calibration) for case in cases]
    found += curtailment_violation.episodes(cases, verdicts, calibration)
    told = without_echoes(units_together(found), history.plant.pairings)
    episodes = sorted(
        calibration.applied(told),
        key=lambda e: (e.from_, e.kind, e.pairing_id or "", e.circuits),
    )
    scene = Scene(
        plant=history.plant,
        district=district,
        alerts=history.alerts,
        watermark=from_us(history.watermark_us),
        chronic=chronic_pairs(history),
        register_backs=register_backs(history),
    )
    return Findings(
        episodes,
        leads_of(scene, episodes),
        testability_of(history),
        early_warnings(history),
        verdicts,
        rejudged(cases, history.judged_until),
        cases=cases,
    )
