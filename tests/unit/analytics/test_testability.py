"""What cannot be told is told as such, with why; never as clean."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from analytics.detectors.frozen_reading import STILL_FACT
from analytics.detectors.measured import MEASURED_FACT
from analytics.detectors.plant_energy import ENERGY_FACT
from analytics.detectors.replayed_data import DIGEST_FACT
from analytics.detectors.stages import History
from analytics.detectors.treatment_dummy_load import PHYSICS_FACT
from analytics.detectors.treatment_inspection_only import RUN_FACT
from analytics.detectors.unmetered_production import MAIN_FACT
from analytics.pairing.levels import LEVEL_FACT
from analytics.plants import plant_of
from analytics.states.thresholds import UNKNOWN_THRESHOLDS
from analytics.testability import testability_of as judged
from wattwitness.domain.facts import DayFact
from wattwitness.domain.readings import MEASURANDS
from wattwitness.domain.registry import Alert, AlertLevel, Role
from wattwitness.domain.rules import CATALOGUE

SEEN = replace(
    UNKNOWN_THRESHOLDS,
    standby_kw=1.0,
    standby_release_kw=0.8,
    running_kw=20.0,
    running_release_kw=15.0,
    running_level_kw=80.0,
    basis="learned",
)
PRESS_AND_FAN = {"P": Role.PRODUCTION, "T": Role.TREATMENT}


def history(kit, roles, pairings=(), newest=None, facts=(), **known):
    circuits = [kit.circuit(name, role, 10) for name, role in roles.items()]
    plant = plant_of(kit.registry(circuits, pairings), "E")
    return History(
        plant=plant,
        watermark_us=0,
        first_us={},
        spells=(),
        facts=facts,
        thresholds=dict.fromkeys(roles, SEEN) if newest is None else newest,
        **known,
    )


def whys(own: History, kind: str):
    found = judged(own)
    assert {t.kind for t in found} == set(CATALOGUE)
    assert all(t.testable == (t.why == "") for t in found)
    return {t.pairing_id: t.why for t in found if t.kind == kind}


def facts(kit, kind, subject, values, days=1):
    return [
        DayFact(
            enterprise_id="E",
            day=kit.day0 + timedelta(days=n),
            kind=kind,
            subject=subject,
            values=np.asarray(values, dtype=np.float32),
        )
        for n in range(days)
    ]


def measured(kit, circuit, *names):
    counts = [1440.0 * (name in names) for name in (*MEASURANDS, "received_at")]
    return facts(kit, MEASURED_FACT, circuit, [*counts, 1440.0])


@pytest.mark.parametrize(
    ("roles", "code"),
    [
        ({}, "not_applicable"),
        ({"M": Role.MAIN}, "only_main_meter"),
        ({"M": Role.MAIN, "P": Role.PRODUCTION}, "no_treatment_meter"),
        ({"T": Role.TREATMENT}, "no_production_meter"),
        ({"C": Role.COMBINED}, "combined_meter"),
        (PRESS_AND_FAN, "no_pairing"),
    ],
)
def test_what_the_meters_cannot_show(kit, roles, code) -> None:
    assert whys(history(kit, roles), "treatment_off") == {None: code}


@pytest.mark.parametrize(
    ("production", "treatment", "code"),
    [
        (SEEN, SEEN, ""),
        (SEEN, replace(SEEN, basis="unresolvable"), "below_resolution"),
        (UNKNOWN_THRESHOLDS, SEEN, "too_little_history"),
        (SEEN, UNKNOWN_THRESHOLDS, "too_little_history"),
    ],
)
def test_a_pairing_is_as_testable_as_its_circuits(kit, production, treatment, code) -> None:
    own = history(kit, PRESS_AND_FAN, [kit.pairing], {"P": production, "T": treatment})
    assert whys(own, "treatment_off") == {None: code, "PT": code}


def of_kind(kit, kind, known=(), **other):
    pairing = other.pop("pairing", kit.pairing)
    roles = other.pop("roles", PRESS_AND_FAN)
    own = history(kit, roles, [pairing], facts=list(known), **other)
    return whys(own, kind)[None]


def test_a_unit_that_rests_lawfully_cannot_be_late(kit) -> None:
    pairing = replace(kit.pairing, duty_cycled=True)
    assert of_kind(kit, "treatment_late_start", pairing=pairing) == "duty_cycled"
    assert of_kind(kit, "treatment_late_start") == ""


def test_a_single_unit_cannot_be_short(kit) -> None:
    assert of_kind(kit, "shared_treatment_short") == "not_applicable"


def test_levels_need_a_reference(kit) -> None:
    assert of_kind(kit, "treatment_underload") == "too_little_history"
    level = facts(kit, LEVEL_FACT, "T", np.full(192, 5.0), days=10)
    assert of_kind(kit, "treatment_underload", level) == ""
    assert of_kind(kit, "treatment_gradual_underrun", level) == ""
    few = level[:5]
    assert of_kind(kit, "treatment_gradual_underrun", few) == "too_little_history"


def test_physics_need_a_voltage_or_a_power_factor(kit) -> None:
    kind = "treatment_dummy_load"
    power = measured(kit, "T", "p_kw", "e_kwh")
    assert of_kind(kit, kind, power) == "no_voltage_or_power_factor"
    shown = measured(kit, "T", "p_kw", "pf")
    assert of_kind(kit, kind, shown) == "too_little_history"
    physics = facts(kit, PHYSICS_FACT, "T", np.full(480, 0.8), days=2)
    assert of_kind(kit, kind, shown + physics) == ""
    drive = facts(kit, PHYSICS_FACT, "T", np.repeat([9.0, 0.99, 0.0, 0.0, 0.0], 96), days=2)
    assert of_kind(kit, kind, shown + drive) == "too_coarse"


def test_inspection_only_needs_days(kit) -> None:
    days = facts(kit, RUN_FACT, "PT", np.ones(96), days=4)
    assert of_kind(kit, "treatment_inspection_only", days[:3]) == "too_little_history"
    assert of_kind(kit, "treatment_inspection_only", days) == ""


@pytest.mark.parametrize(
    ("kind", "columns", "code"),
    [
        ("counter_anomaly", ("p_kw",), "no_register"),
        ("counter_anomaly", ("p_kw", "e_kwh"), ""),
        ("frozen_reading", ("p_kw",), "power_only"),
        ("frozen_reading", ("p_kw", "u_a"), ""),
        ("clock_skew", ("p_kw",), "no_receipt_times"),
        ("clock_skew", ("p_kw", "received_at"), ""),
        ("phase_loss", ("p_kw", "u_a", "i_a"), "no_three_phases"),
        ("phase_loss", ("p_kw", "i_a", "i_b", "i_c"), ""),
        ("replayed_data", ("p_kw",), "too_coarse"),
    ],
)
def test_what_is_measured_decides_about_meters(kit, kind, columns, code) -> None:
    assert of_kind(kit, kind, measured(kit, "P", *columns)) == code


def test_power_that_never_repeats_can_be_seen_to_freeze(kit) -> None:
    known = measured(kit, "P", "p_kw") + facts(kit, STILL_FACT, "P", [900.0, 20.0])
    assert of_kind(kit, "frozen_reading", known) == ""
    known = measured(kit, "P", "p_kw") + facts(kit, STILL_FACT, "P", [900.0, 500.0])
    assert of_kind(kit, "frozen_reading", known) == "power_only"


def test_a_block_with_variety_can_be_seen_again(kit) -> None:
    digests = facts(kit, DIGEST_FACT, "P", np.arange(96.0))
    assert of_kind(kit, "replayed_data", digests) == ""


def test_a_balance_needs_a_main_its_sub_meters_and_a_reference(kit) -> None:
    kind = "unmetered_production"
    assert of_kind(kit, kind) == "no_main_meter"
    roles = {"M": Role.MAIN} | PRESS_AND_FAN
    assert of_kind(kit, kind, roles=roles) == "too_little_history"
    balance = facts(kit, MAIN_FACT, "M", np.full(192, 50.0), days=2)
    assert of_kind(kit, kind, balance, roles=roles) == ""
    two = {"M": Role.MAIN, "N": Role.MAIN} | PRESS_AND_FAN
    assert of_kind(kit, kind, roles=two) == "no_sub_meters"


def test_alerts_are_what_gaps_and_surges_are_about(kit) -> None:
    alert = Alert(
        alert_id="A", level=AlertLevel.RED, issued_at=kit.at(8, 0), response_from=kit.at(9, 0)
    )
    energy = facts(kit, ENERGY_FACT, "", np.full(96, 50.0), days=8)
    assert of_kind(kit, "data_gap_at_alert") == "not_applicable"
    assert of_kind(kit, "data_gap_at_alert", alerts=[alert]) == ""
    assert of_kind(kit, "production_surge", energy) == "not_applicable"
    assert of_kind(kit, "production_surge", energy[:3], alerts=[alert]) == "too_little_history"
    assert of_kind(kit, "production_surge", energy, alerts=[alert]) == ""


@pytest.mark.parametrize(("days", "code"), [(39, "too_little_history"), (40, "")])
def test_growth_needs_forty_days(kit, days, code) -> None:
    energy = facts(kit, ENERGY_FACT, "", np.full(96, 50.0), days=days)
    assert of_kind(kit, "capacity_growth", energy) == code
