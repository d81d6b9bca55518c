"""The newest minutes of a fleet: power, states and pairings, moved on by each new reading.

What a reading changes is computed anew, with the functions of the batch, from four readings before
it on; everything else stands. On the same readings the minutes equal those of the batch, but for
what looks further than a few minutes:

- a register that stands still and then catches up, a meter that stands still (`frozen_reading`),
  and a lonely spike on a circuit without a nameplate are seen by the batch alone;
- a line that runs for less than three minutes over midnight is standby here on both days; the batch
  leaves the minutes before midnight running (two minutes at most);
- a run of less than three minutes is running until it has ended: so says the batch at that moment,
  too, and both call it standby a minute or two later.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analytics.grid import minute_grid, samples
from analytics.live.fleet import Fleet, Rows
from analytics.live.latches import KEEP, NOTHING, Latch, Levels, Stood, dwelt, held, states_of
from analytics.live.tail import EMPTY, Fresh, Tail
from analytics.states.dwell import DWELL_MIN
from wattwitness.domain.instants import US_PER_MINUTE
from wattwitness.domain.readings import NEVER, Readings
from wattwitness.domain.states import State

AHEAD_MIN: Final = 20
"""A reading stands for up to a quarter of an hour; what is further in the future is left out."""
WINDOW_MIN: Final = 720
STEP_MIN: Final = 120  # the window moves on by so much at a time


@dataclass(frozen=True)
class Advance:
    """What some readings changed."""

    plants: NDArray[np.intp]  # numbers of those with new readings, ascending
    turned: NDArray[np.intp]  # those of which a circuit changed its state


@dataclass(frozen=True)
class _Laid:
    """Rows of one reading interval, as `analytics.grid.Meters`."""

    keys: NDArray[np.int64]  # the place among the rows
    interval_us: NDArray[np.int64]
    rated_kw: NDArray[np.float64]
    resolution_kw: NDArray[np.float64]


class CityMinutes:
    """Arrays [circuits, minutes of the window]; minute 0 begins at `start_us`."""

    def __init__(
        self, fleet: Fleet, levels: Levels, from_us: int, window_min: int = WINDOW_MIN
    ) -> None:
        """An empty window.

        Args:
            fleet: the circuits.
            levels: their thresholds.
            from_us: earliest instant that matters [µs].
            window_min: so many of the newest minutes are kept, at least.
        """
        self.fleet = fleet
        self.levels = levels
        self.start_us = from_us // US_PER_MINUTE * US_PER_MINUTE
        self.watermark_us = from_us
        shape = (len(fleet), window_min + STEP_MIN + AHEAD_MIN)
        self.power = np.full(shape, np.nan, dtype=np.float32)
        self.states = np.full(shape, State.UNKNOWN, dtype=np.int8)
        self._running: Latch = np.full(shape, NOTHING, dtype=np.int8)
        self._energised: Latch = np.full(shape, NOTHING, dtype=np.int8)
        self._seed = np.full((2, len(fleet)), NOTHING, dtype=np.int8)  # before minute 0
        self._stood_us = np.full(len(fleet), self.start_us)
        self._stood = np.full((2, len(fleet)), KEEP, dtype=np.int8)  # as the batch told
        self._tail = Tail.of(fleet.interval_us)

    @property
    def newest(self) -> int:
        """The minute of the newest reading."""
        return self.minute(self.watermark_us)

    def minute(self, at_us: int) -> int:
        """The minute of the window that an instant lies in."""
        return int(at_us - self.start_us) // US_PER_MINUTE

    def advance(self, rows: Readings) -> Advance:
        """Take readings in, in any order; those that are known already change nothing.

        Args:
            rows: of any circuits; those of others than the fleet's are left out.
        """
        row = self.fleet.rows_of(rows["circuit"])
        received = np.where(rows["received_at"] == NEVER, rows["ts"], rows["received_at"])
        reached = np.minimum(rows["ts"], received)
        self.reach(int(reached.max(initial=self.watermark_us)))
        ahead = rows["ts"] > self.watermark_us + (AHEAD_MIN // 4) * US_PER_MINUTE
        use = (row >= 0) & ~ahead
        fresh = self._tail.take(row[use], rows[use])
        turned = self._lay(fresh)
        of = self.fleet.plant
        return Advance(plants=np.unique(of[fresh.rows]), turned=np.unique(of[turned]))

    def reach(self, watermark_us: int) -> None:
        """The data reach so far; the window moves on when it is full."""
        self.watermark_us = max(self.watermark_us, watermark_us)
        over = self.newest + AHEAD_MIN + 1 - self.power.shape[1]
        if over > 0:
            self._move(min(-(-over // STEP_MIN) * STEP_MIN, self.power.shape[1]))

    def fresh_since_us(self, plant: int) -> NDArray[np.int64]:
        """Since when readings of a plant's circuits may be new, if they come as usual [rows]."""
        return self._told_us(plant, -3)

    def tail_since_us(self, plant: int) -> NDArray[np.int64]:
        """Since when readings of a plant's circuits are taken in at all [rows]."""
        return self._told_us(plant, 0)

    def reaches_us(self, plant: int) -> int:
        """Data time of a plant's newest reading; EMPTY = it has sent none."""
        return int(self._tail.ts[self.fleet.span(plant), -1].max(initial=EMPTY))

    def _told_us(self, plant: int, slot: int) -> NDArray[np.int64]:
        ts = self._tail.ts[self.fleet.span(plant), slot]
        silent_us = self.watermark_us - AHEAD_MIN * US_PER_MINUTE
        return np.where(ts == EMPTY, silent_us, ts)

    def _move(self, minutes: int) -> None:
        last = minutes - 1
        self._seed = np.stack((self._running[:, last], self._energised[:, last]))
        for window, nothing in (
            (self.power, np.nan),
            (self.states, State.UNKNOWN),
            (self._running, NOTHING),
            (self._energised, NOTHING),
        ):
            window[:, :-minutes] = window[:, minutes:]
            window[:, -minutes:] = nothing
        left = self.start_us + minutes * US_PER_MINUTE
        late = (self.watermark_us - left) // US_PER_MINUTE >= self.power.shape[1] - AHEAD_MIN
        self.start_us = self.watermark_us // US_PER_MINUTE * US_PER_MINUTE if late else left

    def _lay(self, fresh: Fresh) -> Rows:
        """Minutes of what came; the rows whose newest state is another now."""
        turned = [np.zeros(0, dtype=np.intp)]
        interval_us = self.fleet.interval_us[fresh.rows]
        # what comes every minute or more often is laid together, over few minutes
        kind = np.maximum(interval_us, US_PER_MINUTE)
        for one in np.unique(kind).tolist():
            chosen = np.flatnonzero(kind == one)
            part = replace(
                fresh,
                rows=fresh.rows[chosen],
                redo_us=fresh.redo_us[chosen],
                ts=fresh.ts[chosen],
                p_kw=fresh.p_kw[chosen],
                e_kwh=fresh.e_kwh[chosen],
            )
            turned.append(self._lay_alike(part, one))
        return np.sort(np.concatenate(turned))

    def _lay_alike(self, fresh: Fresh, hold_us: int) -> Rows:
        """Lay rows of one reading interval."""
        fleet, rows = self.fleet, fresh.rows
        meters = _Laid(
            np.arange(len(rows)),
            fleet.interval_us[rows],
            fleet.rated_kw[rows],
            fleet.resolution_kw[rows],
        )
        first = np.maximum((fresh.redo_us - self.start_us) // US_PER_MINUTE, 0)
        begin = int(first.min())
        end = min(self.newest + -(-hold_us // US_PER_MINUTE) + 6, self.power.shape[1])
        if end <= begin:
            return rows[:0]
        found = samples(fresh.readings(), meters, whole=False)
        laid = minute_grid(found, meters, self.start_us + begin * US_PER_MINUTE, end - begin)
        stands = np.arange(begin, end) < first[:, np.newaxis]
        self.power[rows, begin:end] = np.where(stands, self.power[rows, begin:end], laid)
        return self._classify(rows, begin, end)

    def _classify(self, rows: Rows, begin: int, end: int) -> Rows:
        """States of [begin, end) anew; the rows whose newest state is another now."""
        look = max(0, begin - DWELL_MIN - 1)  # a short run, and the minute before it
        levels, power = self.levels[rows], self.power[rows, look:end]
        latches = self._running, self._energised
        seed = self._seed[:, rows] if begin == 0 else [word[rows, begin - 1] for word in latches]
        new = power[:, begin - look :]
        at = (self._stood_us[rows] - self.start_us) // US_PER_MINUTE - begin
        stood = [Stood(at, word[rows]) for word in self._stood]
        running = held(seed[0], new, levels.running_kw, levels.running_release_kw, stood[0])
        energised = held(seed[1], new, levels.standby_kw, levels.standby_release_kw, stood[1])
        self._running[rows, begin:end], self._energised[rows, begin:end] = running, energised
        raw = states_of(
            power, self._running[rows, look:end], self._energised[rows, look:end], levels
        )
        states = dwelt(raw, self.fleet.dwells[rows])
        keep = max(0, begin - DWELL_MIN + 1 - look) if look else 0  # the runs that may end now
        was = self.states[rows, look:end]
        self.states[rows, look + keep : end] = states[:, keep:]
        now = min(max(self.newest, begin), end - 1) - look
        before, after = _newest_known(was[:, : now + 1]), _newest_known(states[:, : now + 1])
        return np.asarray(rows[before != after])

    def conditions(self, minutes: int) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """`Condition` of "production runs, no unit works", and of "fewer than required do".

        Returns:
            Each [pairings, minutes + AHEAD_MIN - 1]: so many minutes up to the newest reading's,
            and those after it, for which it may stand.
        """
        span = slice(max(0, self.newest + 1 - minutes), self.newest + AHEAD_MIN)
        level = self.levels.running_level_kw
        return self.fleet.pairs.conditions(self.states[:, span], self.power[:, span], level)

    def stood(self, plant: int, at_us: int, words: Latch) -> None:
        """How a plant's circuits stood before an instant, as the batch tells; from there on anew.

        So minutes after it do not depend on since when this window is filled.

        Args:
            plant: its number in the fleet.
            at_us: the instant; what lies before the window is not looked at.
            words: that power spoke last, running and energised; KEEP = nothing is told [2, rows].
        """
        rows, minute = self.fleet.span(plant), self.minute(at_us)
        self._stood_us[rows], self._stood[:, rows] = at_us, words
        if not 0 < minute < self.power.shape[1]:
            return
        before = np.stack([word[rows, minute - 1] for word in (self._running, self._energised)])
        if ((words != KEEP) & (words != before)).any():
            self._classify(np.arange(rows.start, rows.stop), minute, self.power.shape[1])

    def learn(self, plant: int, levels: Levels) -> bool:
        """Thresholds of a plant, as the batch uses them now; whether they were others."""
        rows = self.fleet.span(plant)
        if self.levels.equals(rows, levels):
            return False
        self.levels.put(rows, levels)
        self._classify(np.arange(rows.start, rows.stop), 0, self.power.shape[1])
        return True


def _newest_known(states: NDArray[np.int8]) -> NDArray[np.int8]:
    """The last known state of each row among a few minutes; UNKNOWN = none is known."""
    known = states[:, ::-1] != State.UNKNOWN
    last = states.shape[1] - 1 - np.argmax(known, axis=1)
    newest = states[np.arange(len(states)), last]
    return np.where(known.any(axis=1), newest, State.UNKNOWN).astype(np.int8)
