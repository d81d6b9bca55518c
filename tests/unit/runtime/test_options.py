from datetime import UTC, datetime

import pytest
import typer

from wattwitness.runtime.options import instant_option


def test_an_instant_is_taken_with_its_offset():
    assert instant_option("2026-03-01T08:00:00+08:00") == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("yesterday", "is not a timestamp - write RFC 3339"),
        ("2026-03-01T08:00:00", "has no offset"),
        ("0001-01-01T00:00:00+08:00", "beyond the calendar"),
        ("9999-12-31T23:00:00-08:00", "beyond the calendar"),
    ],
)
def test_what_is_none_is_refused_with_a_remedy(text, words):
    with pytest.raises(typer.BadParameter, match=words):
        instant_option(text)
