"""What time it is, by this machine's clock or, where the two disagree, by the database's."""

import time
from dataclasses import dataclass
from typing import Final

from wattwitness.store.database import Database

TOLERANCE_US: Final = 60_000_000


@dataclass(frozen=True, slots=True)
class TrustedTime:
    """An instant to count on from."""

    at_us: int  # µs since 1970
    corrected_us: int  # what this machine's clock lacked; 0 while both agree to a minute


async def trusted_time(db: Database) -> TrustedTime:
    """The time now.

    A collector whose clock jumps back by days would otherwise take every reading for one from the
    future. Of two clocks that disagree, the database's is believed: it is the one that all
    processes share.

    Raises:
        StoreUnavailableError: the database is away.
    """
    query = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    async with db.connection() as connection:
        began_s = time.monotonic()
        database_us = int(await connection.fetchval(query))
        database_us += int(0.5e6 * (time.monotonic() - began_s))
    own_us = time.time_ns() // 1000
    lacks_us = database_us - own_us
    if abs(lacks_us) <= TOLERANCE_US:
        return TrustedTime(own_us, 0)
    return TrustedTime(database_us, lacks_us)
