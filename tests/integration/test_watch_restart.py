"""A watcher that restarts anywhere says what one says that ran all along."""

import random
from datetime import datetime, timedelta

import numpy as np
import pytest

from analytics.bench import Bench
from analytics.executors import InProcess
from analytics.live.watching import Watcher
from analytics.results import PostgresResults
from analytics.running import analyse_range
from analytics.series import PostgresSeries
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import DEFAULT_ZONE, US_PER_MINUTE, to_us
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.registry import (
    Alert,
    AlertLevel,
    Circuit,
    Enterprise,
    Gateway,
    Measure,
    MeasureAction,
    Registry,
    Role,
)
from wattwitness.domain.verdicts import Verdict
from wattwitness.store.findings import newest_thresholds
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry

START = datetime(2026, 9, 7, tzinfo=DEFAULT_ZONE)
DAYS = 8
RESPONSE = START + timedelta(days=DAYS, hours=6)
BEGIN = RESPONSE - timedelta(hours=1)  # of the live minutes
CIRCUITS = ("P1", "P2", "P3")


def registry() -> Registry:
    return Registry(
        enterprises={"E": Enterprise(enterprise_id="E", name="E")},
        gateways={"G": Gateway(gateway_id="G", enterprise_id="E")},
        circuits={
            c: Circuit(
                circuit_id=c, gateway_id="G", channel=c, role=Role.PRODUCTION, rated_kw=110.0
            )
            for c in CIRCUITS
        },
        measures=(
            Measure(
                enterprise_id="E", level=AlertLevel.RED, action=MeasureAction.STOP,
                scope=("P1", "P2"), grace_min=0.0,
            ),
            Measure(
                enterprise_id="E", level=AlertLevel.RED, action=MeasureAction.LIMIT,
                scope=("P3",), limit_pct=50.0, grace_min=0.0,
            ),
        ),
        alerts={
            "A1": Alert(
                alert_id="A1", level=AlertLevel.RED, issued_at=RESPONSE - timedelta(hours=24),
                response_from=RESPONSE,
            )
        },
    )  # fmt: skip


class City:
    """One plant with a history, and what it says from then on."""

    def __init__(self, db, seed: int) -> None:
        self.db, self.rng, self.at = db, random.Random(seed), START
        self.keys: dict[str, int] = {}
        self.dead_kw: dict[str, float] = {}  # neither up nor down; the middle would say down

    async def fill(self) -> "City":
        await save_registry(self.db, registry())
        self.keys = dict((await load_registry(self.db)).circuit_keys)
        minutes = np.arange((BEGIN - START) // timedelta(minutes=1))
        noise = np.random.default_rng(3)
        for circuit in CIRCUITS:
            kw = np.where(minutes % 60 < 25, 80.0, np.where(minutes % 60 < 45, 12.0, 0.2))
            await self.write(circuit, START, kw + noise.uniform(0.0, 3.0, len(kw)) * (kw > 1))
        self.at = BEGIN
        await self.analyse()
        last = BEGIN.date()
        known = await newest_thresholds(self.db, CIRCUITS, last - timedelta(days=60), last)
        for circuit, levels in known.items():
            middle = np.sqrt(levels.running_kw * levels.running_release_kw)
            self.dead_kw[circuit] = (levels.running_release_kw + middle) / 2
        return self

    async def write(self, circuit: str, begin: datetime, kw) -> None:
        rows = empty_readings(len(kw))
        rows["circuit"] = self.keys[circuit]
        rows["ts"] = to_us(begin) + np.arange(len(kw)) * US_PER_MINUTE
        rows["received_at"], rows["p_kw"] = rows["ts"] + 2_000_000, kw
        await write_batch(self.db, IngestBatch(rows=rows, from_gateways=False))

    async def go_on(self) -> None:
        """Some minutes; each circuit stays where it is, or is somewhere else."""
        minutes = self.rng.randrange(2, 26)
        for circuit in CIRCUITS:
            dead = self.dead_kw[circuit]
            kw = self.rng.choices((0.2, 85.0, dead, None), (1, 2, 5, 1))[0]
            if kw is not None:
                await self.write(circuit, self.at, np.full(minutes, kw))
        self.at += timedelta(minutes=minutes)

    async def analyse(self) -> None:
        bench = Bench(
            await load_registry(self.db),
            PostgresSeries(self.db),
            PostgresResults(self.db),
            InProcess(),
            self.db.zone,
        )
        span = (START, START + timedelta(days=DAYS + 2))
        await analyse_range(self.db, bench, *span, [], lambda _done, _all: None)


async def says(watcher: Watcher) -> list[Verdict]:
    """What a watcher says when all that is stored is taken in."""
    for _ in range(3):
        await watcher.step()
    assert not watcher.to_load
    assert watcher.city is not None
    return [verdict for own in watcher.watched.values() for _, verdict in own.judged(watcher.city)]


@pytest.mark.parametrize("seed", range(3))
async def test_restarted_anywhere_is_never_restarted(db, seed):
    city = await City(db, seed).fill()
    along = Watcher(db)
    compared, running = 0, set()
    for step in range(40):
        await city.go_on()
        if city.rng.random() < 0.2:
            await city.analyse()
        said = await says(along)
        if step % 3 == 0:
            assert await says(Watcher(db)) == said
            compared += len(said)
            running |= {m.running_minutes for v in said for m in v.measures}
    assert compared > 10
    assert len(running) > 5, "something ran, and not always"
