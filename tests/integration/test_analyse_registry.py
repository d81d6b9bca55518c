"""A registry that changes marks few days, and the results are those of a full analysis."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from analytics.bench import Bench
from analytics.executors import InProcess
from analytics.results import PostgresResults
from analytics.running import QUIET_POLLS, Follower, analyse_range
from analytics.series import PostgresSeries
from wattwitness.domain.alerts import Signature
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import US_PER_MINUTE, to_us
from wattwitness.domain.readings import Readings, empty_readings
from wattwitness.domain.registry import (
    Alert,
    AlertChange,
    AlertLevel,
    Circuit,
    Declaration,
    DeclarationReason,
    DeclarationStatus,
    Enterprise,
    Gateway,
    Inspection,
    Measure,
    MeasureAction,
    Pairing,
    Registry,
    Role,
)
from wattwitness.runtime.lifecycle import Lifecycle
from wattwitness.store.alerts import change_alert, declare_alert, lift_alert
from wattwitness.store.database import Database
from wattwitness.store.days import take_dirty
from wattwitness.store.findings import (
    list_episodes,
    list_leads,
    list_quality,
    list_states,
    list_testability,
)
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.store.verdicts import list_verdicts

START = datetime(2026, 3, 1, 16, tzinfo=UTC)  # midnight in Shanghai
DAYS = 16
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PLANTS = ("A", "B")
SIGN = Signature(actor="Li", reason="order", at=START)


def city() -> Registry:
    circuits, pairings = {}, {}
    for e in PLANTS:
        for name, role in (("P", Role.PRODUCTION), ("T", Role.TREATMENT)):
            circuits[e + name] = Circuit(
                circuit_id=e + name, gateway_id=e, channel=name, role=role, rated_kw=100.0
            )
        pairings[e] = Pairing(pairing_id=e, production=(e + "P",), treatment=(e + "T",))
    return Registry(
        enterprises={e: Enterprise(enterprise_id=e, name=e, district=e) for e in PLANTS},
        gateways={e: Gateway(gateway_id=e, enterprise_id=e, interval_s=900) for e in PLANTS},
        circuits=circuits,
        pairings=pairings,
        measures=(
            Measure(enterprise_id="A", level=AlertLevel.RED, action=MeasureAction.STOP),
            Measure(
                enterprise_id="B", level=AlertLevel.RED, action=MeasureAction.LIMIT, limit_pct=50.0
            ),
        ),
    )


def readings(keys: dict[str, int]) -> Readings:
    """Day shifts; the fan of A rests one afternoon, B is silent for two days."""
    parts = []
    slots = np.arange(DAYS * 96)
    day, hour = slots // 96, slots % 96 / 4
    for e in PLANTS:
        runs = (hour >= 8) & (hour < 18)
        fan = runs & ~((e == "A") & (day == 11) & (hour >= 12))
        for name, on, kw in (("P", runs, 80.0), ("T", fan, 50.0)):
            found = empty_readings(len(slots))
            found["circuit"] = keys[e + name]
            found["ts"] = to_us(START) + slots * 15 * US_PER_MINUTE
            found["p_kw"] = np.where(on, kw + (slots % 7) * 0.1, 0.0)
            parts.append(found[(day < 7) | (day > 8)] if e == "B" else found)
    return np.concatenate(parts)


def declaration(enterprise_id: str, from_d: float, to_d: float, *circuits: str) -> Declaration:
    return Declaration(
        enterprise_id=enterprise_id,
        from_=START + from_d * DAY,
        to=START + to_d * DAY,
        reason=DeclarationReason.MAINTENANCE,
        circuits=circuits,
    )


ALERT = Alert(
    alert_id="X", level=AlertLevel.YELLOW, issued_at=START + 10 * DAY,
    response_from=START + 11 * DAY,
)  # fmt: skip
RED = AlertChange(
    level=AlertLevel.RED, issued_at=START + 11.5 * DAY, response_from=START + 12 * DAY
)  # fmt: skip
REPAIR, SILENT = declaration("A", 11.4, 11.9, "AT"), declaration("B", 7.2, 8.5)


async def an_alert(db: Database) -> None:
    await declare_alert(db, ALERT, SIGN)
    await change_alert(db, "X", RED, SIGN)
    await lift_alert(db, "X", START + 14 * DAY, SIGN)


async def an_inspection(db: Database) -> None:
    visit = Inspection(enterprise_id="A", from_=START + 5 * DAY, to=START + 5 * DAY + 8 * HOUR)
    await save_registry(db, Registry(inspections=(visit,)))


async def a_declaration(db: Database) -> None:
    await save_registry(db, Registry(declarations=(REPAIR,)))


async def silence_declared(db: Database) -> None:
    await save_registry(db, Registry(declarations=(SILENT,)))


async def a_declaration_taken_back(db: Database) -> None:
    await a_declaration(db)
    await followed(db)
    refused = replace(REPAIR, status=DeclarationStatus.REFUSED)
    await save_registry(db, Registry(declarations=(refused, replace(SILENT, to=SILENT.to + DAY))))
    await followed(db)
    await save_registry(db, Registry(declarations=(SILENT,)))


async def bench(db: Database) -> Bench:
    registry = await load_registry(db)
    return Bench(registry, PostgresSeries(db), PostgresResults(db), InProcess(), db.zone)


async def followed(db: Database) -> int:
    """Follow until nothing is dirty; how many days were marked."""
    marked = len(await take_dirty(db))
    follower = Follower(db, await bench(db))
    follower.quiet_polls = QUIET_POLLS
    while await follower.step(Lifecycle()):
        follower.quiet_polls = QUIET_POLLS
    assert await take_dirty(db) == []
    return marked


async def told(db: Database) -> dict[str, object]:
    span = (to_us(START), to_us(START + DAYS * DAY))
    return {
        "episodes": await list_episodes(db),
        "leads": await list_leads(db),
        "states": await list_states(db, None, *span),
        "quality": await list_quality(db, None, None, None),
        "testability": await list_testability(db),
        "verdicts": await list_verdicts(db),
    }


@pytest.mark.parametrize(
    ("change", "most"),
    [
        (an_alert, 2),
        (an_inspection, 1),
        (a_declaration, 5),
        (silence_declared, 5),
        (a_declaration_taken_back, 6),
    ],
    ids=lambda it: getattr(it, "__name__", str(it)),
)
async def test_few_marks_end_where_a_full_analysis_ends(db: Database, change, most: int) -> None:
    await save_registry(db, city())
    keys = dict((await load_registry(db)).circuit_keys)
    await write_batch(db, IngestBatch(rows=readings(keys), from_gateways=False))
    await followed(db)
    before = await told(db)
    assert before["episodes"]

    await change(db)
    assert 0 < await followed(db) <= most
    few = await told(db)
    assert few != before, "the change says something"

    await analyse_range(
        db, await bench(db), START, START + (DAYS + 1) * DAY, [], lambda _d, _a: None
    )
    full = await told(db)
    for noun, found in full.items():
        assert few[noun] == found, noun
