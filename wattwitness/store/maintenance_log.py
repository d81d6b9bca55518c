"""What maintenance did: one row a step, whether it worked or not."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg

from wattwitness.domain.errors import StoreBusyError, StoreRefusesError, StoreUnavailableError
from wattwitness.store.database import Database
from wattwitness.store.mode import Connection
from wattwitness.store.translation import translated

_KEEP = """
INSERT INTO maintenance_log (began_at, seconds, step, object, rows_before, rows_after,
                             bytes_before, bytes_after, error)
VALUES (now() - make_interval(secs => $1), $1, $2, $3, $4, $5, $6, $7, $8)
"""
_RECENT = """
SELECT began_at, seconds, step, object, rows_before, rows_after, bytes_before, bytes_after, error
FROM maintenance_log ORDER BY step_id DESC LIMIT $1
"""
_DONE_WITHIN = """
SELECT EXISTS (SELECT FROM maintenance_log
               WHERE object = $1 AND began_at > now() - $2::interval AND step = ANY ($3)
                 AND error IS NULL)
"""
RUN: Final = "run"  # a whole run, after its steps
_FORGET = "DELETE FROM maintenance_log WHERE began_at < now() - interval '400 days'"


@dataclass(slots=True, kw_only=True)
class Step:
    """One thing that maintenance did or tried."""

    step: str
    object: str | None = None
    rows_before: int | None = None
    rows_after: int | None = None
    bytes_before: int | None = None
    bytes_after: int | None = None
    seconds: float = 0.0
    error: str | None = None
    began_at: datetime | None = None  # when it is read back


@asynccontextmanager
async def recorded(connection: Connection, name: str, what: str | None) -> AsyncIterator[Step]:
    """Do a step and write down what came of it; its failure is a record, and ends nothing else.

    Raises:
        StoreUnavailableError: the connection is gone, so that nothing can be written down.
    """
    step, began_s = Step(step=name, object=what), time.monotonic()
    try:
        async with translated():
            yield step
    except (StoreBusyError, StoreRefusesError, StoreUnavailableError) as error:
        step.error = str(error)
    except asyncpg.IntegrityConstraintViolationError as error:
        step.error = str(error)
    step.seconds = time.monotonic() - began_s
    async with translated():
        await connection.execute(
            _KEEP, step.seconds, step.step, step.object, step.rows_before, step.rows_after,
            step.bytes_before, step.bytes_after, step.error,
        )  # fmt: skip


async def done_within(connection: Connection, what: str, span: timedelta, *steps: str) -> bool:
    """Whether one of these steps was done to this object in the last `span`."""
    return bool(await connection.fetchval(_DONE_WITHIN, what, span, list(steps)))


async def forget_old_steps(connection: Connection) -> None:
    """Keep the log to a bit more than a year."""
    await connection.execute(_FORGET)


async def recent_steps(db: Database, limit: int = 20) -> list[Step]:
    """The newest steps, newest first."""
    async with db.connection() as connection:
        rows: list[Any] = await connection.fetch(_RECENT, limit)
    return [Step(**dict(row)) for row in rows]
