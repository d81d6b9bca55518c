"""How a lead could be wrong: each check says what it can, and no more."""

from datetime import UTC, date, datetime

import pytest

from dashboards.doubts import (
    Standing,
    doubt_coverage,
    doubt_declared,
    doubt_late,
    doubt_reference,
    doubt_reversed,
    doubt_testability,
    overlapping,
)
from wattwitness.domain.quality import DayQuality
from wattwitness.domain.registry import (
    Declaration,
    DeclarationReason,
    DeclarationStatus,
    Enterprise,
)
from wattwitness.domain.testability import Testability


def at(hour: int) -> datetime:
    return datetime(2026, 1, 1, hour, tzinfo=UTC)


def declaration(status: DeclarationStatus) -> Declaration:
    return Declaration(
        enterprise_id="E1", from_=at(8), to=at(12), reason=DeclarationReason.STOP, status=status
    )


def quality(valid: int, in_time: int | None) -> DayQuality:
    return DayQuality(
        circuit_id="C",
        day=date(2026, 1, 1),
        expected=100,
        received=valid,
        valid=valid,
        in_time=in_time,
    )


def test_only_what_overlaps_counts():
    found = declaration(DeclarationStatus.ACCEPTED)
    assert overlapping([found], at(12), at(13)) == []
    assert overlapping([found], at(11), at(13)) == [found]


def test_declared():
    assert doubt_declared([]).standing is Standing.FINE
    assert doubt_declared([declaration(DeclarationStatus.REFUSED)]).standing is Standing.FINE
    filed = doubt_declared([declaration(DeclarationStatus.FILED)])
    assert filed.standing is Standing.CAUTION
    assert filed.numbers == {"accepted": 0, "filed": 1, "refused": 0}


@pytest.mark.parametrize(
    ("rows", "standing"),
    [
        ([], Standing.UNKNOWN),
        ([quality(90, None)], Standing.FINE),
        ([quality(89, None)], Standing.CAUTION),
        ([quality(200, None), quality(0, None)], Standing.CAUTION),  # a surplus hides no silence
    ],
)
def test_coverage(rows, standing):
    assert doubt_coverage(rows).standing is standing


@pytest.mark.parametrize(
    ("rows", "standing"),
    [
        ([quality(100, None)], Standing.UNKNOWN),
        ([quality(100, 95)], Standing.FINE),
        ([quality(100, 60)], Standing.CAUTION),
        ([quality(0, 0)], Standing.UNKNOWN),
    ],
)
def test_late(rows, standing):
    assert doubt_late(rows).standing is standing


@pytest.mark.parametrize(
    ("low", "high", "standing"),
    [
        (None, None, Standing.UNKNOWN),
        (0.0, 200.0, Standing.FINE),
        (-3.0, 200.0, Standing.FINE),  # within the noise of the meter
        (-40.0, 200.0, Standing.CAUTION),
        (-200.0, 0.0, Standing.CAUTION),
    ],
)
def test_reversed(low, high, standing):
    assert doubt_reversed(low, high).standing is standing


def test_reference():
    assert doubt_reference(Enterprise(enterprise_id="E", name="E")).standing is Standing.CAUTION
    known = Enterprise(enterprise_id="E", name="E", verified_from=at(1), verified_to=at(2))
    assert doubt_reference(known).standing is Standing.FINE


def test_not_testable_is_never_clean():
    def row(why: str) -> Testability:
        return Testability(
            enterprise_id="E", kind="treatment_off", pairing_id=None, testable=not why, why=why
        )

    assert doubt_testability([row(""), row("not_applicable")]).standing is Standing.FINE
    found = doubt_testability([row("only_main_meter"), row("not_yet_judged"), row("")])
    assert found.standing is Standing.UNKNOWN
    assert found.numbers == {"rules": 1, "unbuilt": 1}
