"""Declarations cut times and blocks; plain spells join; echoes and units that share a finding."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from analytics.episodes.declared import accepted, block_parts, covers_unit, windows
from analytics.episodes.explained import units_together, without_echoes
from analytics.episodes.plain import join_plain
from analytics.plants import plant_of
from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import to_us
from wattwitness.domain.registry import Declaration, DeclarationReason, DeclarationStatus
from wattwitness.domain.rules import RULE_VERSION
from wattwitness.domain.spells import ConditionSpell

HOUR = timedelta(hours=1)
QUARTER_US = 15 * 60_000_000


def paper(kit, from_h, to_h, circuits=(), status=DeclarationStatus.ACCEPTED):
    return Declaration(
        enterprise_id="E",
        from_=kit.at(0, from_h),
        to=kit.at(0, to_h),
        reason=DeclarationReason.MAINTENANCE,
        circuits=circuits,
        status=status,
    )


def hours(kit, parts):
    return [
        ((p.from_ - kit.at(0, 0)) / HOUR, (p.to - kit.at(0, 0)) / HOUR, bool(p.declaration_id))
        for p in parts
    ]


@pytest.mark.parametrize(
    ("papers", "expected"),
    [
        ([], [(8, 12, False)]),
        ([(9, 10)], [(8, 9, False), (9, 10, True), (10, 12, False)]),
        ([(7, 13)], [(8, 12, True)]),
        ([(7, 9), (8.5, 10)], [(8, 9, True), (9, 10, True), (10, 12, False)]),
        ([(11, 14)], [(8, 11, False), (11, 12, True)]),
        ([(12, 14)], [(8, 12, False)]),
    ],
)
def test_a_time_is_cut_at_declarations(kit, papers, expected) -> None:
    valid = [paper(kit, *p) for p in papers]
    assert hours(kit, windows(valid, kit.at(0, 8), kit.at(0, 12))) == expected


@pytest.mark.parametrize(
    ("papers", "expected"),
    [
        ([], [(8, 12, False)]),
        ([(9.1, 10)], [(8, 9, False), (9.1, 10, True), (10, 12, False)]),
        ([(7, 13)], [(8, 12, True)]),
    ],
)
def test_a_block_that_a_declaration_touches_belongs_to_it(kit, papers, expected) -> None:
    begins = to_us(kit.at(0, 8)) + np.arange(16) * QUARTER_US
    parts = block_parts([paper(kit, *p) for p in papers], begins, QUARTER_US)
    assert hours(kit, parts) == expected


@pytest.mark.parametrize("status", [DeclarationStatus.FILED, DeclarationStatus.REFUSED])
def test_only_accepted_declarations_count(kit, status) -> None:
    plant = plant_of(kit.press_and_fan(declarations=[paper(kit, 8, 9, (), status)]), "E")
    assert accepted(plant, lambda _: True) == []


@pytest.mark.parametrize(
    ("circuits", "covers"), [((), True), (("T",), True), (("P",), True), (("T2",), False)]
)
def test_a_unit_is_explained_by_itself_or_by_all_production(kit, circuits, covers) -> None:
    pairing = replace(kit.pairing, treatment=("T", "T2"))
    assert covers_unit(paper(kit, 8, 9, circuits), pairing, "T") is covers


def test_plain_spells_join_over_short_holes(kit) -> None:
    spells = [
        ConditionSpell(
            enterprise_id="E",
            kind="phase_loss",
            subject="P",
            from_=kit.at(0, a),
            to=kit.at(0, b),
            sums={"known_min": 60.0},
        )
        for a, b in ((10, 11), (11.25, 12), (23.5, 24), (24, 25))
    ]
    joined = join_plain(reversed(spells), 15.0)
    assert [len(j.spells) for j in joined] == [2, 2]
    assert joined[1].to == kit.at(1, 1)
    assert joined[0].total("known_min") == 120.0


def episode(kit, kind, from_h, to_h, circuits=("P", "T"), pairing="PT", **other):
    return Episode(
        enterprise_id="E",
        kind=kind,
        from_=kit.at(0, from_h),
        to=kit.at(0, to_h),
        detected_at=kit.at(0, from_h),
        circuits=circuits,
        pairing_id=pairing,
        confidence=other.get("confidence", 0.9),
        evidence={},
        rule_version=RULE_VERSION,
        suppressed_by=other.get("suppressed_by"),
    )


@pytest.mark.parametrize(
    ("cause", "cause_of", "echo", "left"),
    [
        ("clock_skew", ("P", "T"), "counter_anomaly", 1),
        ("frozen_reading", ("P",), "treatment_off", 1),
        ("frozen_reading", ("P2",), "treatment_off", 2),  # one of two machines
        ("frozen_reading", ("T",), "unmetered_production", 1),
        ("clock_skew", ("P", "T"), "treatment_off", 2),  # both sides are shifted alike
        ("phase_loss", ("P",), "treatment_off", 2),
    ],
)
def test_what_another_finding_explains_is_told_once(kit, cause, cause_of, echo, left) -> None:
    pairing = replace(kit.pairing, production=("P",) if cause_of != ("P2",) else ("P", "P2"))
    is_pair = echo.startswith("treatment")
    found = [
        episode(kit, cause, 9, 13, cause_of, None),
        episode(kit, echo, 10, 12, ("P", "P2", "T"), "PT" if is_pair else None),
    ]
    assert len(without_echoes(found, [pairing])) == left
    outside = replace(found[1], to=kit.at(0, 15))
    assert len(without_echoes([found[0], outside], [pairing])) == 2


def test_units_of_one_pairing_that_are_throttled_together_are_one_matter(kit) -> None:
    found = [
        episode(kit, "treatment_underload", 10, 12, ("T1",), confidence=0.8),
        episode(kit, "treatment_underload", 11, 13, ("T2",), confidence=0.9),
        episode(kit, "treatment_underload", 14, 15, ("T1",)),
        episode(kit, "treatment_underload", 10, 12, ("T3",), "other"),
    ]
    together = {(e.circuits, e.from_, e.to, e.confidence) for e in units_together(found)}
    assert (("T1", "T2"), kit.at(0, 10), kit.at(0, 13), 0.9) in together
    assert len(together) == 3


def test_what_is_declared_stays_apart(kit) -> None:
    found = [
        episode(kit, "treatment_underload", 10, 12, ("T1",)),
        episode(kit, "treatment_underload", 11, 13, ("T2",), suppressed_by="paper"),
    ]
    assert len(units_together(found)) == 2
