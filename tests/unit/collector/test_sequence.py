from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collector.sequence import MAX_RUNS, RESEND_AFTER_US, Arrival, Progress

LATER = RESEND_AFTER_US


def come(*numbers: int, at_us: int = 0) -> list[Arrival]:
    return [Arrival(n, at_us) for n in numbers]


def test_from_one_or_zero_without_a_hole():
    assert Progress().take(come(1, 2, 3)).confirmed == 3
    assert Progress().take(come(0, 1, 2)).confirmed == 2
    assert Progress().confirmed == -1


def test_a_hole_holds_the_proof_back_until_it_is_filled():
    progress = Progress(9).take(come(10, 12, 13, 15))
    assert (progress.confirmed, progress.ahead) == (10, ((12, 13), (15, 15)))
    assert progress.missing == (11, 11)
    progress = progress.take(come(11))
    assert (progress.confirmed, progress.missing) == (13, (14, 14))
    assert progress.take(come(14)) == Progress(15)


def test_what_is_below_the_prefix_changes_nothing():
    assert Progress(9).take(come(3, 9)) == Progress(9)


def test_an_unknown_epoch_in_the_middle_proves_nothing_below():
    progress = Progress().take(come(42, 43, 44))
    assert progress.confirmed == -1
    assert progress.take(come(40, 41)).confirmed == -1
    assert progress.take(come(1)).confirmed == 1


def test_the_lowest_number_sent_again_is_the_base():
    progress = Progress().take([*come(42, 43, 44), *come(42, at_us=LATER)])
    assert progress == Progress(44)


def test_a_redelivered_or_early_repetition_is_no_base():
    seen = Progress().take(come(42, 43))
    assert seen.take([Arrival(42, LATER, redelivered=True)]).confirmed == -1
    assert seen.take(come(42, at_us=LATER - 1)).confirmed == -1
    assert seen.take(come(43, at_us=LATER)).confirmed == -1


def test_a_lower_number_starts_the_wait_again():
    seen = Progress().take([*come(42), *come(40, at_us=LATER)])
    assert seen.take(come(42, at_us=LATER)).confirmed == -1
    assert seen.take(come(40, at_us=LATER + 1)).confirmed == -1
    assert seen.take(come(40, at_us=2 * LATER)).confirmed == 40


def test_a_gateway_that_says_its_oldest_needs_no_guess():
    assert Progress().take([Arrival(42, 0, oldest=42)]) == Progress(42)
    assert Progress().take([Arrival(42, 0, oldest=40)]).missing == (40, 41)
    assert Progress().take([Arrival(1, 0, oldest=0)]).confirmed == -1
    given_up = Progress(5, ((10, 12),)).take([Arrival(13, 0, oldest=10)])
    assert given_up == Progress(13)


def test_runs_are_bounded_and_forgotten_from_the_top():
    progress = Progress(0).take(come(*range(2, 4 * MAX_RUNS, 2)))
    assert len(progress.ahead) <= MAX_RUNS
    assert progress.ahead[0] == (2, 2)
    assert progress.take(come(1)).confirmed == 2


@given(st.integers(-1, 3), st.permutations(range(12)), st.integers(0, 12))
def test_the_order_of_arrival_does_not_matter(prefix: int, order: list[int], n: int):
    came = order[:n]
    progress = Progress(prefix).take(come(*came))
    expected = prefix
    while expected + 1 in came:
        expected += 1
    assert progress.confirmed == expected
    remembered = {k for first, last in progress.ahead for k in range(first, last + 1)}
    assert remembered == {k for k in came if k > expected}


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3)), max_size=60))
def test_nothing_is_confirmed_that_did_not_come_from_its_base_on(arrivals: list[tuple[int, int]]):
    progress, came = Progress(), set()
    base: int | None = None
    for seq, wait in arrivals:
        before = progress.prefix
        came.add(seq)
        progress = progress.take([Arrival(seq, wait * RESEND_AFTER_US)])
        if before is None and progress.prefix is not None:
            base = seq
            assert seq in {0, 1} or seq == min(came)
        if before is not None and progress.prefix is not None:
            assert progress.prefix >= before
        if base is not None:
            assert all(k in came for k in range(base, progress.confirmed + 1))
        runs = progress.ahead
        assert all(a[1] + 1 < b[0] for a, b in pairwise(runs))


def test_what_is_missing_is_told_by_number():
    progress = Progress(3).take(come(5, 6, 9))
    assert (progress.missing, progress.missing_count, progress.highest) == ((4, 4), 3, 9)
    progress = progress.take(come(4))
    assert (progress.missing, progress.missing_count) == ((7, 8), 2)
    assert progress.take(come(7, 8)).missing_count == 0
    assert not progress.take(come(7, 8)).is_odd


def test_an_epoch_that_began_in_the_middle_misses_its_beginning():
    progress = Progress().take(come(42, 44))
    assert (progress.missing, progress.missing_count) == ((1, 41), 42)
    assert progress.began_middle
    from_the_start = progress.take(come(*range(1, 42), 43))
    assert (from_the_start.confirmed, from_the_start.missing) == (44, None)


def test_numbers_that_the_gateway_gives_up_are_counted():
    progress = Progress(5, ((8, 9),)).take([Arrival(13, 0, oldest=12)])
    assert (progress.prefix, progress.given_up) == (11, 4)  # 6, 7, 10 and 11
    assert progress.missing == (12, 12)
    assert progress.take(come(12)).given_up == 4
    assert Progress().take([Arrival(7, 0, oldest=7)]).began_middle
    assert not Progress().take([Arrival(1, 0, oldest=1)]).began_middle


@given(st.lists(st.integers(1, 30), max_size=40))
def test_the_count_of_what_is_missing_is_the_number_of_holes(numbers: list[int]):
    progress = Progress().take(come(1, *numbers))
    there = {1, *numbers}
    assert progress.highest == max(there)
    assert progress.missing_count == max(there) - len(there)
