"""What a quick look leaves out has nothing to be found: the long way says so too."""

from datetime import date, timedelta

import numpy as np
import pytest

from analytics.detectors.unit_physics import LEAST_BLOCKS, Physics
from analytics.pairing.levels import Levels
from analytics.references import Period
from wattwitness.domain.facts import BLOCKS, FactTable
from wattwitness.domain.rules import CATALOGUE

FIRST = date(2026, 3, 2)
DAYS = tuple(FIRST + timedelta(days=n) for n in range(6))
REFERENCE = Period(DAYS[0], DAYS[2], verified=True)


def levels(rng: np.random.Generator, low: float) -> Levels:
    """A unit whose level depends on the duty, with gaps, noise and some blocks as low as told."""
    duty = rng.choice([0.0, 0.5, 1.0, 2.0, 3.0], size=(len(DAYS), BLOCKS))
    kw = (8.0 + duty) * rng.normal(1.0, 0.03, size=duty.shape)
    kw[rng.random(kw.shape) < 0.02] *= low
    kw[rng.random(kw.shape) < 0.3] = np.nan
    values = np.concatenate((kw, duty), axis=1).astype(np.float32)
    return Levels("T", FactTable(DAYS, values), REFERENCE)


@pytest.mark.parametrize("low", [1.0, 0.9, 0.6, -0.5])
def test_blocks_below_a_share_are_among_those_that_may_be(low) -> None:
    for seed in range(20):
        found = levels(np.random.default_rng(seed), low)
        for share in (0.6, 0.85, 0.93):
            below = found.ratio <= share
            assert not (below & ~found.may_be_below(share)).any()
    assert below.any()


def test_most_blocks_of_a_sound_unit_need_no_second_look() -> None:
    found = levels(np.random.default_rng(1), low=1.0)
    assert found.may_be_below(0.5).sum() == 0


def physics(rng: np.random.Generator, usual_pf: float, known: float) -> Physics:
    values = np.full((len(DAYS), 5, BLOCKS), np.nan)
    values[:, 0] = 9.0
    values[:, 1] = np.round(rng.normal(usual_pf, 0.01, size=(len(DAYS), BLOCKS)), 2)
    values[:, 1][rng.random((len(DAYS), BLOCKS)) > known] = np.nan
    values[:, 2] = rng.uniform(0.0, 0.1, size=(len(DAYS), BLOCKS))
    values[:, 3] = 1e-4
    values[:, 4] = rng.uniform(0.0, 3.0, size=(len(DAYS), BLOCKS)) * 1e-4
    values[:, :, rng.random(BLOCKS) < 0.3] = np.nan
    table = FactTable(DAYS, values.reshape(len(DAYS), -1).astype(np.float32))
    return Physics(table, REFERENCE)


@pytest.mark.parametrize("known", [1.0, 0.9, 0.05])
@pytest.mark.parametrize("usual_pf", [0.8, 0.96, 0.97, 0.99])
def test_of_a_motor_no_block_speaks_for_a_resistor(usual_pf, known) -> None:
    most = CATALOGUE["treatment_dummy_load"].parameters["motor_pf"]
    motors = 0
    for seed in range(20):
        unit = physics(np.random.default_rng(seed), usual_pf, known)
        own = unit.pf[unit.reference & np.isfinite(unit.pf)]
        median = np.median(own) if len(own) >= LEAST_BLOCKS else np.nan
        assert unit.tells_by_pf == (median <= most)
        assert unit.is_readable == bool(unit.votes[1].any())
        motors += unit.is_motor
        assert not (unit.is_motor and unit.speaks().any())
    assert (motors > 0) == (usual_pf == 0.8 and known == 1.0)
