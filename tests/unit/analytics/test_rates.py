import numpy as np
import pytest

from analytics.quality.rates import DaySlots, day_quality
from wattwitness.domain.instants import US_PER_DAY, US_PER_MINUTE
from wattwitness.domain.readings import NEVER, empty_readings

MINUTE = US_PER_MINUTE


def counted(kit, minutes, declared=(), first=0, watermark=1439, invalid=(), columns=None):
    start = kit.start_us
    rows = empty_readings(len(minutes))
    rows["ts"] = start + np.array(minutes, dtype=np.int64) * MINUTE
    for name, values in (columns or {}).items():
        rows[name] = values
    slots = DaySlots(
        circuit_id="P",
        day=kit.day0,
        bounds=(start, start + US_PER_DAY),
        interval_us=MINUTE,
        first_us=start + first * MINUTE,
        watermark_us=start + watermark * MINUTE,
        declared=[(start + a * MINUTE, start + b * MINUTE) for a, b in declared],
    )
    marks = np.isin(np.arange(len(minutes)), invalid)
    return day_quality(slots, rows["ts"], rows["received_at"], rows["resent"], marks)


def test_a_whole_day(kit) -> None:
    found = counted(kit, range(1440))
    assert (found.expected, found.received, found.valid, found.in_time) == (1440, 1440, 1440, None)
    assert found.effective_rate == 1.0


def test_losses_and_marks_multiply(kit) -> None:
    found = counted(kit, range(720), invalid=range(72))
    assert found.transmission_rate == 0.5
    assert found.validity_rate == pytest.approx(0.9)
    assert found.effective_rate == pytest.approx(0.45)


def test_a_slot_counts_once(kit) -> None:
    assert counted(kit, [0, 0, 0, 1], watermark=1).received == 2


def test_nothing_is_expected_before_the_first_reading_or_after_the_newest(kit) -> None:
    found = counted(kit, range(100, 200), first=100, watermark=199)
    assert (found.expected, found.received) == (100, 100)


def test_a_declared_window_leaves_both_sides(kit) -> None:
    found = counted(kit, [*range(600, 1440)], declared=[(0, 480)])
    assert (found.expected, found.received) == (960, 840)


def test_silence_is_expected_to_speak(kit) -> None:
    found = counted(kit, [])
    assert (found.expected, found.received, found.effective_rate) == (1440, 0, 0.0)


def test_late_and_resent_readings_are_not_in_time(kit) -> None:
    start = kit.start_us
    received = np.array([start + MINUTE, start + 30 * MINUTE, start + 2 * MINUTE, NEVER])
    columns = {"received_at": received, "resent": [False, False, True, False]}
    found = counted(kit, range(4), watermark=3, columns=columns)
    assert (found.received, found.in_time) == (4, 2), "unknown receipt is not lateness"
