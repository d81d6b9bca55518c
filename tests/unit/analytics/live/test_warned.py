"""Live warnings are the batch's, minute by minute, and quiet where it is."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.live.fleet import Fleet
from analytics.live.latches import Levels
from analytics.live.minutes import CityMinutes
from analytics.live.warned import Ground, suspects, warnings_now
from analytics.plants import plant_of
from wattwitness.domain.early_warnings import EarlyWarning
from wattwitness.domain.instants import DEFAULT_ZONE, US_PER_MINUTE, from_us
from wattwitness.domain.registry import (
    Declaration,
    DeclarationReason,
    DeclarationStatus,
    Pairing,
    Registry,
    Role,
)
from wattwitness.domain.spells import SpellBook

DAYS, DAY_MIN, WINDOW_MIN = 6, 1440, 240
TODAY = (DAYS - 1) * DAY_MIN


def clock(hour: float) -> int:
    """Minute of the newest day, counted from the first one."""
    return TODAY + round(hour * 60)


@dataclass
class Scene:
    """A plant that the batch has looked at, and live minutes since."""

    kit: object
    registry: Registry
    power: dict
    step_min: int = 1

    def rows(self, minutes: int):
        shown = {key: np.where(np.arange(len(kw)) < minutes, kw, np.nan)
                 for key, kw in self.power.items()}  # fmt: skip
        return self.kit.readings(shown, self.step_min)

    def look(self, minute: int) -> "Scene":
        """The batch looks at all before a minute."""
        self.trial = self.kit.Trial(self.registry).load(self.rows(minute))
        results, plant = self.trial.results, plant_of(self.registry, "E", DEFAULT_ZONE)
        names = [c.circuit_id for c in plant.circuits]
        days = (self.kit.day0, self.kit.day0 + timedelta(days=DAYS))
        found = asyncio.run(results.newest_thresholds(names, *days))
        until_us = int(self.rows(minute)["ts"].max())
        self.ground = Ground(1, until_us, [found[name] for name in names])
        self.spells = asyncio.run(results.load_spells("E"))
        self.city = CityMinutes(
            Fleet.of([plant]), Levels.of(self.ground.thresholds),
            until_us - WINDOW_MIN * US_PER_MINUTE, WINDOW_MIN,
        )  # fmt: skip
        return self

    def until(self, minute: int) -> "Scene":
        """All before a minute has come."""
        rows = self.rows(minute)
        self.city.advance(rows[rows["ts"] >= self.city.start_us])
        return self

    def live(self, said: list[EarlyWarning] | None = None) -> list[EarlyWarning]:
        return warnings_now(self.city, 0, self.ground, self.spells, ["PT"], said or [])

    def suspects(self) -> dict[int, set[str]]:
        return suspects(self.city, {0: self.ground})

    def batch(self, minute: int) -> list[EarlyWarning]:
        return list(self.kit.Trial(self.registry).load(self.rows(minute)).results.findings["E"].warnings)  # fmt: skip # noqa: E501


def scene(kit, off_h: float, minutes: int, **changes) -> Scene:
    """The fan stands still from an hour of the newest day on."""
    plant = kit.Plant(days=DAYS)
    off = kit.span(DAYS, DAYS - 1, off_h, minutes)
    registry = changes.pop("registry", None) or kit.press_and_fan(**changes)
    return Scene(kit, registry, plant.power(off))


def test_a_warning_comes_with_its_tenth_minute_as_from_the_batch(kit) -> None:
    it = scene(kit, 10.0, 120).look(clock(10.05))
    for minute in range(clock(10.05), clock(10.0) + 10):
        assert it.until(minute).live() == []
    (warning,) = it.until(clock(10.0) + 10).live()
    assert (warning.kind, warning.pairing_id) == ("treatment_off", "PT")
    assert warning.from_ == kit.at(DAYS - 1, 10)
    assert (warning.known_minutes, warning.required_minutes) == (10, 30)
    assert it.batch(clock(10.0) + 10) == [warning]
    assert it.suspects() == {0: {"PT"}}


@pytest.mark.parametrize("look_h", [9.9, 10.3, 10.45])
def test_it_stands_until_the_batch_tells_the_episode(kit, look_h: float) -> None:
    it = scene(kit, 10.0, 120).look(clock(look_h)).until(clock(10.75))
    (warning,) = it.live()
    assert warning.from_ == kit.at(DAYS - 1, 10)
    assert warning.known_minutes == 45
    told = scene(kit, 10.0, 120).look(clock(10.65)).until(clock(10.75))
    assert told.live() == []
    assert len(told.trial.episodes) == 1


def test_it_ends_when_treatment_runs_again(kit) -> None:
    it = scene(kit, 10.0, 20).look(clock(10.1)).until(clock(10.0) + 20)
    (warning,) = it.live()
    assert it.until(clock(10.0) + 36).live()[0].to == warning.to
    assert it.until(clock(10.0) + 37).live([warning]) == []


def test_the_part_of_the_batch_and_the_live_one_are_one_stretch(kit) -> None:
    it = scene(kit, 10.0, 120).look(clock(10.38)).until(clock(10.0) + 25)
    assert it.ground.end_us > it.city.start_us
    (warning,) = it.live()
    assert (warning.from_, warning.known_minutes) == (kit.at(DAYS - 1, 10), 25)


def test_a_rest_that_nobody_saw_when_the_batch_looked_parts_two_stretches(kit) -> None:
    plant = kit.Plant(days=DAYS)
    off = kit.span(DAYS, DAYS - 1, 10.0, 8) | kit.span(DAYS, DAYS - 1, 10.0 + 12 / 60, 60)
    it = Scene(kit, kit.press_and_fan(), plant.power(off)).look(clock(10.0) + 8)
    it.until(clock(10.0) + 26)
    (warning,) = it.live()
    assert warning.from_ == kit.at(DAYS - 1, 10.2)
    assert it.batch(clock(10.0) + 26) == [warning]


@pytest.mark.parametrize("status", list(DeclarationStatus))
def test_what_is_declared_is_quiet(kit, status: DeclarationStatus) -> None:
    paper = Declaration(
        enterprise_id="E", from_=kit.at(DAYS - 1, 9), to=kit.at(DAYS - 1, 18),
        reason=DeclarationReason.MAINTENANCE, circuits=("T",), status=status,
    )  # fmt: skip
    it = scene(kit, 10.0, 60, declarations=[paper]).look(clock(10.1)).until(clock(10.4))
    assert len(it.live()) == (status is not DeclarationStatus.ACCEPTED)


def test_what_goes_on_after_a_declaration_is_warned_of(kit) -> None:
    paper = Declaration(
        enterprise_id="E", from_=kit.at(DAYS - 1, 9), to=kit.at(DAYS - 1, 10),
        reason=DeclarationReason.MAINTENANCE, circuits=("T",),
    )  # fmt: skip
    it = scene(kit, 9.0, 120, declarations=[paper]).look(clock(10.1)).until(clock(10.2))
    assert it.suspects() == {0: {"PT"}}
    (warning,) = it.live()
    assert (warning.from_, warning.known_minutes) == (kit.at(DAYS - 1, 10), 12)
    assert it.batch(clock(10.2)) == [warning]


def test_what_is_told_for_long_is_not_looked_at_again(kit) -> None:
    it = scene(kit, 9.0, 120).look(clock(10.0)).until(clock(10.2))
    assert it.suspects() == {}
    assert it.live() == []
    rested = scene(kit, 9.0, 120)
    rested.power[2][clock(9.9) : clock(9.95)] = 5.5  # the fan ran for a moment
    assert rested.look(clock(10.0)).until(clock(10.2)).suspects() == {0: {"PT"}}
    assert len(rested.live()) == 1


def test_the_lag_after_a_start_of_production_is_lawful(kit) -> None:
    it = scene(kit, 7.0, 120).look(clock(8.0))  # the press runs from eight
    assert it.until(clock(8.0) + 19).live() == []
    assert len(it.until(clock(8.0) + 20).live()) == 1


def test_rests_of_a_duty_cycle_are_lawful(kit) -> None:
    pairing = replace(kit.pairing, duty_cycled=True)
    it = scene(kit, 10.0, 120, pairing=pairing).look(clock(10.1))
    assert it.until(clock(10.0) + 59).live() == []


def test_standby_is_quiet(kit) -> None:
    it = scene(kit, 11.9, 100).look(clock(12.0)).until(clock(12.9))  # the press rests from twelve
    assert it.live() == []
    assert it.suspects() == {}


def test_what_is_not_known_is_not_judged(kit) -> None:
    it = scene(kit, 10.0, 120)
    it.power[2][clock(9.95) :] = np.nan  # the fan's meter is silent
    it.look(clock(9.9)).until(clock(11.0))
    assert it.live() == []
    unseen = scene(kit, 10.0, 120).look(clock(10.1))
    unseen.city.learn(0, Levels.of([replace(t, **dict.fromkeys(vars_of(t), np.nan))
                                    for t in unseen.ground.thresholds]))  # fmt: skip
    assert unseen.until(clock(11.0)).live() == []


def vars_of(thresholds) -> list[str]:
    return [name for name in thresholds.__slots__ if name.endswith("_kw")]


def test_where_live_says_more_than_the_batch_did_it_waits(kit) -> None:
    it = scene(kit, 10.0, 120).look(clock(10.45)).until(clock(10.55))
    (warning,) = it.live()
    it.spells = SpellBook({})  # it saw the same and did not believe it
    assert it.live() == []
    said = replace(warning, known_minutes=21.0)
    assert it.live([said]) == [said]
    assert it.until(clock(11.0)).live([said]) == []  # that was long ago


def test_too_few_units_are_warned_of_as_from_the_batch(kit) -> None:
    circuits = [kit.circuit("P", Role.PRODUCTION, 110.0)] + [
        kit.circuit(name, Role.TREATMENT, 7.5) for name in ("T1", "T2")
    ]
    pairing = Pairing(pairing_id="PT", production=("P",), treatment=("T1", "T2"))
    registry = kit.registry(circuits, [pairing])
    power = kit.Plant(days=DAYS).power()
    power[3] = power[2].copy()
    power[3][clock(10.0) : clock(12.0)] = 0.0
    it = Scene(kit, registry, power).look(clock(10.1)).until(clock(10.4))
    (warning,) = it.live()
    assert warning.kind == "shared_treatment_short"
    assert it.batch(clock(10.4)) == [warning]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    off_min=st.integers(0, 90), lasts_min=st.integers(0, 70), gap_min=st.integers(0, 120),
    gap_lasts_min=st.integers(0, 12), look_min=st.integers(0, 100), after_min=st.integers(0, 50),
    step_min=st.sampled_from([1, 5]), begin_h=st.sampled_from([7.5, 9.0]),
)  # fmt: skip
def test_live_is_the_batch(
    kit, off_min, lasts_min, gap_min, gap_lasts_min, look_min, after_min, step_min, begin_h
) -> None:
    it = scene(
        kit, begin_h + off_min / 60, lasts_min,
        registry=kit.press_and_fan(interval_s=60 * step_min),
    )  # fmt: skip
    it.step_min = step_min
    gap = clock(begin_h) + gap_min
    for kw in it.power.values():
        kw[gap : gap + gap_lasts_min] = np.nan
    look = clock(begin_h) + look_min
    it.look(look).until(look + after_min)
    live = it.live()
    # an episode that the batch has not told yet stands as a warning
    young = [w for w in live if w.known_minutes < w.required_minutes]
    assert young == it.batch(look + after_min)
    for warning in set(live) - set(young):
        assert warning.to > from_us(it.ground.until_us)
    if live and live[0].known_minutes == (live[0].to - live[0].from_).total_seconds() / 60:
        assert it.suspects() == {0: {"PT"}}
