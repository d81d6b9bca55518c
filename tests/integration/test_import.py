"""Files into a real PostgreSQL: idempotent, nothing good lost, everything refused told."""

import asyncio
import csv
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from wattwitness.domain.instants import US_PER_DAY, to_us
from wattwitness.domain.registry import Registry
from wattwitness.files.readings_bounds import Calendar
from wattwitness.files.readings_import import (
    ImportBrokenOffError,
    ReadingsReport,
    import_readings,
)
from wattwitness.files.registry_import import RegistryImport, import_registry
from wattwitness.store.database import Database
from wattwitness.store.readings import read_block
from wattwitness.store.registry import load_registry

T0 = datetime(2025, 1, 1, tzinfo=UTC)
# the folder with the shared data sets lies beside the checkout; it is not part of the repository
STEEL = Path(__file__).parents[2].parent / "shared" / "datasets" / "steel"


def calendar() -> Calendar:
    keep_from = to_us(datetime(2010, 1, 1, tzinfo=UTC))
    return Calendar(keep_from_us=keep_from, tolerance_us=US_PER_DAY, now_us=time.time_ns() // 1000)


@pytest.fixture
def small_registry(tmp_path) -> Path:
    folder = tmp_path / "registry"
    folder.mkdir()
    (folder / "enterprises.csv").write_text("enterprise_id,name\nE1,济南一厂\n", encoding="gb18030")
    (folder / "gateways.csv").write_text("gateway_id,enterprise_id,interval_s\nG1,E1,900\n")
    (folder / "circuits.csv").write_text(
        "circuit_id,gateway_id,channel,role,resolution_kw\n"
        "C1,G1,P1,production,0.01\nC2,G1,T1,treatment,0.01\n"
    )
    return folder


def readings_file(path: Path, count: int = 500) -> Path:
    rng = np.random.default_rng(3)
    lines = ["circuit_id,ts,p_kw,e_kwh,q_kvar,pf"]
    for n in range(count):
        ts = (T0 + timedelta(minutes=15 * (n // 2))).isoformat()
        p_kw, pf = rng.integers(0, 100_000) / 100, rng.integers(0, 10_000) / 10_000
        lines.append(f"C{n % 2 + 1},{ts},{p_kw},{n * 3.17:.2f},{p_kw / 2:.2f},{pf}")
    path.write_text("\n".join([*lines, ""]))
    return path


async def imported(db: Database, folder: Path) -> RegistryImport:
    return await import_registry(db, folder, reject_folders=[folder.parent])


async def readings(db: Database, path: Path, chunk_rows: int = 200) -> ReadingsReport:
    registry = await load_registry(db)
    return await import_readings(
        db, path, registry, calendar(), reject_folders=[path.parent], chunk_rows=chunk_rows
    )


def counts(report: ReadingsReport) -> tuple[int, ...]:
    return (
        report.rows_read, report.stored, report.already_there, report.revised, report.rejected,
    )  # fmt: skip


async def test_a_registry_is_stored_once(any_db, small_registry):
    first = await imported(any_db, small_registry)
    again = await imported(any_db, small_registry)
    assert [(f.rows_read, f.stored, f.already_there) for f in first.files] == [
        (1, 1, 0), (1, 1, 0), (2, 2, 0),
    ]  # fmt: skip
    assert [(f.stored, f.already_there) for f in again.files] == [(0, 1), (0, 1), (0, 2)]
    registry = await load_registry(any_db)
    assert registry.enterprises["E1"].name == "济南一厂"


async def test_readings_are_stored_once_and_to_the_digit(any_db, small_registry, tmp_path):
    await imported(any_db, small_registry)
    path = readings_file(tmp_path / "r.csv")
    shares: list[float] = []
    registry = await load_registry(any_db)
    report = await import_readings(
        any_db, path, registry, calendar(), reject_folders=[tmp_path], progress=shares.append,
        chunk_rows=200,
    )  # fmt: skip
    assert counts(report) == (500, 500, 0, 0, 0)
    assert report.error == ""
    assert shares[-1] == 1.0
    assert counts(await readings(any_db, path)) == (500, 0, 500, 0, 0)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    for circuit_id, key in registry.circuit_keys.items():
        stored = await read_block(any_db, [key], to_us(T0), to_us(T0 + timedelta(days=9)))
        wanted = [row for row in rows if row["circuit_id"] == circuit_id]
        for name in ("p_kw", "e_kwh", "q_kvar", "pf"):
            assert stored[name].tolist() == [float(row[name]) for row in wanted], name


async def test_another_value_for_a_stored_key_is_kept_beside_it(db, small_registry, tmp_path):
    await imported(db, small_registry)
    path = tmp_path / "r.csv"
    path.write_text("circuit_id,ts,p_kw\nC1,2025-01-01T00:00:00Z,1\nC1,2025-01-01T00:00:00Z,2\n")
    assert counts(await readings(db, path)) == (2, 1, 0, 1, 0)
    key = (await load_registry(db)).circuit_keys["C1"]
    stored = await read_block(db, [key], to_us(T0), to_us(T0) + 1)
    assert stored["p_kw"].tolist() == [1.0]
    assert (await readings(db, path)).stored == 0


async def test_what_is_refused_is_told_and_the_rest_is_stored(db, small_registry, tmp_path):
    await imported(db, small_registry)
    path = tmp_path / "r.csv"
    lines = [
        "circuit_id,ts,p_kw,colour",
        "C1,2025-01-01T00:00:00Z,1,red",
        "C1,2025-01-01T00:15:00,1,",  # no offset
        "C9,2025-01-01T00:00:00Z,1,",  # not in the registry
        "C2,2025-01-01T00:00:00Z,5e6,",  # beyond any feeder
        "C2,2125-01-01T00:00:00Z,5,",  # the future
        "C2,1925-01-01T00:00:00Z,5,",  # before what is kept
        "C2,2025-01-01T00:00:00Z,watt,",
        "C2,2025-01-01T00:30:00Z,2,blue",
    ]
    path.write_text("\n".join(lines))
    report = await readings(db, path)
    assert counts(report) == (8, 2, 0, 0, 6)
    assert [(r.row, r.code) for r in report.first_rejects] == [
        (3, "no_offset"), (4, "unknown_circuit"), (5, "impossible"), (6, "ts_future"),
        (7, "ts_past"),
    ]  # fmt: skip
    assert "import the registry" in report.first_rejects[1].reason
    assert report.unknown_columns == ("colour",)
    with report.rejected_path.open(encoding="utf-8") as file:
        assert [row["row"] for row in csv.DictReader(file)] == ["3", "4", "5", "6", "7", "8"]


async def test_a_torn_file_keeps_what_came_before_and_can_be_finished(db, small_registry, tmp_path):
    import gzip  # noqa: PLC0415 - the only user

    await imported(db, small_registry)
    packed = gzip.compress(readings_file(tmp_path / "r.csv", 20_000).read_bytes())
    path = tmp_path / "r.csv.gz"
    path.write_bytes(packed[: len(packed) // 2])
    torn = await readings(db, path, 2000)
    assert "is unreadable after row" in torn.error
    assert 5_000 < torn.stored < 20_000  # all that came before, however far one has read ahead
    path.write_bytes(packed)
    whole = await readings(db, path, 2000)
    assert whole.error == ""
    assert (whole.stored, whole.already_there) == (20_000 - torn.stored, torn.stored)


async def test_a_bad_registry_row_costs_nothing_else(db, small_registry):
    with (small_registry / "circuits.csv").open("a") as file:
        file.write("C3,NOPE,P3,production,\n")
    report = (await imported(db, small_registry)).files[-1]
    assert (report.rows_read, report.stored, report.rejected) == (3, 2, 1)
    assert str(report.first_rejects[0]).startswith("row 4, gateway_id: no gateway 'NOPE'")
    assert report.rejected_path.name == "circuits.csv.rejected.csv"
    assert set((await load_registry(db)).circuits) == {"C1", "C2"}


async def test_a_database_that_fills_up_leaves_a_report_of_what_was_done(
    db, small_registry, tmp_path
):
    await imported(db, small_registry)
    path = readings_file(tmp_path / "r.csv", 20_000)
    async with db.connection() as connection:
        # the error that a full disk gives, once some chunks are stored
        await connection.execute("CREATE SEQUENCE written")
        await connection.execute(
            "CREATE FUNCTION fill_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF nextval('written') > 3 THEN RAISE EXCEPTION 'could not extend file'"
            " USING ERRCODE = 'disk_full'; END IF; RETURN NULL; END $$"
        )
        await connection.execute(
            "CREATE TRIGGER full_disk AFTER INSERT OR UPDATE ON latest"
            " FOR EACH STATEMENT EXECUTE FUNCTION fill_up()"
        )
    with pytest.raises(ImportBrokenOffError) as end:
        await readings(db, path, 2000)
    report = end.value.report
    assert report.error == str(end.value)
    assert 0 < report.stored == report.rows_read < 20_000
    assert report.error.startswith(f"{path} was not finished: the database is full")
    assert f"{report.stored} of its rows were stored, and repeating" in report.error
    assert "\n" not in report.error
    async with db.connection() as connection:
        await connection.execute("DROP TRIGGER full_disk ON latest")
    assert counts(await readings(db, path)) == (
        20_000, 20_000 - report.stored, report.stored, 0, 0,
    )  # fmt: skip


async def test_the_steel_works_stores_its_year_once(db, tmp_path):
    if not STEEL.is_dir():
        pytest.skip(f"NOT VERIFIED HERE: the data set {STEEL} is not beside this checkout")
    await import_registry(db, STEEL, reject_folders=[tmp_path])
    registry = await load_registry(db)
    assert isinstance(registry, Registry)
    reports = [
        await import_readings(
            db, STEEL / "readings.csv.gz", registry, calendar(), reject_folders=[tmp_path]
        )
        for _ in range(2)
    ]
    assert [counts(report) for report in reports] == [
        (35_040, 35_040, 0, 0, 0),
        (35_040, 0, 35_040, 0, 0),
    ]


async def test_an_import_that_is_cancelled_leaves_no_thread_behind(db, small_registry, tmp_path):
    await imported(db, small_registry)
    path = readings_file(tmp_path / "r.csv", 20_000)
    task = asyncio.create_task(readings(db, path, 500))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    again = await readings(db, path)
    assert again.stored + again.already_there == 20_000
