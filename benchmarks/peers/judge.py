"""The judge: what was published against what a table holds, by (circuit, instant)."""

from collections.abc import Iterable
from dataclasses import dataclass

import asyncpg

from benchmarks.peers.plan import PROBE, Plan


@dataclass(frozen=True, slots=True)
class Tables:
    """Where a collector's rows are; readings of the probe may be among them."""

    rows: str  # SQL: (circuit, instant [ms]) of each row
    count: str = "SELECT count(*) FROM readings"
    again: str = "SELECT 0"  # SQL: values that were noted beside a row, not in one


PLAIN = Tables("SELECT circuit, (extract(epoch FROM ts) * 1000)::bigint AS ts_ms FROM readings")


@dataclass(frozen=True, slots=True)
class Judgement:
    """Counts of readings."""

    published: int
    stored: int
    lost: int  # published and not there
    duplicated: int  # there more than once: the copies beyond the first
    foreign: int  # there and never published

    @property
    def is_clean(self) -> bool:
        """Whether everything is there, once."""
        return not (self.lost or self.duplicated or self.foreign)


def compare(plan: Plan, rows: Iterable[tuple[str, int, int]], again: int = 0) -> Judgement:
    """Judge rows of (circuit, instant [ms], how often); `again`: copies noted elsewhere."""
    often = {(circuit, ts_ms): n for circuit, ts_ms, n in rows if circuit != PROBE}
    published = set(plan.everything())
    return Judgement(
        published=len(published),
        stored=sum(often.values()),
        lost=len(published - often.keys()),
        duplicated=sum(often.values()) - len(often) + again,
        foreign=len(often.keys() - published),
    )


async def judge(dsn: str, tables: Tables, plan: Plan) -> Judgement:
    """Judge what the database at `dsn` holds."""
    query = f"SELECT circuit, ts_ms, count(*) FROM ({tables.rows}) AS r GROUP BY 1, 2"  # noqa: S608
    connection = await asyncpg.connect(dsn)
    try:
        rows = [tuple(row) for row in await connection.fetch(query)]
        again = int(await connection.fetchval(tables.again))
    finally:
        await connection.close()
    return compare(plan, rows, again)


async def probes_of(dsn: str, tables: Tables) -> set[int]:
    """Instants [ms] of the probes that arrived."""
    query = f"SELECT ts_ms FROM ({tables.rows}) AS r WHERE circuit = $1"  # noqa: S608
    connection = await asyncpg.connect(dsn)
    try:
        return {int(row[0]) for row in await connection.fetch(query, PROBE)}
    finally:
        await connection.close()
