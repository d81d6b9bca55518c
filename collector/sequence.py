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
from dataclasses import dataclass, field
from typing import Final

import msgspec

from wattwitness.domain.instants import US_PER_SECOND

FIRST_NUMBERS: Final = (0, 1)
MAX_RUNS: Final = 256
RESEND_AFTER_US: Final = 2 * US_PER_SECOND
NOTHING: Final = -1

Run = tuple[int, int]  # first and last number, both committed


class Arrival(msgspec.Struct, frozen=True, gc=False):
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
    # what no resend will fill any more: how many numbers the gateway gave up, and whether the
    # prefix began above the first number
    given_up: int = field(default=0, compare=False)
    began_middle: bool = field(default=False, compare=False)

    @property
    def confirmed(self) -> int:
        """The number to tell the gateway; -1 = nothing."""
        return NOTHING if self.prefix is None else self.prefix

    @property
    def missing(self) -> Run | None:
        """The first hole (first and last missing number), or None."""
        if not self.ahead or (self.prefix is None and self.ahead[0][0] <= FIRST_NUMBERS[-1]):
            return None
        return (0 if self.prefix is None else self.prefix) + 1, self.ahead[0][0] - 1

    @property
    def is_odd(self) -> bool:
        """Whether there is more to tell than how far it goes."""
        return bool(self.ahead) or self.given_up > 0 or self.began_middle

    @property
    def missing_count(self) -> int:
        """Numbers in all holes."""
        if not self.ahead:
            return 0
        inside = sum(last - first + 1 for first, last in self.ahead)
        return self.ahead[-1][1] - (0 if self.prefix is None else self.prefix) - inside

    @property
    def highest(self) -> int:
        """The highest number that is committed; -1 = none."""
        return self.ahead[-1][1] if self.ahead else self.confirmed

    def take(self, arrivals: Iterable[Arrival]) -> "Progress":
        """The progress once these are committed too."""
        progress, prefix = self, self.prefix
        for arrival in arrivals:
            if (  # the usual case: the next number
                arrival.seq - 1 == prefix and not progress.ahead and arrival.oldest is None
            ):
                prefix = arrival.seq
            else:
                progress = _grown(progress, prefix)
                progress = progress._take_one(arrival)  # noqa: SLF001 - one of our own kind
                prefix = progress.prefix
        return _grown(progress, prefix)

    def _take_one(self, arrival: Arrival) -> "Progress":
        seq, prefix = arrival.seq, self.prefix
        given_up, began_middle = self.given_up, self.began_middle
        if arrival.oldest is not None and (prefix is None or arrival.oldest - 1 > prefix):
            if prefix is not None:
                given_up += _absent(self.ahead, prefix + 1, arrival.oldest - 1)
            prefix = arrival.oldest - 1
            began_middle = began_middle or (self.prefix is None and prefix >= FIRST_NUMBERS[-1])
        if prefix is None and (seq in FIRST_NUMBERS or self._is_base(arrival)):
            prefix = seq
            began_middle = began_middle or seq not in FIRST_NUMBERS
        if prefix is not None:
            ahead = self.ahead if seq <= prefix else _add(self.ahead, seq)
            prefix, ahead = _absorb(prefix, ahead)
            return Progress(prefix, ahead, 0, given_up, began_middle)
        is_lowest = not self.ahead or seq < self.ahead[0][0]
        lowest_at_us = arrival.at_us if is_lowest else self.lowest_at_us
        return Progress(None, _add(self.ahead, seq), lowest_at_us, given_up, True)

    def _is_base(self, arrival: Arrival) -> bool:
        return (
            bool(self.ahead)
            and arrival.seq == self.ahead[0][0]
            and not arrival.redelivered
            and arrival.at_us - self.lowest_at_us >= RESEND_AFTER_US
        )


def _grown(progress: Progress, prefix: int | None) -> Progress:
    """The progress after some usual cases, none of which changes anything else."""
    if prefix == progress.prefix:
        return progress
    return Progress(prefix, (), 0, progress.given_up, progress.began_middle)


def _absent(runs: tuple[Run, ...], first: int, last: int) -> int:
    """How many of the numbers `first` … `last` are in no run."""
    there = (min(b, last) - max(a, first) + 1 for a, b in runs)
    return last - first + 1 - sum(n for n in there if n > 0)


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
