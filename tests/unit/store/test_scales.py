import numpy as np

from wattwitness.domain.bounds import LIMITS, MOST_POWER_LIMIT_KW
from wattwitness.domain.readings import MEASURANDS, empty_readings
from wattwitness.store.scales import STORED, to_counts


def test_every_measurand_has_a_column():
    assert tuple(STORED) == MEASURANDS


def test_every_value_within_bounds_fits_its_column():
    largest = {">i2": 2**15 - 1, ">i4": 2**31 - 1, ">i8": 2**63 - 1}
    for name, (_, kind, scale) in STORED.items():
        limit = LIMITS.get(name, (0.0, MOST_POWER_LIMIT_KW))[1]
        assert limit * scale <= largest[kind], name


def test_counts_are_rounded_not_cut():
    rows = empty_readings(2)
    rows["p_kw"] = [12.68, -0.0006]
    rows["pf"] = [0.7321, np.nan]
    counts = to_counts(rows)
    assert counts["p_kw"].tolist() == [12680, -1]
    assert counts["pf"].tolist() == [7321, 0]
