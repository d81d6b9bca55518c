"""Courses: what was said of an enterprise under an alert, minute by minute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from wattwitness.domain.instants import US_PER_MINUTE
from wattwitness.domain.verdicts import Verdict

PIECE_US: Final = 30 * US_PER_MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What was said of an enterprise at a minute."""

    minute_us: int
    verdict: Verdict  # without its measures
    heard_us: int  # its newest reading; 0 = never


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Half an hour of a late course."""

    begins_us: int
    rests_on: bytes  # digest of all that it was judged from
    moments: Sequence[Moment]


@dataclass(frozen=True, slots=True, kw_only=True)
class LateStand:
    """The late courses of an enterprise that are kept."""

    since: datetime | None  # alerts that were lifted before get none; None = all get one
    pieces: Mapping[str, Mapping[int, bytes]]  # alert id → begin [µs] → what it rests on
