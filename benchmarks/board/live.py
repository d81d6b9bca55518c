"""Live minutes: every enterprise says its minute at a moment of its own, at the real rate."""

import asyncio
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.board.city import City, name_of
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import US_PER_MINUTE
from wattwitness.store.database import Database
from wattwitness.store.readings import write_batch

TICK_S = 0.2  # as long as the collector gathers a batch
MINUTE_S = 60.0


@dataclass
class Committed:
    """When readings were committed."""

    # enterprise, ts → begin and end of its write; the commit lies between them, near the end
    at_s: dict[tuple[str, int], tuple[float, float]] = field(default_factory=dict)
    readings: int = 0
    began_s: float = 0.0
    write_s: list[float] = field(default_factory=list)
    late_s: float = 0.0  # how far the writing fell behind its plan at most


@dataclass(frozen=True)
class Wish:
    """What is asked for."""

    enterprises: int
    minutes: int  # live ones
    boards: int
    days: int  # of history
    together: bool  # all enterprises at the beginning of each minute, instead of evenly over it
    follow: bool  # the batch follows as well


async def publish(db: Database, city: City, keys: NDArray[np.int64], wish: Wish) -> Committed:
    """Write the live minutes, each when it is due.

    Args:
        db: the database.
        city: whose readings.
        keys: circuit keys [enterprises, 20].
        wish: how many minutes, and how.
    """
    found = Committed()
    numbers = np.arange(city.enterprises)
    offset_s = numbers * 0.0 if wish.together else numbers * MINUTE_S / city.enterprises
    await asyncio.sleep(max(0.0, city.live_from_us / 1e6 - time.time()))
    found.began_s = start_s = time.monotonic()
    for minute in range(wish.minutes):
        ts = city.live_from_us + minute * US_PER_MINUTE
        sent = 0
        while sent < len(numbers):
            due_s = start_s + minute * MINUTE_S + offset_s
            now_s = time.monotonic()
            upto = int(np.searchsorted(due_s, now_s, side="right"))
            if upto <= sent:
                await asyncio.sleep(max(TICK_S, due_s[sent] - now_s))
                continue
            found.late_s = max(found.late_s, now_s - due_s[sent])
            rows = city.readings(numbers[sent:upto], keys, ts, 1)
            rows["received_at"] = time.time_ns() // 1000
            await write_batch(db, IngestBatch(rows=rows, from_gateways=False))
            done_s = time.monotonic()
            found.write_s.append(done_s - now_s)
            found.readings += len(rows)
            span = now_s, done_s
            found.at_s.update({(name_of(n), ts): span for n in numbers[sent:upto].tolist()})
            sent = upto
    return found
