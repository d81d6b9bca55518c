"""Verdicts through the real pipeline on PostgreSQL: late data, a lift, and who sent nothing."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from analytics.bench import Bench
from analytics.executors import InProcess
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
from wattwitness.domain.verdicts import VerdictCode
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.store.verdicts import list_verdict_changes, list_verdicts

FIRST = datetime(2026, 11, 2, tzinfo=DEFAULT_ZONE)
DAYS, STEP_MIN, RESPONSE_DAY = 15, 5, 13
N = DAYS * 1440 // STEP_MIN
COMPLIED, INSUFFICIENT = VerdictCode.COMPLIED, VerdictCode.INSUFFICIENT_DATA


def at(day: float) -> datetime:
    return FIRST + timedelta(days=day)


def alert(lifted: float | None = None) -> Alert:
    return Alert(
        alert_id="HP-1",
        level=AlertLevel.RED,
        issued_at=at(RESPONSE_DAY - 1),
        response_from=at(RESPONSE_DAY),
        lifted_at=None if lifted is None else at(lifted),
    )


def registry() -> Registry:
    names = ("ONE", "OTHER", "MUTE", "BARE")
    return Registry(
        enterprises={e: Enterprise(enterprise_id=e, name=e) for e in names},
        gateways={
            f"G-{e}": Gateway(gateway_id=f"G-{e}", enterprise_id=e, interval_s=STEP_MIN * 60)
            for e in names
        },
        circuits={
            f"P-{e}": Circuit(
                circuit_id=f"P-{e}", gateway_id=f"G-{e}", channel="P", role=Role.PRODUCTION
            )
            for e in names[:-1]
        },
        measures=tuple(
            Measure(enterprise_id=e, level=AlertLevel.RED, action=MeasureAction.STOP) for e in names
        ),
        alerts={"HP-1": alert()},
    )


def rows_of(key: int, *, stops: bool):
    minute = np.arange(N) * STEP_MIN
    runs = (minute % 1440 >= 480) & (minute % 1440 < 1080)
    if stops:
        runs &= minute < RESPONSE_DAY * 1440
    rows = empty_readings(N)
    rows["circuit"] = key
    rows["ts"] = to_us(FIRST) + minute * US_PER_MINUTE
    rows["p_kw"] = np.where(runs, 50.0, 0.0)
    return rows


@pytest.fixture
async def filled(db):
    await save_registry(db, registry())
    return db


async def analyse(db):
    bench = Bench(await load_registry(db), PostgresSeries(db), PostgresResults(db), InProcess())
    await analyse_range(db, bench, FIRST, at(DAYS), [], lambda _done, _all: None)


async def send(db, rows):
    await write_batch(db, IngestBatch(rows=rows, from_gateways=False))


async def turns(db, enterprise="ONE"):
    found = await list_verdict_changes(db, "HP-1", enterprise)
    return [(c.before, c.after, c.cause) for c in reversed(found)]


async def test_late_data_turn_a_verdict_and_leave_a_trace(filled):
    keys = (await load_registry(filled)).circuit_keys
    one, other = rows_of(keys["P-ONE"], stops=True), rows_of(keys["P-OTHER"], stops=False)
    held_back = (one["ts"] >= to_us(at(13.4))) & (one["ts"] < to_us(at(13.8)))
    await send(filled, np.concatenate((one[~held_back], other)))
    await analyse(filled)
    said = {v.enterprise_id: v for v in await list_verdicts(filled, "HP-1")}
    assert {e: v.verdict for e, v in said.items()} == {
        "ONE": INSUFFICIENT,
        "OTHER": VerdictCode.VIOLATED,
        "MUTE": INSUFFICIENT,
        "BARE": INSUFFICIENT,
    }
    assert said["BARE"].why == ("no_circuits",)
    assert said["MUTE"].measures[0].coverage == 0.0

    await send(filled, one[held_back])
    await analyse(filled)
    assert await turns(filled) == [
        (None, INSUFFICIENT, "time"),
        (INSUFFICIENT, COMPLIED, "late_data"),
    ]

    await analyse(filled)  # again: nothing changes
    assert len(await turns(filled)) == 2


async def test_a_lift_is_a_change_of_the_registry(filled):
    keys = (await load_registry(filled)).circuit_keys
    await send(filled, rows_of(keys["P-OTHER"], stops=False))
    await analyse(filled)
    lifted = Registry(alerts={"HP-1": alert(RESPONSE_DAY + 0.25)})
    await save_registry(filled, lifted)
    await analyse(filled)
    assert await turns(filled, "OTHER") == [
        (None, VerdictCode.VIOLATED, "time"),
        (VerdictCode.VIOLATED, COMPLIED, "registry"),
    ]
    (found,) = await list_verdicts(filled, "HP-1", ["OTHER"])
    assert found.as_of == at(RESPONSE_DAY + 0.25)
