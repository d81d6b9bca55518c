import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from analytics.states.runs import runs_of


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=9)))
def test_runs_are_those_of_a_walk_along_each_row(mask) -> None:
    expected = []
    for row, own in enumerate(mask.tolist()):
        start = None
        for minute, held in enumerate([*own, False]):
            if held and start is None:
                start = minute
            elif not held and start is not None:
                expected.append((row, start, minute))
                start = None
    found = runs_of(mask)
    assert list(zip(found.row, found.start, found.end, strict=True)) == expected
    assert len(found) == len(expected)


@given(st.integers(1, 5), st.integers(1, 9))
def test_runs_of_neighbouring_rows_do_not_touch(rows, minutes) -> None:
    found = runs_of(np.ones((rows, minutes), dtype=np.bool_))
    assert found.row.tolist() == list(range(rows))
    assert (found.start.tolist(), found.end.tolist()) == ([0] * rows, [minutes] * rows)
