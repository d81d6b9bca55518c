import re
from datetime import timedelta

import pytest

from analytics.leads.merging import Scene, leads_of
from analytics.leads.meter_changes import RegisterBack
from analytics.leads.reasons import CLAUSES
from analytics.leads.refutations import KINDS
from analytics.leads.scoring import accusing, freshness, groups, probability, severity
from analytics.plants import plant_of
from wattwitness.domain.episodes import Episode
from wattwitness.domain.leads import ChronicPair, LeadLevel, Matter
from wattwitness.domain.registry import (
    Alert,
    AlertLevel,
    Declaration,
    DeclarationReason,
    DeclarationStatus,
)
from wattwitness.domain.rules import CATALOGUE

JUDGED = sorted(code for code, rule in CATALOGUE.items() if rule.since)
EVIDENCE = {
    "treatment_off": {
        "production_mean": 80.04, "production_energy": 160.1, "treatment_mean": 0.1,
        "treatment_running_level": 5.43, "known_minutes": 120.0, "missing_minutes": 0.0,
    },
    "treatment_late_start": {
        "late": 41.0, "lawful_lag": 12.0, "production_energy": 52.1, "known_minutes": 41.0,
    },
    "treatment_early_stop": {
        "late": 38.0, "lawful_lag": 10.0, "production_energy": 47.3, "known_minutes": 38.0,
    },
    "treatment_underload": {
        "treatment_mean": 30.26, "reference_level": 44.1, "level_share": 68.4,
        "known_minutes": 240.0,
    },
    "treatment_gradual_underrun": {
        "level_reached": 81.6, "decline": 1.32, "reference_level": 44.1, "days": 14.0,
    },
    "treatment_dummy_load": {
        "treatment_mean": 31.2, "known_minutes": 300.0, "power_factor": 0.997,
        "power_factor_reference": 0.86,
    },
    "treatment_inspection_only": {
        "on_share_watched": 97.2, "on_share_unwatched": 3.4, "days": 9.0, "running_watched": 2400.0,
        "running_unwatched": 5100.0,
    },
    "shared_treatment_short": {
        "production_mean": 210.3, "production_energy": 420.6, "treatment_mean": 22.4,
        "known_minutes": 120.0, "missing_minutes": 7.0,
    },
    "unmetered_production": {
        "main_mean": 412.6, "sub_meters_mean": 330.2, "residual_mean": 82.4, "usual_residual": 3.1,
        "known_minutes": 600.0,
    },
    "data_gap_at_alert": {
        "missing_minutes": 184.0, "after_occasion": -12.0, "chance": 0.4, "silent_circuits": 1.0,
    },
    "counter_anomaly": {
        "rolled_back": 1034.5, "register_before": 1234.5, "register_after": 200.0,
    },
    "frozen_reading": {"minutes": 310.0, "power": 5.52, "register_steps_overdue": 2800.0},
    "replayed_data": {"blocks": 64.0, "hours_before": 168.0, "circuits": 2.0},
    "clock_skew": {"skew": -312.4, "largest_skew": -330.0, "blocks": 96.0},
    "phase_loss": {
        "known_minutes": 45.0, "u_a_mean": 229.8, "u_b_mean": 12.3, "u_c_mean": 231.0,
        "i_a_mean": 20.3, "i_b_mean": 9.8, "i_c_mean": 21.0,
    },
    "curtailment_violation": {
        "ordered": "stop", "alert_level": "orange", "running_minutes": 1796.0,
        "usual_minutes": 1810.0, "coverage": 99.2,
    },
    "production_surge": {
        "energy_before_alert": 5210.4, "usual_energy": 3610.2, "ratio": 1.443, "like_days": 10.0,
    },
    "capacity_growth": {
        "daily_energy": 4120.6, "daily_energy_before": 3100.2, "growth": 32.9,
    },
}  # fmt: skip
ABOUT_PAIRINGS = {kind for kind in JUDGED if kind.startswith(("treatment", "shared"))}


def episode(kit, kind="treatment_off", day=2, confidence=0.9, circuits=("P", "T"), **changes):
    text = changes.pop("text", {})
    numbers = {**EVIDENCE[kind], **changes.pop("evidence", {}), **text}
    pairing = changes.pop("pairing", "PT" if kind in ABOUT_PAIRINGS else None)
    values = {
        "enterprise_id": "E",
        "kind": kind,
        "from_": kit.at(day, 9),
        "to": kit.at(day, 11),
        "detected_at": kit.at(day, 9.5),
        "circuits": circuits,
        "pairing_id": pairing,
        "confidence": confidence,
        "evidence": {name: {"value": value, "unit": ""} for name, value in numbers.items()},
        "rule_version": "1",
    }
    return Episode(**{**values, **changes})


def leads(kit, episodes, alerts=(), declarations=(), day=3, chronic=(), register_backs=()):
    plant = plant_of(kit.press_and_fan(declarations=declarations), "E")
    return leads_of(Scene(plant, "D", alerts, kit.at(day, 0), chronic, register_backs), episodes)


def paper(kit, status, day=2):
    return Declaration(
        enterprise_id="E",
        from_=kit.at(day, 8),
        to=kit.at(day, 8) + timedelta(hours=2),
        reason=DeclarationReason.MAINTENANCE,
        status=status,
    )


def doubt(lead, code):
    return next((d for d in lead.doubts if d["code"] == code), None)


def test_every_judged_kind_has_a_sentence_and_a_refutation() -> None:
    assert sorted(CLAUSES) == JUDGED
    assert sorted(KINDS) == JUDGED


TIMES = re.compile(
    r"\d{4}年\d+月\d+日(\d\d:\d\d)?|至(\d+月\d+日)?\d\d:\d\d|\d{4}-\d\d-\d\d|(\d\d-\d\d )?\d\d:\d\d"
    r"|24小时|24 h|15分钟"
)
NUMBER = re.compile(r"(?<![A-Za-z\d])\d+(?:\.\d+)?")


def numbers_in(sentence: str) -> list[str]:
    return NUMBER.findall(TIMES.sub(" ", sentence))


def is_evidence(text: str, found: Episode) -> bool:
    digits = len(text.partition(".")[2])
    values = [abs(v["value"]) for v in found.evidence.values() if not isinstance(v["value"], str)]
    return any(f"{value:.{digits}f}" == text for value in values)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", JUDGED)
def test_every_number_of_the_sentence_is_evidence(kit, kind, language) -> None:
    found = episode(kit, kind)
    (lead,) = leads(kit, [found])
    told = numbers_in(lead.reason[language])
    assert told
    assert [n for n in told if not is_evidence(n, found)] == []


@pytest.mark.parametrize("kind", JUDGED)
def test_a_sentence_is_one_sentence_that_accuses_nobody(kit, kind) -> None:
    (lead,) = leads(kit, [episode(kit, kind), episode(kit, kind, day=1)])
    assert set(lead.reason) == {"zh", "en"}
    assert lead.reason["zh"].count("。") == 1
    assert lead.reason["zh"].endswith("个异常时段。")
    assert lead.reason["en"].endswith("2 episodes since 2026-11-03.")
    assert "violat" not in lead.reason["en"].lower()
    assert "违" not in lead.reason["zh"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_missed_limit_is_told_in_energy(kit, language) -> None:
    numbers = {
        "ordered": "limit", "energy_used": 4120.4, "usual_energy": 4301.2, "missed_share": 91.6,
    }  # fmt: skip
    found = episode(kit, "curtailment_violation", evidence=numbers)
    (lead,) = leads(kit, [found])
    told = numbers_in(lead.reason[language])
    assert len(told) == 3
    assert [n for n in told if not is_evidence(n, found)] == []


def test_the_lost_phase_is_named_by_what_it_lost(kit) -> None:
    (by_voltage,) = leads(kit, [episode(kit, "phase_loss")])
    assert "phase B: 12.3 V" in by_voltage.reason["en"]
    sound = {"u_b_mean": 229.0, "i_b_mean": 20.0, "i_c_mean": 0.1}
    (by_current,) = leads(kit, [episode(kit, "phase_loss", evidence=sound)])
    assert "phase C: 0.1 A" in by_current.reason["en"]


def test_episodes_that_share_a_circuit_share_their_causes_others_do_not(kit) -> None:
    one = episode(kit, confidence=0.8)
    same_fan = episode(kit, confidence=0.6, circuits=("P2", "T"), pairing="Q")
    elsewhere = episode(kit, confidence=0.5, circuits=("P3", "T3"), pairing="R")
    assert probability([one, episode(kit, day=1, confidence=0.6)]) == pytest.approx(0.8)
    assert probability([one, same_fan]) == pytest.approx(0.8)
    assert probability([one, elsewhere]) == pytest.approx(0.9)
    bridge = episode(kit, confidence=0.1, circuits=("T", "T3"), pairing=None)
    assert len(groups([one, elsewhere, bridge])) == 1


def test_severity_and_freshness_stay_within_bounds(kit) -> None:
    for kind in JUDGED:
        for factor in (1.0, 1.5):
            assert 0.0 < severity(episode(kit, kind), factor) <= 1.0
    assert freshness(kit.at(0, 0), kit.at(0, 0)) == 1.0
    assert freshness(kit.at(0, 0), kit.at(400, 0)) == 0.2


def test_one_lead_per_matter_with_the_episodes_of_it(kit) -> None:
    found = leads(kit, [episode(kit, kind) for kind in JUDGED])
    assert [lead.matter for lead in found] == list(Matter)
    for lead in found:
        assert {CATALOGUE[kind].matter for kind in lead.kinds} == {lead.matter}
        assert len(lead.episodes) == len(lead.kinds)
    assert len({lead.lead_id for lead in found}) == len(Matter)


def test_the_id_of_a_lead_outlives_its_episodes(kit) -> None:
    (before,) = leads(kit, [episode(kit)])
    (after,) = leads(kit, [episode(kit, "treatment_underload", day=9)], day=10)
    assert before.lead_id == after.lead_id
    assert after.newest_from == kit.at(9, 9)


def test_suppressed_episodes_make_no_lead(kit) -> None:
    assert leads(kit, [episode(kit, suppressed_by="paper")]) == []


@pytest.mark.parametrize("kind", ["production_surge", "capacity_growth"])
def test_information_alone_is_level_info_however_grave(kit, kind) -> None:
    alert = Alert(
        alert_id="A", level=AlertLevel.RED, issued_at=kit.at(1, 0), response_from=kit.at(1, 0)
    )
    (lead,) = leads(kit, [episode(kit, kind, confidence=1.0)], [alert])
    assert lead.level is LeadLevel.INFO


def test_information_never_raises_another_lead(kit) -> None:
    ordered_cut = Episode(
        **{
            **{f: getattr(episode(kit), f) for f in Episode.__dataclass_fields__},
            "kind": "curtailment_violation",
        }
    )
    surge = episode(kit, "production_surge")
    assert accusing([surge, ordered_cut]) == [ordered_cut]
    assert accusing([surge]) == [surge]


def test_an_alert_makes_it_graver_only_in_its_district(kit) -> None:
    def during(*districts: str):
        alert = Alert(
            alert_id="A",
            level=AlertLevel.RED,
            issued_at=kit.at(1, 0),
            response_from=kit.at(2, 0),
            lifted_at=None,
            districts=districts,
        )
        return leads(kit, [episode(kit)], [alert])[0].score

    calm = leads(kit, [episode(kit)])[0].score
    assert during() == during("D") > calm
    assert during("other") == calm


def test_declarations_are_checked(kit) -> None:
    assert doubt(leads(kit, [episode(kit)])[0], "declared")["standing"] == "fine"
    for status, standing in (
        (DeclarationStatus.FILED, "caution"),
        (DeclarationStatus.ACCEPTED, "caution"),
        (DeclarationStatus.REFUSED, "fine"),
    ):
        (lead,) = leads(kit, [episode(kit)], declarations=[paper(kit, status)])
        assert doubt(lead, "declared")["standing"] == standing
    (lead,) = leads(kit, [episode(kit)], declarations=[paper(kit, DeclarationStatus.FILED, 5)])
    assert doubt(lead, "declared")["standing"] == "fine"


def test_gaps_inside_are_counted(kit) -> None:
    (whole,) = leads(kit, [episode(kit)])
    assert "120" in doubt(whole, "gaps")["en"]
    (holed,) = leads(kit, [episode(kit, evidence={"missing_minutes": 55.0})])
    assert doubt(holed, "gaps")["standing"] == "caution"
    assert "55" in doubt(holed, "gaps")["zh"]


def test_a_register_that_went_back_may_be_another_meter(kit) -> None:
    change = RegisterBack("T", kit.at(1, 9), 1234.5, 0.2)
    (lead,) = leads(kit, [episode(kit)], register_backs=[change])
    assert "1234.5" in doubt(lead, "meter_change")["en"]
    assert "1234.5" in doubt(lead, "meter_change")["zh"]
    elsewhere = RegisterBack("X", kit.at(1, 9), 1234.5, 0.2)
    long_ago = RegisterBack("T", kit.at(-30, 9), 1234.5, 0.2)
    (lead,) = leads(kit, [episode(kit)], register_backs=[elsewhere, long_ago])
    assert doubt(lead, "meter_change") is None


@pytest.mark.parametrize(
    ("text", "code", "standing"),
    [
        ({"reference": "provisional"}, "reference", "caution"),
        ({"reference": "verified"}, "reference", "fine"),
        ({"levels": "nameplate"}, "levels", "caution"),
        ({"main_mean": 40.0}, "main_meter", "caution"),
        ({"main_mean": 90.0}, "main_meter", "fine"),
    ],
)
def test_what_the_evidence_says_against_itself(kit, text, code, standing) -> None:
    (lead,) = leads(kit, [episode(kit, text=text)])
    assert doubt(lead, code)["standing"] == standing
    assert doubt(leads(kit, [episode(kit)])[0], code) is None


@pytest.mark.parametrize("kind", JUDGED)
def test_every_doubt_has_its_words_without_holes(kit, kind) -> None:
    (lead,) = leads(kit, [episode(kit, kind, text={"reference": "provisional"})])
    for item in lead.doubts:
        assert set(item) == {"code", "standing", "zh", "en"}
        assert item["standing"] in {"fine", "caution", "unknown"}
        assert not re.search(r"[{}–]", item["zh"] + item["en"])
    assert lead.doubts[-1]["code"] == f"site_{kind}"


def test_a_chronic_pair_is_flagged_and_stays_what_it_is(kit) -> None:
    pair = ChronicPair(
        pairing_id="PT", off_share=0.93, early_share=0.9, running_minutes=4000, days=14
    )
    (lead,) = leads(kit, [episode(kit)], chronic=[pair])
    (plain,) = leads(kit, [episode(kit)])
    assert lead.registration_check == (pair,)
    assert (lead.score, lead.level, lead.status) == (plain.score, plain.level, plain.status)
    assert lead.doubts[0]["code"] == "chronic"
    assert "93" in lead.doubts[0]["en"]
    other = ChronicPair(
        pairing_id="QQ", off_share=0.93, early_share=0.9, running_minutes=4000, days=14
    )
    assert leads(kit, [episode(kit)], chronic=[other])[0].registration_check == ()
