"""Whatever a row holds, its form gives back every count."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattwitness.domain.readings import MEASURANDS, empty_readings
from wattwitness.store.forms import KINDS, Steps, needed, restore, shorten
from wattwitness.store.scales import STORED

COUNTS = {
    "p_kw": 2 * 10**9, "e_kwh": 10**14, "q_kvar": 2 * 10**9,
    **dict.fromkeys(("u_a", "u_b", "u_c"), 10**7), **dict.fromkeys(("i_a", "i_b", "i_c"), 10**8),
    "pf": 10_050,
}  # fmt: skip


def any_counts(name):
    """Small, large and round ones."""
    most = COUNTS[name]
    least = 0 if name.startswith("u") else -most
    return st.builds(
        lambda n, step: max(least, min(most, n * step)),
        st.one_of(st.integers(0 if least == 0 else -5000, 5000), st.integers(least, most)),
        st.sampled_from((1, 10, 100, 1000)),
    )


ROW = st.fixed_dictionaries({m: st.one_of(st.none(), any_counts(m)) for m in MEASURANDS})


def readings_of(*counts):
    """Readings whose counts these are."""
    rows = empty_readings(len(counts))
    for k, row in enumerate(counts):
        rows["circuit"][k] = k % 3
        for name, n in row.items():
            rows[name][k] = np.nan if n is None else n / STORED[name][2]
    return rows


def read_back(rows, form, stored, columns=MEASURANDS):
    missing = {m: np.isnan(rows[m]) for m in needed(columns)}
    nothing = np.full(len(rows), -5.0)
    return restore(form, {m: stored.get(m, nothing) for m in needed(columns)}, missing)


@given(counts=st.lists(ROW, min_size=1, max_size=8), columns=st.sets(st.sampled_from(MEASURANDS)))
def test_nothing_is_lost(counts, columns):
    rows = readings_of(*counts)
    form, stored = shorten(rows, Steps())
    back = read_back(rows, form, stored, columns)
    for name in columns:
        there = ~np.isnan(rows[name])
        if not there.any():
            continue
        np.testing.assert_array_equal(back[name][there] / STORED[name][2], rows[name][there])
        held, within = stored[name][there], np.iinfo(STORED[name][1])
        assert ((held > within.min) & (held <= within.max)).all(), "the least value says missing"
        assert (held == np.rint(held)).all()


def test_rows_without_a_form_are_as_they_are():
    counts = dict.fromkeys(MEASURANDS, 7)
    rows, sevens = readings_of(counts), {m: np.array([7.0]) for m in MEASURANDS}
    back = read_back(rows, np.array([-32_768]), sevens)
    assert all(back[m] == 7 for m in MEASURANDS)


def test_steps_only_become_finer():
    steps, keys = Steps(), np.array([1, 1, 2], dtype=np.int32)

    def exponents(*p_w):
        form, _ = steps.learn(keys, {"p_kw": np.array(p_w, dtype=np.float64)})
        return (form & 3).tolist()

    assert exponents(0, 0, 0) == [3, 3, 3]
    assert exponents(84_700, 85_000, 66_000) == [2, 2, 3]
    assert exponents(90_000, 84_701, 66_000) == [0, 0, 3]
    assert exponents(0, 0, 0) == [0, 0, 3]


def test_threads_may_learn_at_once():
    steps = Steps()

    def work(seed):
        rng = np.random.default_rng(seed)
        for n in range(1, 200):
            keys = rng.integers(0, n, 50).astype(np.int32)
            counts = np.round(rng.uniform(0, 1e6, 50), -int(rng.integers(0, 4)))
            form, plain = steps.learn(keys, {"p_kw": counts})
            assert (plain["p_kw"] * 10.0 ** (form & 3) == counts).all()
            assert (plain["p_kw"] == np.rint(plain["p_kw"])).all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(8)))


def test_a_balanced_circuit_leaves_little():
    counts = {
        "p_kw": 84_700, "e_kwh": 120_345_670, "q_kvar": 12_300, "u_a": 2291, "u_b": 2302,
        "u_c": 2288, "i_a": 12_450, "i_b": 12_390, "i_c": 12_470, "pf": 9900,
    }  # fmt: skip
    form, stored = shorten(readings_of(counts), Steps())
    assert {m: int(values[0]) for m, values in stored.items()} == {
        "p_kw": 847, "e_kwh": 12_034_567, "q_kvar": 123, "u_a": 2291, "u_b": 11, "u_c": -8,
        "i_a": 0, "i_b": 0, "i_c": 0, "pf": 0,
    }  # fmt: skip
    assert [int(form[0]) >> 2 * k & 3 for k in range(len(KINDS))] == [2, 1, 2, 0, 1, 2]


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        (("p_kw", "e_kwh"), ("p_kw", "e_kwh")),
        (("u_b",), ("u_a", "u_b")),
        (("pf",), ("p_kw", "q_kvar", "pf")),
        (("i_a",), ("p_kw", "q_kvar", "u_a", "i_a")),
        (("i_c",), ("p_kw", "q_kvar", "u_a", "u_b", "u_c", "i_a", "i_b", "i_c")),
    ],
)
def test_what_has_to_be_read(asked, read):
    assert needed(asked) == read
