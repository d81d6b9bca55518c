"""The simulator as a process: real broker, real collector, a centre that is hard of hearing."""

import asyncio
import gzip
import os
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import aiomqtt
import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from gateway_sim.__main__ import app
from gateway_sim.city import build_city
from gateway_sim.history import READINGS_FOLDER, write_history
from gateway_sim.scenario import Scenario
from wattwitness.domain.readings import MEASURANDS
from wattwitness.domain.registry import Registry
from wattwitness.files.readings_files import read_chunks
from wattwitness.files.registry_files import read_registry
from wattwitness.store.database import Database
from wattwitness.store.readings import read_block
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.wire.payload import Ack, Message, decode_message, decode_status, encode_ack
from wattwitness.wire.topics import READINGS_FILTER, STATUS_FILTER, ack_topic

START = datetime(2026, 11, 2, tzinfo=UTC)


def simulate(home, *arguments, timeout_s=60):
    return subprocess.run(
        [sys.executable, "-m", "gateway_sim", *map(str, arguments)],
        env={**os.environ, "WATTWITNESS_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


async def simulating(home, *arguments):
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway_sim", *map(str, arguments),
        env={**os.environ, "WATTWITNESS_HOME": str(home)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


class Centre:
    """Acknowledges like the collector; may be told to drop what it hears."""

    def __init__(self, client) -> None:
        self.client = client
        self.heard = defaultdict(dict)  # (gateway, epoch) → seq → message
        self.status = {}
        self.deaf = 0  # messages to drop
        self.silent = False
        self.received = 0

    async def listen(self):
        async for message in self.client.messages:
            gateway, channel = message.topic.value.split("/")[2:]
            if channel == "status":
                self.status[gateway] = decode_status(message.payload).online
                continue
            self.received += 1
            if self.deaf:
                self.deaf -= 1
                continue
            told = decode_message(message.payload)
            assert isinstance(told, Message)
            mine = self.heard[gateway, told.mark.epoch]
            mine[told.mark.seq] = told
            if self.silent:
                continue
            prefix = (told.mark.oldest or 1) - 1
            while prefix + 1 in mine:
                prefix += 1
            ack = encode_ack(Ack(epoch=told.mark.epoch, seq=prefix, ts=0))
            await self.client.publish(ack_topic(gateway), ack, qos=1)

    async def until(self, condition, timeout_s=60):
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110 - a test looks from outside
                await asyncio.sleep(0.05)


@asynccontextmanager
async def centre_at(url):
    parts = urlsplit(url)
    async with aiomqtt.Client(
        parts.hostname, parts.port, protocol=aiomqtt.ProtocolVersion.V5
    ) as client:
        await client.subscribe(READINGS_FILTER, qos=1)
        await client.subscribe(STATUS_FILTER, qos=1)
        centre = Centre(client)
        task = asyncio.create_task(centre.listen())
        yield centre
        task.cancel()


@pytest.fixture
async def centre(broker_url) -> AsyncIterator[Centre]:
    async with centre_at(broker_url) as found:
        yield found


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    city = build_city(Scenario(enterprises=3, days=0.25, seed=4, interval_s=300), START)
    write_history(city, folder)
    return folder


def _flat(path):
    """(circuit, ts) → row, of a readings file."""
    found = {}
    for chunk in read_chunks(path):
        assert not chunk.rejects
        for row in chunk.rows:
            found[chunk.circuits[row["circuit"]], int(row["ts"])] = row
    return found


def test_history_is_readable_by_the_import(written):
    read = read_registry(written, Registry())
    assert all(not r.error and not r.rejects and not r.unknown_columns for r in read.reports)
    city = build_city(Scenario(enterprises=3, days=0.25, seed=4, interval_s=300), START)
    assert read.registry.circuits == city.registry.circuits
    assert read.registry.enterprises == city.registry.enterprises
    assert read.registry.pairings == city.registry.pairings
    assert read.registry.measures == city.registry.measures
    for plant in city.plants:
        rows = plant.readings(city.start_us, city.end_us)
        rows = rows[rows["received_at"] < city.end_us]
        found = _flat(written / READINGS_FOLDER / f"{plant.enterprise_id}.parquet")
        assert len(found) == len(rows)
        for row in rows[:: max(1, len(rows) // 40)]:
            name = city.registry.circuit_by_key[int(row["circuit"])].circuit_id
            same = found[name, int(row["ts"])]
            assert same["received_at"] == row["received_at"]
            for column in MEASURANDS:
                assert np.array_equal(same[column], row[column], equal_nan=True)


def test_history_command(home, tmp_path):
    done = simulate(
        home, "--history", tmp_path, "--enterprises", 2, "--days", 0.1,
        "--until", "2026-11-02T00:00:00Z",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("wrote 2 enterprises")
    assert {p.stem for p in (tmp_path / READINGS_FOLDER).iterdir()} == {"MH0001", "MH0002"}
    assert (
        pq.read_schema(tmp_path / READINGS_FOLDER / "MH0002.parquet").field("ts").type.tz == "UTC"
    )
    assert (tmp_path / "answer_key.json").is_file()


async def test_replay_gives_every_value_and_ends(home, broker_url, centre, written):
    path = written / READINGS_FOLDER / "MH0002.parquet"
    process = await simulating(home, "--replay", path, "--mqtt-url", broker_url)
    out, err = await process.communicate()
    assert process.returncode == 0, err
    expected = _flat(path)
    assert f"replayed {len(expected)} readings".encode() in out
    assert b"all confirmed" in out
    heard = {}
    for (gateway, _), messages in centre.heard.items():
        assert sorted(messages) == list(range(1, len(messages) + 1))
        for message in messages.values():
            for ts_us, reading in zip(message.ts_us, message.readings, strict=True):
                heard[f"{gateway.removesuffix('-G1')}-{reading.ch}", ts_us] = reading
    assert heard.keys() == expected.keys()
    for key, row in expected.items():
        assert heard[key].p == row["p_kw"]
        assert heard[key].e == row["e_kwh"]
        assert heard[key].rs == row["resent"]
        assert heard[key].u is None or heard[key].u == tuple(row[["u_a", "u_b", "u_c"]])


async def test_replay_in_time_is_not_faster_than_told(home, broker_url, centre, written, tmp_path):
    shutil.copy(written / "circuits.csv", tmp_path)
    for noun in ("enterprises", "gateways"):
        shutil.copy(written / f"{noun}.csv", tmp_path)
    with gzip.open(tmp_path / "r.csv.gz", "wt") as file:
        file.write("circuit_id,ts,p_kw\n")
        file.writelines(f"MH0001-M1,2026-11-02T08:0{n}:00+08:00,{n}.5\n" for n in (2, 0, 1))
    process = await simulating(
        home, "--replay", tmp_path / "r.csv.gz", "--rate", 60, "--mqtt-url", broker_url
    )
    _, err = await process.communicate()
    assert process.returncode == 0, err
    (messages,) = centre.heard.values()
    assert [m.readings[0].p for _, m in sorted(messages.items())] == [0.5, 1.5, 2.5]


async def test_unconfirmed_replay_fails_in_one_line(home, broker_url, centre, written):
    centre.silent = True
    path = written / READINGS_FOLDER / "MH0001.parquet"
    process = await simulating(
        home, "--replay", path, "--mqtt-url", broker_url, "--confirm-timeout", 1
    )
    _, err = await process.communicate()
    assert process.returncode == 1
    assert b"not confirmed within 1 s" in err.splitlines()[-1]


def test_bad_input_is_one_line(home, written, tmp_path):
    path = written / READINGS_FOLDER / "MH0001.parquet"
    nowhere = "mqtt://127.0.0.1:1"
    lonely = tmp_path / "lonely.csv"
    lonely.write_text("circuit_id,ts,p_kw\nX,2026-01-01T00:00:00Z,1\n")
    torn, scenario = tmp_path / "torn.parquet", tmp_path / "city.toml"
    torn.write_bytes(path.read_bytes()[:-100])
    scenario.write_text("enterprises = 0")
    cases = [
        (("--replay", path, "--mqtt-url", nowhere), "no broker at"),
        (("--replay", tmp_path / "none.csv", "--registry", written, "--mqtt-url", nowhere), "none"),
        (("--replay", lonely, "--mqtt-url", nowhere), "circuits.csv"),
        (("--replay", path, torn, "--mqtt-url", nowhere), "torn.parquet"),
        (("--replay", tmp_path / "none.csv", "--mqtt-url", nowhere), "none.csv: No such file"),
        (("--scenario", scenario), "enterprises"),
        (("--enterprises", 1, "--days", 0.1, "--mqtt-url", nowhere), "no broker at"),
        (("--city", tmp_path), "answer_key.json"),
    ]
    for arguments, told in cases:
        done = simulate(home, *arguments)
        assert done.returncode == 1, arguments
        (line,) = [x for x in done.stderr.splitlines() if x.startswith("wattwitness:")]
        assert told in line, line
        assert "Traceback" not in done.stderr


BAD_ARGUMENTS = [
    (("--rate", "fast"), "--rate"),
    (("--days", "nan", "--history", "history"), "finite"),
    (("--days", "inf"), "finite"),
    (("--days", 1e6), "days"),
    (("--enterprises", 0), "enterprises"),
    (("--enterprises", -1), "enterprises"),
    (("--seed", -1), "seed"),
    (("--from", "2026-01-01T00:00:00"), "no offset"),
    (("--live-from", "yesterday"), "not a timestamp"),
    (("--live-from", "2001-01-01T00:00:00Z"), "--live-from"),
    (("--until", "0001-01-02T00:00:00Z"), "between 1971"),
    (("stray.csv",), "--replay"),
    (("--rate", 0), "--rate"),
    (("--mqtt-url", "http://x"), "MQTT URL"),
    (("--log-level", "loud"), "log-level"),
    (("--city", "city", "--days", 3), "--city"),
]


@pytest.mark.parametrize(("arguments", "told"), BAD_ARGUMENTS, ids=lambda v: str(v)[:40])
def test_bad_arguments_are_told_before_anything_is_started(arguments, told):
    left = CliRunner().invoke(app, [str(a) for a in arguments])
    assert left.exit_code == 2
    assert told in left.stderr.splitlines()[-1]


async def test_live_survives_deafness_and_kill(home, broker_url, centre, tmp_path):
    """What the centre did not confirm is sent again, by the next process too, under its epoch."""
    box = tmp_path / "box.sqlite"
    now = datetime.now(UTC).replace(microsecond=0)
    arguments = (
        "--enterprises", 2, "--days", 0.2, "--until", (now - timedelta(minutes=30)).isoformat(),
        "--mqtt-url", broker_url, "--outbox", box,
    )  # fmt: skip
    centre.silent = True
    first = await simulating(home, *arguments)
    await centre.until(lambda: len(centre.heard) == 2)
    await asyncio.sleep(0.5)
    first.send_signal(signal.SIGKILL)
    await first.communicate()
    before = {key: set(messages) for key, messages in centre.heard.items()}
    centre.heard.clear()
    centre.silent = False
    second = await simulating(home, *arguments)
    await centre.until(lambda: before.keys() < centre.heard.keys())
    await centre.until(lambda: all(before[key] <= set(centre.heard[key]) for key in before))
    await centre.until(lambda: len(centre.heard) >= 4)
    assert [centre.status[name] for name in ("MH0001-G1", "MH0002-G1")] == [True, True]
    for key in before:
        old = [r for m in centre.heard[key].values() for r in m.readings]
        late_ms = (now - timedelta(minutes=6)).timestamp() * 1000
        assert all(r.rs for r in old if r.ts < late_ms)
    second.terminate()
    _, err = await asyncio.wait_for(second.communicate(), 20)
    assert second.returncode == 0, err
    names = ("MH0001-G1", "MH0002-G1")
    await centre.until(lambda: not any(centre.status[name] for name in names))


async def test_a_vanished_gateway_leaves_its_last_will(home, broker_url, centre, tmp_path):
    process = await simulating(
        home, "--enterprises", 2, "--days", 0.1, "--connections", "per-gateway",
        "--mqtt-url", broker_url, "--outbox", tmp_path / "box.sqlite",
    )  # fmt: skip
    names = ("MH0001-G1", "MH0002-G1")
    # a retained status may be of an earlier test
    await centre.until(lambda: len(centre.heard) == 2)
    assert [centre.status[name] for name in names] == [True, True]
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    await centre.until(lambda: all(centre.status.get(name) is False for name in names))


async def test_through_the_real_collector_into_the_database(
    home, broker_url, db: Database, database_url, written
):
    """A replay stores what the file says, column by column."""
    registry = read_registry(written, Registry()).registry
    await save_registry(db, registry)
    environment = {
        **os.environ,
        "WATTWITNESS_HOME": str(home),
        "WATTWITNESS_DATABASE_URL": database_url,
        "WATTWITNESS_MQTT_URL": broker_url,
        "WATTWITNESS_COLLECTOR_ID": "collector-of-test-simulator",
    }
    collector = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "collector", env=environment, stderr=subprocess.DEVNULL
    )
    path = written / READINGS_FOLDER / "MH0003.parquet"
    try:
        replayed = await simulating(home, "--replay", path, "--mqtt-url", broker_url)
        _, err = await replayed.communicate()
        assert replayed.returncode == 0, err
    finally:
        collector.terminate()
        await collector.wait()
    stored_registry = await load_registry(db)
    keys = list(stored_registry.circuit_keys.values())
    rows = await read_block(db, keys, 0, 4 * 10**15)
    expected = _flat(path)
    assert len(rows) == len(expected)
    for row in rows:
        name = stored_registry.circuit_by_key[int(row["circuit"])].circuit_id
        same = expected[name, int(row["ts"])]
        assert row["resent"] == same["resent"]
        for column in MEASURANDS:
            assert row[column] == pytest.approx(same[column], abs=1e-6, nan_ok=True)
