import numpy as np

from wattwitness.domain.bounds import outside, power_limit_kw
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.registry import Circuit, Role


def test_what_is_not_measured_is_never_outside():
    rows = empty_readings(3)
    rows["p_kw"] = [5.0, np.nan, 11.0]
    rows["u_b"] = [np.nan, -1.0, 230.0]
    assert list(outside(rows, np.full(3, 10.0))) == [(2, "p_kw"), (1, "u_b")]


def test_the_power_limit_is_generous():
    def limit(rated_kw: float | None) -> float:
        return power_limit_kw(
            Circuit(circuit_id="C", gateway_id="G", channel="c", role=Role.MAIN, rated_kw=rated_kw)
        )

    assert limit(None) == 1e6
    assert limit(150_000) == 1.5e6
    assert limit(1e9) == 2e6
