"""What the program does for its tables by itself, in every mode.

Partitions ahead, compression, retention. Run by the collector at its start and every hour. Database
policies and jobs are not used: they are absent from the Apache edition and were seen to fail under
some PostgreSQL versions. Every step stands for itself: it is written down, its failure does not
stop the others, and a run that is killed is taken up by the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from wattwitness.store.columnstore import (
    READINGS,
    ROLLUPS,
    Kept,
    chunk_bytes,
    convert,
    enable,
    ripe_chunks,
)
from wattwitness.store.database import Database
from wattwitness.store.maintenance_log import (
    RUN,
    Step,
    done_within,
    forget_old_steps,
    recorded,
)
from wattwitness.store.mode import Connection, Mode
from wattwitness.store.partitions import make_partitions_ahead
from wattwitness.store.retention import Retention, apply_retention

_LOCK: Final = 0x5757434F
_AGAIN_AFTER: Final = timedelta(hours=6)  # so that a trickle of late rows is taken in together
_LOCK_TIMEOUT_MS: Final = 5000  # a step that cannot have its lock is left to the next run


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceReport:
    """What one run did."""

    steps: Sequence[Step] = ()
    elsewhere: bool = False  # another process was at it: nothing was done here

    @property
    def compressed_chunks(self) -> int:
        """Chunks that went into the columnstore."""
        return sum(s.step in {"compress", "recompress"} and s.error is None for s in self.steps)

    @property
    def failed(self) -> list[Step]:
        """Steps that did not work."""
        return [step for step in self.steps if step.error is not None]


async def maintain(
    db: Database, now: datetime, retention: Retention | None = None
) -> MaintenanceReport:
    """Make partitions ahead, compress what is old, drop what is past keeping.

    Safe at any time and from several processes: one works, the others go away.

    Raises:
        StoreUnavailableError: the database went away; the next run takes it up.
    """
    await make_partitions_ahead(db, now.date())
    async with db.dedicated() as connection:
        # held by a session of its own: whatever ends the work ends the lock
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            return MaintenanceReport(elsewhere=True)
        await connection.execute(f"SET lock_timeout = {_LOCK_TIMEOUT_MS}")
        steps: list[Step] = []
        async with recorded(connection, RUN, None) as run:
            await _steps(connection, db, retention or Retention(), now, steps)
            run.rows_after = len(steps)
        return MaintenanceReport(steps=steps)


async def _steps(
    connection: Connection, db: Database, retention: Retention, now: datetime, steps: list[Step]
) -> None:
    steps += await apply_retention(connection, db, retention, now)
    if db.mode is Mode.TIMESCALE_FULL:
        for kept in (READINGS, ROLLUPS):
            steps += await _compress(connection, kept, now)
    await forget_old_steps(connection)


async def _compress(connection: Connection, kept: Kept, now: datetime) -> list[Step]:
    done: list[Step] = []
    await enable(connection, kept)
    for chunk in await ripe_chunks(connection, kept, now):
        name = "recompress" if chunk.again else "compress"
        if chunk.again and await done_within(
            connection, chunk.name, _AGAIN_AFTER, "compress", "recompress"
        ):
            continue
        async with recorded(connection, name, chunk.name) as step:
            step.bytes_before = await chunk_bytes(connection, chunk.name)
            await convert(connection, chunk.name)
            step.bytes_after = await chunk_bytes(connection, chunk.name)
        done.append(step)
    return done
