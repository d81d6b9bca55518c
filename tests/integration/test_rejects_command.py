"""`wattwitness rejects`: what was refused, listed, and judged again, as users call it."""

import base64
import csv
import json
import os
import subprocess
import sys
import time

import pytest

from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import US_PER_DAY
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.domain.rejects import Parked, Reject, RejectCode
from wattwitness.store.database import Database
from wattwitness.store.gateways import COUNTS, gateway_days
from wattwitness.store.migrations import upgrade
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import save_registry

NOW = time.time_ns() // 1_000_000_000 * 1_000_000
AGO = NOW - 10 * US_PER_DAY  # what the collector's clock said
BINARY = b"\x00\xff{"


def reject(code: RejectCode, payload: bytes, index: int | None = None, at_us: int = AGO) -> Reject:
    return Reject(
        gateway_id="G", code=code, text="why", payload=payload, received_us=at_us, index=index
    )


@pytest.fixture
async def dsn(home, database_url) -> str:
    async with await Database.open(database_url) as db:
        await upgrade(db)
        known = Registry(
            enterprises={"E": Enterprise(enterprise_id="E", name="E")},
            gateways={"G": Gateway(gateway_id="G", enterprise_id="E")},
            circuits={"C": Circuit(circuit_id="C", gateway_id="G", channel="P", role=Role.MAIN)},
        )
        await save_registry(db, known)
        reading = b'{"ch": "P", "ts": %d, "p": 84.7}' % (NOW // 1000)
        rejects = [
            reject(RejectCode.TS_FUTURE, reading, 3),
            reject(RejectCode.MALFORMED, '{"电'.encode(), at_us=AGO + 1_000_000),
            reject(RejectCode.MALFORMED, BINARY, at_us=AGO + 2_000_000),
        ]
        waiting = Parked(
            gateway_id="G2", channel=None, payload=b'{"readings":[1]}', received_us=NOW, readings=1
        )
        await write_batch(db, IngestBatch(rejects=rejects, parked=[waiting]))
    return database_url


def rejects(dsn: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wattwitness", "rejects", *arguments],
        env={**os.environ, "WATTWITNESS_DATABASE_URL": dsn},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def test_the_list_is_whole_and_newest_first(dsn, tmp_path):
    done = rejects(dsn, "list")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(r["gateway_id"], r["code"]) for r in found] == [
        ("G2", "unknown_gateway"), ("G", "malformed"), ("G", "malformed"), ("G", "ts_future"),
    ]  # fmt: skip
    assert found[2]["payload"] == '{"电'
    assert found[1]["payload"] is None
    assert base64.b64decode(found[1]["payload_base64"]) == BINARY
    assert (found[3]["index"], found[3]["readings"], found[3]["reason"]) == (3, 1, "why")
    assert found[0]["reject_id"].startswith("w")

    file = tmp_path / "rejects.csv"
    done = rejects(dsn, "list", "--code", "malformed", "--gateway", "G", "-o", str(file))
    assert done.stdout == f"{file}: 2 rejects\n"
    with file.open(newline="", encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
    assert [row["payload"] for row in rows] == ["", '{"电']
    assert rows[0].keys() == found[0].keys()
    assert rejects(dsn, "list", "--to", "2001-01-01T00:00:00Z").stdout == "[]\n"
    assert rejects(dsn, "list", "--gateway", "none", "--format", "csv").stdout.count("\n") == 1


async def test_retry_stores_once_and_moves_the_counts(dsn):
    done = rejects(dsn, "retry", "--code", "malformed")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:3] == [
        "judged     2", "left       2 as they were", "stored     0 readings",
    ]  # fmt: skip
    done = rejects(dsn, "retry", "--gateway", "G")
    assert "stored     1 readings" in done.stdout
    assert "stored     0 readings" in rejects(dsn, "retry").stdout
    async with await Database.open(dsn) as db:
        days = await gateway_days(db, "G")
        assert {name: sum(day.counts[name] for day in days) for name in COUNTS} == {
            "received": 3, "stored": 1, "duplicate": 0, "revision": 0, "rejected": 2,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["list", "--code", "none"], 2, "not one of"),
        (["list", "--from", "2026-01-01"], 2, "no offset"),
        (["list", "--format", "xlsx"], 2, "not one of"),
        (["list", "-o", "x.parquet"], 2, "json or csv"),
        (["retry", "--from", "yesterday"], 2, "not a timestamp"),
        (["retry", "--help"], 0, "wattwitness rejects retry"),
        (["list", "--help"], 0, "rejects list"),
    ],
)
def test_arguments(home, arguments, status, says):
    done = rejects("postgresql://127.0.0.1:1/x", *arguments)
    assert done.returncode == status, done.stderr
    assert says in " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("name", ["list", "retry"])
def test_an_absent_database_is_one_line(home, name):
    done = rejects("postgresql://127.0.0.1:1/x", name)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "cannot be reached" in done.stderr
