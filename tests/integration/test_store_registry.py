from dataclasses import replace
from datetime import UTC, datetime, time

import numpy as np

from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import local_day, to_us
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.registry import (
    Alert,
    AlertLevel,
    Circuit,
    Declaration,
    DeclarationReason,
    DeclarationStatus,
    Enterprise,
    Gateway,
    Grade,
    Inspection,
    Measure,
    MeasureAction,
    Pairing,
    Registry,
    Role,
)
from wattwitness.store.days import clear_dirty, data_days, take_dirty
from wattwitness.store.readings import read_block, write_batch
from wattwitness.store.registry import load_registry, registry_revision, save_registry

NOON = datetime(2026, 3, 1, 4, tzinfo=UTC)
EVENING = datetime(2026, 3, 1, 10, tzinfo=UTC)
FULL = Registry(
    enterprises={
        "E1": Enterprise(
            enterprise_id="E1",
            name="鑫源化工有限公司",
            credit_code="91370100MA3C",
            district="历城区",
            industry="chemical",
            grade=Grade.B_MINUS,
            lon=117.1,
            lat=36.7,
            positive_list=True,
            verified_from=NOON,
            verified_to=EVENING,
        ),
        "E2": Enterprise(enterprise_id="E2", name="plain", district="章丘区"),
    },
    gateways={
        "G1": Gateway(gateway_id="G1", enterprise_id="E1", interval_s=900, mn="0100"),
        "G2": Gateway(gateway_id="G2", enterprise_id="E2"),
    },
    circuits={
        "P": Circuit(
            circuit_id="P",
            gateway_id="G1",
            channel="P1",
            role=Role.PRODUCTION,
            line="L1",
            rated_kw=90.0,
            resolution_kw=0.1,
            parent_circuit_id="M",
        ),
        "T": Circuit(circuit_id="T", gateway_id="G1", channel="T1", role=Role.TREATMENT),
    },
    pairings={
        "PR": Pairing(
            pairing_id="PR", production=("P",), treatment=("T",), require="any", duty_cycled=True
        )
    },
    measures=(
        Measure(
            enterprise_id="E1",
            level=AlertLevel.ORANGE,
            action=MeasureAction.HOURS,
            scope=("P", "T"),
            hours=(time(8), time(17, 30)),
            grace_min=120.0,
        ),
        Measure(enterprise_id="E1", level=AlertLevel.RED, action=MeasureAction.STOP),
    ),
    alerts={
        "A1": Alert(
            alert_id="A1",
            level=AlertLevel.RED,
            issued_at=NOON,
            response_from=EVENING,
            districts=("历城区",),
        )
    },
    declarations=(
        Declaration(
            enterprise_id="E1",
            from_=NOON,
            to=EVENING,
            reason=DeclarationReason.MAINTENANCE,
            circuits=("T",),
        ),
    ),
    inspections=(Inspection(enterprise_id="E2", from_=NOON, to=EVENING),),
)


async def test_everything_comes_back_as_it_was(db):
    await save_registry(db, FULL)
    loaded = await load_registry(db)
    assert replace(loaded, circuit_keys={}, revision=0) == FULL
    assert set(loaded.circuit_keys) == {"P", "T"}


async def test_saving_again_changes_nothing(db):
    first = await save_registry(db, FULL)
    revision = await registry_revision(db)
    second = await save_registry(db, FULL)
    assert {noun: (c.read, c.stored) for noun, c in first.items()} == {
        "enterprises": (2, 2), "gateways": (2, 2), "circuits": (2, 2), "pairings": (1, 1),
        "measures": (2, 2), "alerts": (1, 1), "declarations": (1, 1), "inspections": (1, 1),
    }  # fmt: skip
    assert all(count.stored == 0 for count in second.values())
    assert await registry_revision(db) == revision


async def test_a_change_raises_the_revision_and_marks_days_for_analysis(db):
    await save_registry(db, FULL)
    keys = (await load_registry(db)).circuit_keys
    rows = empty_readings(1)
    rows["circuit"], rows["ts"], rows["p_kw"] = keys["P"], to_us(NOON), 1.0
    await write_batch(db, IngestBatch(rows=rows))
    await clear_dirty(db, await take_dirty(db))
    refused = replace(FULL.declarations[0], status=DeclarationStatus.REFUSED)
    before = await registry_revision(db)
    await save_registry(db, Registry(declarations=(refused,)))
    assert await registry_revision(db) == before + 1
    assert [mark.enterprise_id for mark in await take_dirty(db)] == ["E1"]


async def test_a_corrected_resolution_never_reinterprets_what_is_stored(db):
    await save_registry(db, FULL)
    keys = (await load_registry(db)).circuit_keys
    rows = empty_readings(1)
    rows["circuit"], rows["ts"], rows["p_kw"] = keys["P"], to_us(NOON), 84.71
    await write_batch(db, IngestBatch(rows=rows))
    coarser = replace(FULL.circuits["P"], resolution_kw=10.0, register_resolution_kwh=0.001)
    await save_registry(db, Registry(circuits={"P": coarser}))
    loaded = await load_registry(db)
    assert loaded.circuits["P"].resolution_kw == 10.0
    back = await read_block(db, [keys["P"]], to_us(NOON), to_us(EVENING))
    np.testing.assert_allclose(back["p_kw"], [84.71])


async def test_an_alert_touches_the_enterprises_of_its_districts(db):
    await save_registry(db, FULL)
    keys = (await load_registry(db)).circuit_keys
    rows = empty_readings(1)
    rows["circuit"], rows["ts"], rows["p_kw"] = keys["P"], to_us(NOON), 1.0
    await write_batch(db, IngestBatch(rows=rows))
    await clear_dirty(db, await take_dirty(db))
    elsewhere = replace(FULL.alerts["A1"], alert_id="A2", districts=("章丘区",))
    await save_registry(db, Registry(alerts={"A2": elsewhere}))
    assert await take_dirty(db) == []
    everywhere = replace(FULL.alerts["A1"], alert_id="A3", districts=())
    await save_registry(db, Registry(alerts={"A3": everywhere}))
    assert [mark.enterprise_id for mark in await take_dirty(db)] == ["E1"]


async def test_a_gateway_that_moves_takes_its_history_along(db):
    await save_registry(db, FULL)
    keys = (await load_registry(db)).circuit_keys
    rows = empty_readings(1)
    rows["circuit"], rows["ts"], rows["p_kw"] = keys["P"], to_us(NOON), 1.0
    await write_batch(db, IngestBatch(rows=rows))
    await clear_dirty(db, await take_dirty(db))
    moved = replace(FULL.gateways["G1"], enterprise_id="E2")
    await save_registry(db, Registry(gateways={"G1": moved}))
    assert {mark.enterprise_id for mark in await take_dirty(db)} == {"E1", "E2"}
    assert await data_days(db, "E2") == [local_day(NOON)]
