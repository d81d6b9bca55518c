import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattwitness.domain.bounds import LIMITS, MOST_POWER_LIMIT_KW
from wattwitness.domain.registry import Circuit, Role
from wattwitness.store.quanta import (
    FIXED_SCALES,
    STORED,
    energy_quantum_wh,
    power_quantum_w,
)


def circuit(**values):
    return Circuit(circuit_id="C", gateway_id="G", channel="P", role=Role.MAIN, **values)


@pytest.mark.parametrize(
    ("resolution_kw", "quantum_w"),
    [(None, 1), (0.001, 1), (0.01, 1), (0.1, 10), (0.5, 10), (1.0, 100), (10.0, 100), (100.0, 100)],
)
def test_power_is_counted_finer_than_the_meter_shows(resolution_kw, quantum_w):
    assert power_quantum_w(circuit(resolution_kw=resolution_kw)) == quantum_w


@given(st.floats(0.0001, 1000))
def test_the_quantum_never_exceeds_a_tenth_of_the_resolution_unless_it_is_a_watt(resolution_kw):
    quantum = power_quantum_w(circuit(resolution_kw=resolution_kw))
    assert quantum == 1 or quantum <= resolution_kw * 1000 / 10 * (1 + 1e-9)


@pytest.mark.parametrize(("resolution", "quantum"), [(0.01, 10), (0.1, 10), (0.001, 1)])
def test_energy_is_counted_as_the_register_does(resolution, quantum):
    assert energy_quantum_wh(circuit(register_resolution_kwh=resolution)) == quantum


def test_every_value_within_bounds_fits_its_column():
    largest = {">i2": 2**15 - 1, ">i4": 2**31 - 1, ">i8": 2**63 - 1}
    for name, (_, kind) in STORED.items():
        limit = LIMITS.get(name, (0.0, MOST_POWER_LIMIT_KW))[1]
        scale = FIXED_SCALES.get(name, 1000.0)
        assert limit * scale <= largest[kind], name
