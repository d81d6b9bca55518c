"""A wall clock that can be moved: the collectors of this benchmark go by it.

The offset [s] is read from the file that CHAOS_CLOCK names, at most a few times a second. The
monotonic clock is left alone, as an administrator (or NTP) would leave it.
"""

import os
import sys
import time
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Final

VARIABLE: Final = "CHAOS_CLOCK"
_LOOK_S: Final = 0.1
_OURS: Final = ("collector", "wattwitness")


class MovedClock:
    """Tells the time, plus what the file says."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at_s = -1.0
        self._offset_s = 0.0
        self._time_ns = time.time_ns

    @property
    def offset_s(self) -> float:
        """By how much the clock is wrong now [s]."""
        now_s = time.monotonic()
        if now_s - self._read_at_s >= _LOOK_S:
            self._read_at_s = now_s
            text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
            self._offset_s = float(text or 0.0)
        return self._offset_s

    def time_ns(self) -> int:
        """For `time.time_ns`."""
        return self._time_ns() + int(self.offset_s * 1e9)

    def time(self) -> float:
        """For `time.time`."""
        return self.time_ns() / 1e9


def install() -> None:
    """Let this process go by a moved clock; call it once everything is imported."""
    path = os.environ.get(VARIABLE)
    if path is None:
        return
    clock = MovedClock(Path(path))

    class MovedDatetime(datetime):
        """Its `now` is moved."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            """The moved time."""
            now = datetime.now(UTC) + timedelta(seconds=clock.offset_s)
            return now.astimezone(tz) if tz else now.astimezone().replace(tzinfo=None)

    time.time_ns = clock.time_ns
    time.time = clock.time
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in _OURS and getattr(module, "datetime", None) is datetime:
            vars(module)["datetime"] = MovedDatetime
