from datetime import timedelta

import numpy as np
import pytest

from analytics.detectors import treatment_inspection_only
from analytics.detectors.treatment_inspection_only import RUN_FACT
from wattwitness.domain.registry import Declaration, DeclarationReason, Inspection

HALF = np.arange(48) / 2.0
DAYS = 21


def table(watched_h, days, *, weekends=True, runs=(0, 24), leak=0.0):
    """Production in `runs`; on `days` treatment only in `watched_h`, else always."""
    found = []
    for day in range(DAYS):
        run = 30.0 * ((runs[0] <= HALF) & (runs[1] > HALF))
        only = day in days
        inside = (watched_h[0] <= HALF) & (watched_h[1] > HALF) & (weekends or day % 7 < 5)
        share = np.where(inside, 1.0, leak) if only else 1.0
        found.append(np.concatenate((run, run * share)))
    return found


def episodes(drawn, values, declarations=(), **known):
    plant = drawn.plant(declarations=declarations)
    facts = drawn.facts(RUN_FACT, "PT", drawn.day, values)
    return treatment_inspection_only.episodes(
        drawn.history(plant, drawn.day, DAYS, facts=facts, **known)
    )


@pytest.mark.parametrize(
    ("values", "span"),
    [
        (table((9, 17), range(0)), None),
        (table((9, 17), range(10, 13)), None),  # three days
        (table((9, 17), range(8, 13)), (8, 13)),
        (table((8.5, 17.5), range(7, 19), weekends=False), (7, 19)),
        (table((9, 17), range(8, 13), leak=0.6), None),  # works more often than not at night
        (table((9, 17), range(8, 13), runs=(9, 17)), None),  # no production outside
    ],
)
def test_days_on_which_it_works_only_while_somebody_may_look(drawn, kit, values, span) -> None:
    found = [(e.from_, e.to) for e in episodes(drawn, values)]
    assert found == ([] if span is None else [(kit.at(span[0], 0), kit.at(span[1], 0))])


def test_registered_visits_at_night_are_watched_hours(drawn, kit) -> None:
    visits = [
        Inspection(enterprise_id="E", from_=kit.at(day, 21), to=kit.at(day, 24))
        for day in range(8, 14)
    ]
    values = table((21, 24), range(8, 14))
    assert episodes(drawn, values) == []
    (episode,) = episodes(drawn, values, inspections=visits)
    assert (episode.from_, episode.to) == (kit.at(8, 0), kit.at(14, 0))
    assert episode.evidence["on_share_watched"]["value"] == 100.0
    assert episode.evidence["on_share_unwatched"]["value"] == 0.0


def test_a_declaration_cuts_the_days(drawn, kit) -> None:
    paper = Declaration(
        enterprise_id="E",
        from_=kit.at(12, 0),
        to=kit.at(16, 0),
        reason=DeclarationReason.TRIAL,
    )
    values = table((9, 17), range(8, 18))
    found = episodes(drawn, values, [paper])
    days = [((e.from_ - kit.at(0, 0)) / timedelta(days=1), bool(e.suppressed_by)) for e in found]
    assert days == [(8, False), (12, True)]  # the two days after it are too few
