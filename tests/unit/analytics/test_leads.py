from datetime import timedelta

import pytest

from analytics.leads.merging import treatment_lead
from analytics.leads.scoring import freshness, probability, severity
from analytics.plants import plant_of
from wattwitness.domain.episodes import Episode
from wattwitness.domain.registry import (
    Alert,
    AlertLevel,
    Declaration,
    DeclarationReason,
    DeclarationStatus,
)


def episode(kit, day=2, confidence=0.9, suppressed=None, pairing="PT", **evidence: float):
    numbers = {
        "production_mean": 80.0,
        "production_energy": 160.0,
        "treatment_mean": 0.1,
        "known_minutes": 120.0,
        **evidence,
    }
    return Episode(
        enterprise_id="E",
        kind="treatment_off",
        from_=kit.at(day, 9),
        to=kit.at(day, 11),
        detected_at=kit.at(day, 9.5),
        circuits=("P", "T"),
        pairing_id=pairing,
        confidence=confidence,
        evidence={name: {"value": value, "unit": ""} for name, value in numbers.items()},
        rule_version="1",
        suppressed_by=suppressed,
    )


def lead(kit, episodes, alerts=(), declarations=(), day=3):
    plant = plant_of(kit.press_and_fan(declarations=declarations), "E")
    return treatment_lead(plant, "D", episodes, alerts, kit.at(day, 0))


def test_episodes_of_one_pairing_share_their_causes_other_pairings_do_not(kit) -> None:
    one = episode(kit, confidence=0.8)
    assert probability([one, episode(kit, 1, 0.6)]) == pytest.approx(0.8)
    assert probability([one, episode(kit, 1, 0.5, pairing="Q")]) == pytest.approx(0.9)


def test_severity_and_freshness_stay_within_bounds(kit) -> None:
    assert severity(0) == 0.3
    assert severity(1e9) == 1.0
    assert freshness(kit.at(0, 0), kit.at(0, 0)) == 1.0
    assert freshness(kit.at(0, 0), kit.at(400, 0)) == 0.2


def test_suppressed_episodes_make_no_lead(kit) -> None:
    assert lead(kit, [episode(kit, suppressed="paper")]) == []


def test_the_sentence_repeats_the_evidence_in_both_languages(kit) -> None:
    (found,) = lead(
        kit, [episode(kit), episode(kit, 1, known_minutes=60.0, production_energy=80.0)]
    )
    for number in ("80.0 kW", "0.1 kW", "120", "180"):
        assert number in found.reason["en"]
        assert number in found.reason["zh"]
    assert set(found.reason) == {"zh", "en"}
    assert "violation" not in found.reason["en"]
    assert "违法" not in found.reason["zh"]


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
        return lead(kit, [episode(kit)], [alert])[0].score

    calm = lead(kit, [episode(kit)])[0].score
    assert during() == during("D") > calm
    assert during("other") == calm


def test_a_filed_declaration_is_a_doubt(kit) -> None:
    paper = Declaration(
        enterprise_id="E",
        from_=kit.at(2, 8),
        to=kit.at(2, 8) + timedelta(hours=3),
        reason=DeclarationReason.MAINTENANCE,
        status=DeclarationStatus.FILED,
    )
    (found,) = lead(kit, [episode(kit)], declarations=[paper])
    assert any("filed" in doubt["en"] for doubt in found.doubts)
    assert all(set(doubt) == {"zh", "en"} for doubt in found.doubts)
