"""The city's past, fast: plants of each kind are analysed once, the rest is copied under new names.

Copied is what the analysis stored (facts, spells, thresholds), not the readings: of those, every
enterprise has its newest ones only.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.bench import Bench
from analytics.executors import InProcess
from analytics.results import PostgresResults
from analytics.running import analyse_range
from analytics.series import PostgresSeries
from benchmarks.board.city import CIRCUITS, KINDS, City, name_of
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import US_PER_MINUTE, from_us
from wattwitness.store.database import Database
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry

_ROWS = 200_000
_PACKS = """
INSERT INTO {table} (enterprise_key, day, head, numbers)
SELECT e.enterprise_key, day, replace(head, $1, e.enterprise_id), numbers
FROM {table} t, enterprises e
WHERE t.enterprise_key = (SELECT enterprise_key FROM enterprises WHERE enterprise_id = $1)
  AND e.enterprise_id = ANY ($2::text[])
"""
_THRESHOLDS = """
INSERT INTO day_thresholds (circuit_key, day, standby_kw, standby_release_kw, running_kw,
                            running_release_kw, running_level_kw, basis)
SELECT c.circuit_key, day, standby_kw, standby_release_kw, running_kw, running_release_kw,
       running_level_kw, basis
FROM unnest($2::text[]) AS e CROSS JOIN day_thresholds t JOIN circuits o USING (circuit_key)
     JOIN circuits c ON c.circuit_id = e || substr(o.circuit_id, 6)
WHERE o.circuit_id LIKE $1 || '-%'
"""
_ANALYSED = """
INSERT INTO analysed_enterprises (enterprise_key, analysed_at, data_until)
SELECT e.enterprise_key, t.analysed_at, t.data_until
FROM analysed_enterprises t JOIN enterprises o USING (enterprise_key), enterprises e
WHERE o.enterprise_id = $1 AND e.enterprise_id = ANY ($2::text[])
"""
_FIRST = "UPDATE latest SET first_ts = $1"


async def circuit_keys(db: Database, enterprises: int) -> NDArray[np.int64]:
    """Circuit keys [enterprises, 20]."""
    known = (await load_registry(db)).circuit_keys
    return np.array(
        [[known[f"{name_of(n)}-C{c:02d}"] for c in range(CIRCUITS)] for n in range(enterprises)]
    )


async def fill(db: Database, city: City, days: int, recent_min: int) -> None:
    """Store registry, history and newest readings.

    Args:
        db: an upgraded database.
        city: what it is of.
        days: of history before the live minutes.
        recent_min: minutes of readings that every enterprise has.
    """
    await save_registry(db, city.registry())
    keys = await circuit_keys(db, city.enterprises)
    models = np.arange(min(KINDS, city.enterprises))
    start_us = city.live_from_us - days * 1440 * US_PER_MINUTE
    await _write(db, city, models, keys, start_us, days * 1440)
    await _analyse(db, [name_of(n) for n in models.tolist()], start_us, city.live_from_us)
    for kind in models.tolist():
        copies = [name_of(n) for n in range(kind + KINDS, city.enterprises, KINDS)]
        async with db.transaction() as connection:
            for table in ("fact_days", "spell_days"):
                await connection.execute(_PACKS.format(table=table), name_of(kind), copies)
            await connection.execute(_THRESHOLDS, name_of(kind), copies)
            await connection.execute(_ANALYSED, name_of(kind), copies)
    others = np.arange(len(models), city.enterprises)
    recent_us = city.live_from_us - recent_min * US_PER_MINUTE
    await _write(db, city, others, keys, recent_us, recent_min)
    async with db.connection() as connection:
        await connection.execute(_FIRST, from_us(start_us))
        await connection.execute("ANALYZE")


async def _write(
    db: Database,
    city: City,
    numbers: NDArray[np.int64],
    keys: NDArray[np.int64],
    from_us_: int,
    minutes: int,
) -> None:
    at_once = max(1, _ROWS // (CIRCUITS * minutes))
    for start in range(0, len(numbers), at_once):
        rows = city.readings(numbers[start : start + at_once], keys, from_us_, minutes)
        await write_batch(db, IngestBatch(rows=rows, from_gateways=False))


async def _analyse(db: Database, names: list[str], from_us_: int, to_us_: int) -> None:
    bench = Bench(
        registry=await load_registry(db),
        series=PostgresSeries(db),
        results=PostgresResults(db),
        executor=InProcess(),
        zone=db.zone,
    )
    await analyse_range(db, bench, from_us(from_us_), from_us(to_us_), names, lambda _d, _a: None)
