"""The judge: what the database holds against what broker and collector promised."""

from dataclasses import dataclass

import asyncpg

from benchmarks.chaos.publisher import Plan, Publisher

_STORED = """
SELECT c.circuit_id, extract(epoch FROM r.ts)::bigint * 1000 AS ts_ms,
       r.p * c.power_quantum_w / 1000.0 AS p_kw
FROM readings r JOIN circuits c USING (circuit_key)
"""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Messages where not said otherwise."""

    published: int
    acknowledged: int  # taken by the broker
    confirmed: int  # proven by the collector
    stored_readings: int
    expected_readings: int  # of the acknowledged messages
    lost: int  # readings acknowledged by the broker and not stored
    confirmed_but_absent: int  # readings proven and not stored
    duplicated: int  # readings stored more than once, or with a wrong value
    revisions: int

    @property
    def is_clean(self) -> bool:
        """Nothing lost, nothing doubled, no false proof."""
        return not (self.lost or self.duplicated or self.confirmed_but_absent or self.revisions)


async def judge(dsn: str, plan: Plan, publisher: Publisher) -> Judgement:
    """Compare every single reading."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(_STORED)
        revisions = await connection.fetchval("SELECT count(*) FROM revisions")
    finally:
        await connection.close()
    stored: dict[tuple[str, int], list[float]] = {}
    for row in rows:
        stored.setdefault((row["circuit_id"], row["ts_ms"]), []).append(float(row["p_kw"]))
    confirmed = publisher.confirmed_messages()
    lost = absent = wrong = 0
    for k in range(plan.messages):
        for c in range(plan.readings):
            values = stored.get((f"{plan.gateway(k)}-C{c}", plan.ts_ms(k)), [])
            lost += not values and k in publisher.acknowledged
            absent += not values and k in confirmed
            wrong += len(values) > 1 or any(abs(v - plan.power_kw(k, c)) > 1e-6 for v in values)
    return Judgement(
        published=publisher.published,
        acknowledged=len(publisher.acknowledged),
        confirmed=len(confirmed),
        stored_readings=len(rows),
        expected_readings=len(publisher.acknowledged) * plan.readings,
        lost=lost,
        confirmed_but_absent=absent,
        duplicated=wrong,
        revisions=revisions,
    )


async def count_stored(dsn: str) -> int:
    """Readings in the database."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM readings"))
    finally:
        await connection.close()
