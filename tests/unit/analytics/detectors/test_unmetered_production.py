from datetime import timedelta

import numpy as np
import pytest

from analytics.detectors import unmetered_production
from analytics.detectors.unmetered_production import MAIN_FACT, children
from wattwitness.domain.facts import BLOCKS
from wattwitness.domain.registry import Declaration, DeclarationReason

DAYS = 20
WORK = (np.arange(BLOCKS) >= 32) & (np.arange(BLOCKS) < 72)


def balance(missing_kw=0.0, day=12, blocks=slice(40, 60), days=1):
    """Sub-meters 100 kW at work, 10 kW at night, the main 4 kW more; a part of it unseen."""
    rng = np.random.default_rng(3)
    found = []
    for n in range(DAYS):
        true = np.where(WORK, 100.0, 10.0) + rng.normal(0, 0.5, BLOCKS)
        subs = true.copy()
        if day <= n < day + days:
            subs[blocks] -= missing_kw
        found.append(np.concatenate((true + 4.0 + rng.normal(0, 0.4, BLOCKS), subs)))
    return found


def episodes(drawn, kit, values, declarations=()):
    plant = drawn.plant("M P T", declarations=declarations)
    facts = drawn.facts(MAIN_FACT, "M", drawn.day, values)
    verified = (kit.at(0, 0), kit.at(7, 0))
    return unmetered_production.episodes(
        drawn.history(plant, drawn.day, DAYS, facts=facts, verified=verified)
    )


@pytest.mark.parametrize(
    ("missing_kw", "blocks", "count"),
    [
        (0.0, slice(40, 60), 0),
        (15.0, slice(40, 60), 1),
        (15.0, slice(40, 43), 0),  # three quarters of an hour
        (3.0, slice(40, 43), 0),
        (3.5, slice(0, 96), 1),  # small, but for a day
        (1.0, slice(0, 96), 0),
        (-12.0, slice(40, 60), 1),  # the sub-meters see more than the main
    ],
)
def test_what_the_main_sees_and_the_others_do_not(drawn, kit, missing_kw, blocks, count) -> None:
    values = balance(missing_kw, blocks=blocks)
    assert len(episodes(drawn, kit, values)) == count


def test_bounds_and_numbers(drawn, kit) -> None:
    (episode,) = episodes(drawn, kit, balance(20.0))
    assert (episode.from_, episode.to) == (kit.at(12, 10), kit.at(12, 15))
    assert episode.detected_at == kit.at(12, 11)
    assert episode.evidence["residual_mean"]["value"] == pytest.approx(24.0, abs=0.3)
    assert episode.evidence["usual_residual"]["value"] == pytest.approx(4.0, abs=0.1)


def test_nights_without_the_load_do_not_end_it(drawn, kit) -> None:
    (episode,) = episodes(drawn, kit, balance(20.0, blocks=slice(36, 68), days=3))
    assert (episode.to - episode.from_) == timedelta(days=2, hours=8)


@pytest.mark.parametrize(("circuits", "parts"), [((), [False, True, False]), (("P",), [False])])
def test_only_a_declaration_of_all_circuits_cuts_it(drawn, kit, circuits, parts) -> None:
    paper = Declaration(
        enterprise_id="E",
        from_=kit.at(12, 11),
        to=kit.at(12, 13),
        reason=DeclarationReason.TRIAL,
        circuits=circuits,
    )
    found = episodes(drawn, kit, balance(20.0), [paper])
    assert [bool(e.suppressed_by) for e in found] == parts


def test_the_children_of_a_main(drawn) -> None:
    assert children(drawn.plant("M P T"), "M") == ["P", "T"]
    assert children(drawn.plant("M M2 P T"), "M") == []  # two mains: whose are they?
    assert children(drawn.plant("M", []), "M") == []


def test_blocks_in_which_a_sub_meter_is_silent_are_not_balanced(drawn) -> None:
    plant = drawn.plant("M P T")
    power = {"M": np.full(1440, 60.0), "P": np.full(1440, 50.0), "T": np.full(1440, 9.0)}
    power["T"][600:640] = np.nan
    (fact,) = unmetered_production.facts(drawn.judged(plant, drawn.day, power))
    main, subs = fact.values.reshape(2, BLOCKS)
    assert np.flatnonzero(np.isnan(main)).tolist() == [40, 41, 42]
    assert np.nanmax(subs) == pytest.approx(59.0)
