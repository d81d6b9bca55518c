"""What a watcher did in the last minute: one line of its log."""

from dataclasses import dataclass
from typing import Final

import structlog

TELL_S: Final = 60.0
log = structlog.get_logger()


@dataclass
class Tally:
    """Counts since the last line."""

    what: str = "watched"
    polls: int = 0
    readings: int = 0
    judged: int = 0
    written: int = 0
    advance_s: float = 0.0  # moving the minutes on
    judge_s: float = 0.0
    load_s: float = 0.0  # taking over what the batch has stored
    began_s: float = 0.0  # by the watcher's clock

    def tell(self, now_s: float, **standing: int) -> "Tally":
        """Say so if a minute is over; what goes on being counted in."""
        if now_s < self.began_s + TELL_S:
            return self
        log.info(
            self.what,
            **standing,
            polls=self.polls,
            readings=self.readings,
            judged=self.judged,
            written=self.written,
            advance_s=round(self.advance_s, 3),
            judge_s=round(self.judge_s, 3),
            load_s=round(self.load_s, 3),
        )
        return Tally(self.what, began_s=now_s)
