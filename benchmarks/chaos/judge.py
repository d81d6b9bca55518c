"""The judge: what the database holds against what was published and what was promised of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import asyncpg

from benchmarks.chaos.publisher import Plan

_STORED = """
SELECT c.circuit_id, extract(epoch FROM r.ts)::bigint * 1000 AS ts_ms,
       (r.p / 1000.0)::float8 AS p_kw
FROM readings r JOIN circuits c USING (circuit_key)
"""
Row = tuple[str, int, float]  # circuit id, instant [ms], power [kW]


@dataclass(frozen=True, slots=True)
class Promises:
    """Messages by what was said of them."""

    due: set[int]  # have to be stored
    confirmed: set[int]  # are stored, says the collector


@dataclass(frozen=True, slots=True)
class Judgement:
    """Readings; each published one is told from all others by its value."""

    published: int
    due: int  # acknowledged by the broker; all of them, where the publisher keeps an outbox
    confirmed: int  # proven by the collector
    stored: int
    lost: int  # due and not stored
    confirmed_but_absent: int
    duplicated: int  # stored more than once, under whatever instant, or noted as a revision
    wrong: int  # stored, but never published like that

    @property
    def is_clean(self) -> bool:
        """Nothing lost, nothing doubled, nothing made up, no false proof."""
        return not (self.lost or self.confirmed_but_absent or self.duplicated or self.wrong)


def compare(plan: Plan, promises: Promises, rows: Iterable[Row], revisions: int) -> Judgement:
    """Compare every single reading."""
    stored = Counter((circuit, ts_ms, round(p_kw, 3)) for circuit, ts_ms, p_kw in rows)
    values: Counter[tuple[str, float]] = Counter()
    for (circuit, _, p_kw), n in stored.items():
        values[circuit, p_kw] += n

    def readings_of(k: int) -> list[Row]:
        return [
            (f"{plan.gateway(k)}-C{c}", plan.ts_ms(k), round(plan.power_kw(k, c), 3))
            for c in range(plan.readings)
        ]

    published = {row for k in range(plan.messages) for row in readings_of(k)}
    return Judgement(
        published=len(published),
        due=len(promises.due) * plan.readings,
        confirmed=len(promises.confirmed) * plan.readings,
        stored=stored.total(),
        lost=sum(row not in stored for k in promises.due for row in readings_of(k)),
        confirmed_but_absent=sum(
            row not in stored for k in promises.confirmed for row in readings_of(k)
        ),
        duplicated=sum(n - 1 for n in values.values()) + revisions,
        wrong=sum(n for row, n in stored.items() if row not in published),
    )


async def judge(dsn: str, plan: Plan, promises: Promises) -> Judgement:
    """Compare what `dsn` holds."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = [tuple(row) for row in await connection.fetch(_STORED)]
        revisions = await connection.fetchval("SELECT count(*) FROM revisions")
    finally:
        await connection.close()
    return compare(plan, promises, rows, revisions)


async def count_stored(dsn: str) -> int:
    """Readings in the database."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM readings"))
    finally:
        await connection.close()
