from dataclasses import replace

import numpy as np
import pytest

from wattwitness.domain.leads import LeadLevel
from wattwitness.domain.registry import (
    Declaration,
    DeclarationReason,
    DeclarationStatus,
    Role,
)
from wattwitness.domain.states import State

DAYS = 5


def declared(kit, from_h, to_h, status=DeclarationStatus.ACCEPTED, circuits=()):
    return Declaration(
        enterprise_id="E",
        from_=kit.at(2, from_h),
        to=kit.at(2, to_h),
        reason=DeclarationReason.MAINTENANCE,
        circuits=circuits,
        status=status,
    )


def test_an_hour_without_the_fan_is_one_episode_with_its_numbers(kit) -> None:
    off = kit.span(DAYS, 2, 9.0, 60)
    trial = kit.Trial(kit.press_and_fan()).load(kit.readings(kit.Plant().power(off)))
    (episode,) = trial.episodes
    assert (episode.from_, episode.to) == (kit.at(2, 9), kit.at(2, 10))
    assert episode.detected_at == kit.at(2, 9 + 10 / 60)  # as a warning
    assert episode.evidence["known_minutes"] == {"value": 60.0, "unit": "min"}
    assert episode.evidence["production_mean"]["value"] == pytest.approx(80, rel=0.03)
    assert episode.evidence["treatment_running_level"]["value"] == pytest.approx(5.5, rel=0.1)
    assert 0.8 < episode.confidence < 1.0
    (lead,) = trial.results.findings["E"].leads
    assert lead.episodes == (episode.episode_id,)
    assert lead.level in {LeadLevel.HIGH, LeadLevel.MEDIUM}
    assert "2026-11-04 09:00–10:00" in lead.reason["en"]
    assert "60分钟" in lead.reason["zh"]
    assert lead.doubts


def test_a_clean_plant_has_neither_episode_nor_lead(kit) -> None:
    trial = kit.Trial(kit.press_and_fan()).load(kit.readings(kit.Plant().power()))
    assert not trial.episodes
    assert not trial.results.findings["E"].leads


def test_twenty_nine_minutes_are_not_enough_and_thirty_are(kit) -> None:
    for minutes, expected in ((29, 0), (30, 1)):
        off = kit.span(DAYS, 2, 9.0, minutes)
        trial = kit.Trial(kit.press_and_fan()).load(kit.readings(kit.Plant().power(off)))
        assert len(trial.episodes) == expected


def test_standby_without_extraction_is_normal(kit) -> None:
    off = kit.span(DAYS, 2, 12.0, 60)  # the lunch break: press energised, no load
    trial = kit.Trial(kit.press_and_fan()).load(kit.readings(kit.Plant().power(off)))
    assert not trial.episodes


def test_treatment_that_never_ran_is_off_because_zero_is_off(kit) -> None:
    off = np.ones(DAYS * 1440, dtype=bool)
    trial = kit.Trial(kit.press_and_fan()).load(kit.readings(kit.Plant().power(off)))
    assert len(trial.episodes) == 10  # mornings and afternoons
    assert all(e.evidence["levels"]["value"] == "nameplate" for e in trial.episodes)


def test_an_episode_runs_across_midnight(kit) -> None:
    days = 3
    press = np.full(days * 1440, 80.0)
    fan = np.where(kit.span(days, 1, 23.5, 90), 0.0, 5.5)
    trial = kit.Trial(kit.press_and_fan()).load(kit.readings({1: press, 2: fan}))
    (episode,) = trial.episodes
    assert (episode.from_, episode.to) == (kit.at(1, 23.5), kit.at(2, 1))


def test_a_short_hole_is_bridged_and_not_counted(kit) -> None:
    power = kit.Plant().power(kit.span(DAYS, 2, 9.0, 60))
    for kw in power.values():
        kw[kit.span(DAYS, 2, 9.3, 6)] = np.nan
    trial = kit.Trial(kit.press_and_fan()).load(kit.readings(power))
    (episode,) = trial.episodes
    assert episode.evidence["known_minutes"]["value"] == 54.0
    assert episode.evidence["missing_minutes"]["value"] == 6.0


def test_a_feeder_outage_and_a_silent_gateway_accuse_nobody(kit) -> None:
    gone = kit.span(DAYS, 2, 9.0, 120)
    for value in (0.0, np.nan):
        power = {key: np.where(gone, value, kw) for key, kw in kit.Plant().power().items()}
        assert not kit.Trial(kit.press_and_fan()).load(kit.readings(power)).episodes


def test_a_silent_treatment_gateway_is_not_treatment_off(kit) -> None:
    power = kit.Plant().power()
    power[2][kit.span(DAYS, 2, 9.0, 120)] = np.nan
    assert not kit.Trial(kit.press_and_fan()).load(kit.readings(power)).episodes


def test_an_accepted_declaration_suppresses_what_lies_inside(kit) -> None:
    rows = kit.readings(kit.Plant().power(kit.span(DAYS, 2, 9.0, 180)))
    paper = declared(kit, 9.0, 10.0)
    trial = kit.Trial(kit.press_and_fan(declarations=[paper])).load(rows)
    inside, outside = trial.episodes
    assert inside.suppressed_by == paper.declaration_id
    assert outside.suppressed_by is None
    assert (outside.from_, outside.to) == (kit.at(2, 10), kit.at(2, 12))
    (lead,) = trial.results.findings["E"].leads
    assert lead.episodes == (outside.episode_id,)


@pytest.mark.parametrize("status", [DeclarationStatus.FILED, DeclarationStatus.REFUSED])
def test_a_filed_or_refused_declaration_suppresses_nothing(kit, status) -> None:
    rows = kit.readings(kit.Plant().power(kit.span(DAYS, 2, 9.0, 60)))
    trial = kit.Trial(kit.press_and_fan(declarations=[declared(kit, 8, 12, status)])).load(rows)
    assert [e.suppressed_by for e in trial.episodes] == [None]


def test_a_declaration_for_another_circuit_suppresses_nothing(kit) -> None:
    rows = kit.readings(kit.Plant().power(kit.span(DAYS, 2, 9.0, 60)))
    paper = declared(kit, 8, 12, circuits=("X",))
    trial = kit.Trial(kit.press_and_fan(declarations=[paper])).load(rows)
    assert [e.suppressed_by for e in trial.episodes] == [None]


def test_a_longer_lawful_start_lag_is_honoured(kit) -> None:
    rows = kit.readings(kit.Plant().power(kit.span(DAYS, 2, 7.0, 100)))  # 40 min late
    pairing = replace(kit.pairing, start_lag_min=45.0)
    assert not kit.Trial(kit.press_and_fan(pairing)).load(rows).episodes
    kinds = {e.kind for e in kit.Trial(kit.press_and_fan()).load(rows).episodes}
    assert kinds == {"treatment_off", "treatment_late_start"}


def test_a_duty_cycled_pump_may_rest(kit) -> None:
    resting = np.arange(DAYS * 1440) % 60 < 40
    rows = kit.readings(kit.Plant().power(resting))
    assert kit.Trial(kit.press_and_fan()).load(rows).episodes
    pairing = replace(kit.pairing, duty_cycled=True)
    assert not kit.Trial(kit.press_and_fan(pairing)).load(rows).episodes


def test_a_duty_cycled_pump_that_rests_for_hours_is_told(kit) -> None:
    resting = (np.arange(DAYS * 1440) % 60 < 20) | kit.span(DAYS, 2, 13.0, 200)
    pairing = replace(kit.pairing, duty_cycled=True)
    trial = kit.Trial(kit.press_and_fan(pairing)).load(kit.readings(kit.Plant().power(resting)))
    (episode,) = trial.episodes
    assert episode.evidence["required_by"]["value"] == "duty_cycle"


def test_one_of_two_fans_is_enough_for_this_kind(kit) -> None:
    circuits = (
        kit.circuit("P", Role.PRODUCTION, 110.0),
        kit.circuit("T", Role.TREATMENT, 7.5),
        kit.circuit("T2", Role.TREATMENT, 7.5),
    )
    pairing = replace(kit.pairing, treatment=("T", "T2"))
    power = kit.Plant().power(kit.span(DAYS, 2, 9.0, 120))
    power[3] = kit.Plant().power()[2]
    trial = kit.Trial(kit.registry(circuits, [pairing])).load(kit.readings(power))
    assert [e.kind for e in trial.episodes] == ["shared_treatment_short"]


def test_quarter_hour_gateways_are_judged_alike(kit) -> None:
    off = kit.span(DAYS, 2, 9.0, 60)
    rows = kit.readings(kit.Plant().power(off), step_min=15)
    (episode,) = kit.Trial(kit.press_and_fan(interval_s=900)).load(rows).episodes
    assert (episode.from_, episode.to) == (kit.at(2, 9), kit.at(2, 10))


def test_states_of_a_day_are_what_was_drawn(kit) -> None:
    trial = kit.Trial(kit.press_and_fan()).load(kit.readings(kit.Plant().power()))
    day = trial.results.days["E"][kit.at(2, 1).date()]
    press = [s for s in day.states if s.circuit_id == "P"]
    words = [s.state for s in press]
    off, standby, running = State.OFF, State.STANDBY, State.RUNNING
    assert words == [off, standby, running, standby, running, standby, off]
    assert press[2].from_ == kit.at(2, 8)
