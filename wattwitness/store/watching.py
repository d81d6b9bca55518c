"""What the watcher of the newest minutes asks: what moved, and whether it is its turn."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from wattwitness.store.database import Database
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements
from wattwitness.store.translation import translated

VERDICTS: Final = 0x57575741
WARNINGS: Final = 0x57575742
"""What one process of a database watches at a time: each is an advisory lock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed:
    """The newest analysis of an enterprise."""

    at_us: int  # wall clock
    data_until_us: int | None  # how far the data reached then


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What moves when something arrives or is analysed."""

    revision: int  # of the registry
    marks: Mapping[str, int]  # enterprise → changes whenever readings of its newest days come
    analysed: Mapping[str, Analysed]  # enterprise → its newest analysis


async def arrivals(db: Database, first_day: date) -> Arrivals:
    """How things stand now; days before `first_day` are not looked at.

    A mark is written in the transaction that stores the readings. It goes when the enterprise has
    been analysed, which is seen as well, so nothing that comes is missed.
    """
    async with db.connection() as connection:
        row = await connection.fetchrow(statements("watching")["arrivals"], first_day)
    assert row is not None  # noqa: S101 - a join of two aggregates gives one row
    analysed = zip(row["analysed"], row["instants_us"], row["reaches_us"], strict=True)
    return Arrivals(
        revision=row["revision"],
        marks=dict(zip(row["marked"], row["marks"], strict=True)),
        analysed={e: Analysed(at_us=at, data_until_us=until) for e, at, until in analysed},
    )


async def first_readings(db: Database) -> dict[int, int]:
    """Circuit key → data time of its first reading [µs]."""
    async with db.connection() as connection:
        row = await connection.fetchrow(statements("watching")["first_readings"])
    assert row is not None  # noqa: S101 - an aggregate gives one row
    return dict(zip(row["keys"], row["instants_us"], strict=True))


async def keys_resting_on(
    connection: Connection, enterprise_ids: Collection[str], rests_on: Mapping[str, datetime] | None
) -> dict[str, int]:
    """Keys of enterprises that nobody has analysed since; until the transaction ends, nobody can.

    Args:
        connection: in a transaction.
        enterprise_ids: those that are not in the registry are left out.
        rests_on: enterprise → the analysis (its wall clock) that must be its newest; None = any.
    """
    sql, names = statements("watching"), sorted(enterprise_ids)
    await connection.execute(sql["wait_for_analyses"], names)
    return {
        row["enterprise_id"]: row["enterprise_key"]
        for row in await connection.fetch(sql["newest_analyses"], names)
        if rests_on is None or rests_on[row["enterprise_id"]] == row["analysed_at"]
    }


@asynccontextmanager
async def watch_turn(
    db: Database, what: int = VERDICTS
) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """The right to be the one watcher of a database, for verdicts or for warnings.

    Yields what tells whether it is (still) ours; asked again, it tries to get it. The lock ends
    with its connection, however that ends.

    Raises:
        StoreUnavailableError: the connection is lost, and the right with it.
    """
    async with db.dedicated() as connection:
        mine = False

        async def is_mine() -> bool:
            nonlocal mine
            async with translated():
                if mine:
                    await connection.execute("SELECT 1")
                else:
                    mine = await connection.fetchval(statements("watching")["take_turn"], what)
            return mine

        yield is_mine
