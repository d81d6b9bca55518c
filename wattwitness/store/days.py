"""Local days of an enterprise: which have readings, and which changed since they were analysed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

from wattwitness.store.database import Database, reset_after
from wattwitness.store.translation import translated

_TAKE = """
SELECT enterprise_id, day, mark FROM dirty_days JOIN enterprises USING (enterprise_key)
WHERE $2::text[] IS NULL OR enterprise_id = ANY ($2)
ORDER BY day DESC, enterprise_id LIMIT $1
"""
# Rows are locked in the order in which the ingest marks them: the two never wait for each other.
_CLEAR = """
WITH locked AS MATERIALIZED (
    SELECT d.enterprise_key, d.day
    FROM dirty_days d JOIN enterprises e USING (enterprise_key)
         JOIN unnest($1::text[], $2::date[], $3::bigint[]) AS t (enterprise_id, day, mark)
         ON e.enterprise_id = t.enterprise_id AND d.day = t.day AND d.mark = t.mark
    ORDER BY d.enterprise_key, d.day
    FOR UPDATE OF d
)
DELETE FROM dirty_days d USING locked l
WHERE d.enterprise_key = l.enterprise_key AND d.day = l.day
"""
_MARK = """
WITH marked AS (
    INSERT INTO dirty_days (enterprise_key, day, mark)
    SELECT enterprise_key, day, nextval('dirty_mark')
    FROM data_days JOIN enterprises USING (enterprise_key)
    WHERE enterprise_id = $1 AND day BETWEEN $2 AND $3
    ORDER BY day
    ON CONFLICT (enterprise_key, day) DO UPDATE SET mark = excluded.mark
    RETURNING day, mark
)
SELECT day, mark FROM marked
UNION ALL
SELECT day, mark FROM dirty_days JOIN enterprises USING (enterprise_key)
WHERE enterprise_id = $1 AND day BETWEEN $2 AND $3 AND day NOT IN (SELECT day FROM marked)
ORDER BY day DESC
"""
_DATA_DAYS = """
SELECT day FROM data_days JOIN enterprises USING (enterprise_key)
WHERE enterprise_id = $1
  AND day >= first_analysable($2)
ORDER BY day
"""
_LOCK = 0x5757
_TRY_LOCK = """
SELECT pg_try_advisory_lock($2, enterprise_key) FROM enterprises WHERE enterprise_id = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirtyDay:
    """A day to analyse; `mark` changes whenever the day changes again."""

    enterprise_id: str
    day: date
    mark: int


def analyses_at_once(db: Database) -> int:
    """How many `analysing` this process may hold: each needs a second connection to work with."""
    return max(1, db.pool.get_max_size() // 2)


@asynccontextmanager
async def analysing(db: Database, enterprise_id: str) -> AsyncIterator[bool]:
    """The right to analyse an enterprise, held from reading its marks to clearing them.

    Without it, who read older data could write last, and nothing would be dirty afterwards.
    Yields whether the right was free; if not, another process has it: nothing is waited for.

    Raises:
        ValueError: the pool has one connection only, which this would keep from the analysis.
    """
    if db.pool.get_max_size() < 2:
        raise ValueError("an analysis needs a pool of two connections or more")
    async with translated():
        connection = await db.pool.acquire()
        reset_after(connection)  # which lets go of its advisory locks
    try:
        async with translated():
            found = await connection.fetchval(_TRY_LOCK, enterprise_id, _LOCK)
        yield found is not False  # None: not in the registry, nothing to protect
    finally:
        async with translated():
            await db.pool.release(connection)


async def take_dirty(
    db: Database, limit: int = 100_000, *, enterprise_ids: Sequence[str] | None = None
) -> list[DirtyDay]:
    """Dirty days, newest day first; they stay dirty until they are cleared."""
    chosen = None if enterprise_ids is None else list(enterprise_ids)
    async with db.connection() as connection:
        rows = await connection.fetch(_TAKE, limit, chosen)
    return [DirtyDay(**dict(row)) for row in rows]


async def clear_dirty(db: Database, days: Sequence[DirtyDay]) -> None:
    """Forget these marks; a day that was marked again meanwhile stays dirty."""
    async with db.connection() as connection:
        await connection.execute(
            _CLEAR,
            [d.enterprise_id for d in days],
            [d.day for d in days],
            [d.mark for d in days],
        )


async def mark_dirty(db: Database, enterprise_id: str, first: date, last: date) -> list[DirtyDay]:
    """Mark the days of [first, last] on which an enterprise has readings.

    Returns:
        All its days of that time that are dirty now, newest first.
    """
    async with db.connection() as connection:
        rows = await connection.fetch(_MARK, enterprise_id, first, last)
    return [DirtyDay(enterprise_id=enterprise_id, **dict(row)) for row in rows]


async def data_days(db: Database, enterprise_id: str) -> list[date]:
    """Days on which an enterprise has readings, oldest first.

    Days whose readings were dropped, in whole or in part, are not among them: what was found on
    them stands, and cannot be found again.
    """
    async with db.connection() as connection:
        rows = await connection.fetch(_DATA_DAYS, enterprise_id, db.zone.key)
    return [row["day"] for row in rows]
