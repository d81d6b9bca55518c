from hypothesis import given
from hypothesis import strategies as st

from analytics.calibration import (
    BEST,
    CALIBRATION,
    UNCALIBRATED,
    Calibration,
    formatted,
    learn,
    learn_kind,
    parse,
    verdict_kind,
)
from wattwitness.domain.registry import MeasureAction
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.verdicts import VerdictCode

SAID = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


@given(SAID)
def test_more_raw_confidence_is_never_worth_less(predictions) -> None:
    table = Calibration("t", {"k": learn_kind(predictions)})
    worth = [table.probability("k", raw / 50) for raw in range(51)]
    assert worth == sorted(worth)
    assert all(0 <= p <= BEST for p in worth)


def test_many_outcomes_outweigh_the_prior_and_few_do_not() -> None:
    wrong = learn({"k": [(0.95, False)] * 200}, "t").probability("k", 0.95)
    doubtful = learn({"k": [(0.95, False)]}, "t").probability("k", 0.95)
    right = learn({"k": [(0.6, True)] * 400}, "t").probability("k", 0.6)
    assert wrong < 0.1
    assert 0.5 < doubtful < 0.9 < right <= BEST


def test_a_kind_that_was_never_found_keeps_what_it_says() -> None:
    assert UNCALIBRATED.probability("treatment_off", 0.97) == 0.97


def test_a_table_is_kept_as_it_is() -> None:
    table = learn({"a": [(0.5, True), (0.9, True)], "b": [(0.7, False)]}, "v")
    assert parse(formatted(table)) == table


def test_the_table_of_the_product_knows_only_kinds_of_the_catalogue() -> None:
    words = {verdict_kind(action, code) for action in MeasureAction for code in VerdictCode}
    assert set(CALIBRATION.knots) <= set(CATALOGUE) | words
    assert CALIBRATION.version


def test_less_than_was_ever_seen_is_worth_less() -> None:
    table = learn({"k": [(0.9, True)] * 100}, "t")
    assert table.probability("k", 0.6) < 0.7 < table.probability("k", 0.9)
