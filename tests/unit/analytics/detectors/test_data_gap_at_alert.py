from datetime import timedelta

import numpy as np
import pytest

from analytics.detectors import data_gap_at_alert
from wattwitness.domain.registry import Alert, AlertLevel, Inspection

N = 1440
DAYS = 10
KW = {"P": 10.0, "T": 10.0, "M": 24.0}


def history(drawn, kit, gaps, *, powered=True, **known):
    """Ten days of readings; `gaps` = circuit → list of (day, from h, to h) without any."""
    plant = drawn.plant("M P T")
    spells = []
    for day in range(DAYS):
        columns = {}
        for name, kw in KW.items():
            keep = np.ones(N, dtype=bool)
            used = np.full(N, kw)
            for which, first, last in gaps.get(name, ()):
                if which == day:
                    keep[int(first * 60) : int(last * 60)] = False
                    used[int(first * 60) : int(last * 60)] *= powered
            energy = 1000.0 * day + np.cumsum(used) / 60
            own = {"ts_s": np.arange(N) * 60.0, "p_kw": np.full(N, kw), "e_kwh": energy}
            columns[name] = {k: v[keep] for k, v in own.items()}
        at = drawn.day + timedelta(days=day)
        spells += data_gap_at_alert.mark(drawn.raw(plant, at, columns))
    return drawn.history(plant, drawn.day, DAYS, spells=spells, **known)


def alert(kit, day, hour):
    at = kit.at(day, hour)
    return Alert(
        alert_id="A",
        level=AlertLevel.ORANGE,
        issued_at=at - timedelta(days=1),
        response_from=at,
        lifted_at=at + timedelta(days=2),
    )


@pytest.mark.parametrize(
    ("gap", "count"),
    [
        ((5, 10.2, 12.0), 1),
        ((5, 9.6, 12.0), 1),  # it begins shortly before
        ((5, 10.2, 10.5), 0),  # too short
        ((5, 11.0, 13.0), 0),  # too late
        ((4, 10.2, 12.0), 0),  # another day
    ],
)
def test_one_meter_that_falls_silent_as_the_response_begins(drawn, kit, gap, count) -> None:
    own = history(drawn, kit, {"P": [gap]}, alerts=[alert(kit, 5, 10)])
    episodes = data_gap_at_alert.episodes(own)
    assert [e.circuits for e in episodes] == [("P",)] * count


def test_it_tells_bounds_and_chance(drawn, kit) -> None:
    own = history(drawn, kit, {"P": [(5, 10.5, 12.0)]}, alerts=[alert(kit, 5, 10)])
    (episode,) = data_gap_at_alert.episodes(own)
    assert (episode.from_, episode.to) == (kit.at(5, 10.5), kit.at(5, 12))
    assert episode.evidence["after_occasion"]["value"] == 30.0
    assert episode.evidence["chance"]["value"] < 2.0


def test_a_meter_that_is_often_silent_is_not_accused(drawn, kit) -> None:
    often = [(day, 3.0 + day, 5.0 + day) for day in range(DAYS)]
    own = history(drawn, kit, {"P": [*often, (5, 10.2, 12.0)]}, alerts=[alert(kit, 5, 10)])
    assert data_gap_at_alert.episodes(own) == []


@pytest.mark.parametrize(("powered", "count"), [(True, 1), (False, 0)])
def test_where_all_are_silent_the_registers_decide(drawn, kit, powered, count) -> None:
    gaps = {name: [(5, 10.2, 13.0)] for name in "MPT"}
    own = history(drawn, kit, gaps, powered=powered, alerts=[alert(kit, 5, 10)])
    assert len(data_gap_at_alert.episodes(own)) == count


def test_inspections_are_occasions_and_an_ordinary_day_is_none(drawn, kit) -> None:
    visit = Inspection(enterprise_id="E", from_=kit.at(5, 10), to=kit.at(5, 12))
    gaps = {"T": [(5, 10.1, 11.5)]}
    (episode,) = data_gap_at_alert.episodes(history(drawn, kit, gaps, inspections=[visit]))
    assert episode.evidence["occasion"]["value"] == "inspection"
    assert data_gap_at_alert.episodes(history(drawn, kit, gaps)) == []
