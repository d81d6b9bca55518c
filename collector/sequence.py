"""How far a gateway's numbered messages are committed without a hole.

One value per gateway and epoch. What it confirms goes to the gateway as proof of delivery, upon
which the gateway deletes; so a wrong "yes" loses data, a wrong "not yet" costs one resend:

- Numbering starts at 1 (0 is understood when it comes first). From there the confirmed prefix grows
  over numbers that were committed, and stops before the first one that was not. Numbers committed
  beyond a hole are remembered as runs, a bounded count of them; what is forgotten is sent again.
- An epoch that nobody remembers may show up in the middle (a new database; a broker that lost the
  beginning). Its first number proves nothing about those below. The gateway is told -1, upon which
  it sends everything it still has, oldest first: when the lowest number seen so far comes in a
  second time, after at least `RESEND_AFTER_US`, nothing lower exists any more, and it is the base.
  A message that the broker delivers again, or the MQTT client repeats on a broken connection, comes
  a second time as well; the first is marked so, the second comes sooner.
- A gateway that says `oldest` saves all guessing: what lies below it was proven before, or was
  given up by the gateway, and will never come.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from wattwitness.domain.instants import US_PER_SECOND

FIRST_NUMBERS: Final = (0, 1)
MAX_RUNS: Final = 256
RESEND_AFTER_US: Final = 2 * US_PER_SECOND
NOTHING: Final = -1

Run = tuple[int, int]  # first and last number, both committed


@dataclass(frozen=True, slots=True)
class Arrival:
    """One committed message: its number, when it came, and how."""

    seq: int
    at_us: int
    oldest: int | None = None
    redelivered: bool = False  # the broker, not the gateway, sent it again


@dataclass(frozen=True, slots=True)
class Progress:
    """What is committed of one epoch: everything up to `prefix`, and the runs ahead of it."""

    prefix: int | None = None  # None: no base yet
    ahead: tuple[Run, ...] = ()  # sorted, disjoint, not touching
    lowest_at_us: int = 0  # when the lowest number of an epoch without base first came

    @property
    def confirmed(self) -> int:
        """The number to tell the gateway; -1 = nothing."""
        return NOTHING if self.prefix is None else self.prefix

    @property
    def missing(self) -> Run | None:
        """The first hole (first and last missing number), or None."""
        if self.prefix is None or not self.ahead:
            return None
        return self.prefix + 1, self.ahead[0][0] - 1

    def take(self, arrivals: Iterable[Arrival]) -> "Progress":
        """The progress once these are committed too."""
        progress = self
        for arrival in arrivals:
            progress = progress._take_one(arrival)
        return progress

    def _take_one(self, arrival: Arrival) -> "Progress":
        seq, prefix = arrival.seq, self.prefix
        if arrival.oldest is not None and (prefix is None or arrival.oldest - 1 > prefix):
            prefix = arrival.oldest - 1
        if prefix is None and (seq in FIRST_NUMBERS or self._is_base(arrival)):
            prefix = seq
        if prefix is not None:
            if seq == prefix + 1 and not self.ahead:  # the usual case
                return Progress(seq)
            ahead = self.ahead if seq <= prefix else _add(self.ahead, seq)
            return Progress(*_absorb(prefix, ahead))
        is_lowest = not self.ahead or seq < self.ahead[0][0]
        lowest_at_us = arrival.at_us if is_lowest else self.lowest_at_us
        return Progress(None, _add(self.ahead, seq), lowest_at_us)

    def _is_base(self, arrival: Arrival) -> bool:
        return (
            bool(self.ahead)
            and arrival.seq == self.ahead[0][0]
            and not arrival.redelivered
            and arrival.at_us - self.lowest_at_us >= RESEND_AFTER_US
        )


def _absorb(prefix: int, ahead: tuple[Run, ...]) -> tuple[int, tuple[Run, ...]]:
    """Move the prefix over every run that touches it."""
    taken = 0
    for first, last in ahead:
        if first > prefix + 1:
            break
        prefix = max(prefix, last)
        taken += 1
    return prefix, ahead[taken:]


def _add(runs: tuple[Run, ...], seq: int) -> tuple[Run, ...]:
    """The runs with `seq` among them; the highest run is forgotten when there are too many."""
    if runs and seq == runs[-1][1] + 1:  # the usual case beyond a hole
        return (*runs[:-1], (runs[-1][0], seq))
    merged: list[Run] = []
    new = (seq, seq)
    for run in runs:
        if run[1] + 1 < new[0]:
            merged.append(run)
        elif new[1] + 1 < run[0]:
            merged.append(new)
            new = run
        else:
            new = (min(run[0], new[0]), max(run[1], new[1]))
    return (*merged, new)[:MAX_RUNS]
