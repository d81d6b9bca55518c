"""The collector as a process between a real broker and a real database."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import aiomqtt
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.domain.rejects import RejectCode
from wattwitness.store.database import Database
from wattwitness.store.gateways import gateway_health
from wattwitness.store.parked import parked_counts
from wattwitness.store.registry import save_registry
from wattwitness.store.rejects import find_rejects

START_MS = 1_767_225_600_000


def circuit(gateway_id: str, channel: str) -> Circuit:
    return Circuit(
        circuit_id=f"{gateway_id}-{channel}",
        gateway_id=gateway_id,
        channel=channel,
        role=Role.PRODUCTION,
    )


REGISTRY = Registry(
    enterprises={"E": Enterprise(enterprise_id="E", name="E")},
    gateways={"G1": Gateway(gateway_id="G1", enterprise_id="E")},
    circuits={"G1-P1": circuit("G1", "P1")},
)


class Field:
    """A gateway's view of the broker, and a process under its eyes."""

    def __init__(self, client: aiomqtt.Client, db: Database, environment: dict[str, str]) -> None:
        self.client, self.db, self._environment = client, db, environment
        self.acks: list[tuple[str, str, int]] = []
        self.process: subprocess.Popen[bytes] | None = None
        self.log = Path(environment["WATTWITNESS_HOME"]) / "collector.log"

    async def start(self) -> None:
        started = self.log.read_bytes().count(b'"collecting"') if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: ASYNC220
                [sys.executable, "-m", "collector"], env=self._environment, stdout=log, stderr=log
            )
        await self.until(
            lambda: self.log.read_bytes().count(b'"collecting"') > started, timeout_s=40
        )

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = await asyncio.to_thread(self.process.wait, 30)
        self.process = None
        return code

    async def listen(self) -> None:
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            ack = json.loads(message.payload)
            self.acks.append((message.topic.value.split("/")[2], ack["epoch"], ack["seq"]))

    async def publish(self, gateway_id: str, payload: object, **fields: object) -> None:
        if isinstance(payload, list):
            payload = json.dumps({"v": 1, "readings": payload, **fields})
        assert isinstance(payload, str | bytes)
        await self.client.publish(f"wattwitness/v1/{gateway_id}/readings", payload, qos=1)

    async def until(self, condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def until_ack(self, gateway_id: str, epoch: str, seq: int) -> None:
        await self.until(lambda: (gateway_id, epoch, seq) in self.acks)

    async def value(self, query: str) -> object:
        async with self.db.connection() as connection:
            return await connection.fetchval(query)


@pytest.fixture
async def field(db: Database, broker_url: str, home: Path, tmp_path: Path) -> AsyncIterator[Field]:
    await save_registry(db, REGISTRY)
    parts = urlsplit(broker_url)
    environment = os.environ | {
        "WATTWITNESS_HOME": str(tmp_path),
        "WATTWITNESS_DATABASE_URL": db.dsn,
        "WATTWITNESS_MQTT_URL": broker_url,
        "WATTWITNESS_COLLECTOR_ID": f"test-{uuid4().hex[:12]}",
    }
    async with aiomqtt.Client(parts.hostname or "", parts.port or 0) as client:
        await client.subscribe("wattwitness/v1/+/ack", qos=1)
        made = Field(client, db, environment)
        listening = asyncio.create_task(made.listen())
        await made.start()
        yield made
        if made.process is not None:
            await made.stop(signal.SIGKILL)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def reading(minute: int, p: float = 5.0, channel: str = "P1") -> dict[str, object]:
    return {"ch": channel, "ts": START_MS + minute * 60_000, "p": p}


async def test_stored_then_proven_duplicates_and_revisions(field: Field):
    await field.publish("G1", [reading(0), reading(1)], epoch="a", seq=1)
    await field.until_ack("G1", "a", 1)
    assert await field.value("SELECT count(*) FROM readings") == 2
    await field.publish("G1", [reading(0), reading(1, p=6.0)], epoch="a", seq=2)
    await field.until_ack("G1", "a", 2)
    assert await field.value("SELECT count(*) FROM readings") == 2
    assert await field.value("SELECT count(*) FROM revisions") == 1
    (health,) = await gateway_health(field.db)
    counts = {k: health.today[k] for k in ("received", "stored", "duplicate", "revision")}
    assert counts == {"received": 4, "stored": 2, "duplicate": 1, "revision": 1}
    await field.publish("G1", [reading(9)], epoch="a", seq=4)  # number 3 is missing
    await field.until(lambda: field.acks.count(("G1", "a", 2)) >= 1)
    await asyncio.sleep(0.5)
    assert ("G1", "a", 4) not in field.acks
    assert await field.value("SELECT count(*) FROM readings") == 3
    await field.publish("G1", [reading(8)], epoch="a", seq=3)
    await field.until_ack("G1", "a", 4)


async def test_what_is_refused_is_kept_whole_and_proven(field: Field):
    await field.publish("G1", b'{"epoch":"a","seq":1,"readings":[{"ch"')
    await field.publish(
        "G1", b'{"epoch":"a","seq":2,"readings":[{"ch":"P1","ts":1,"p":NaN},%b]}'
        % json.dumps(reading(0)).encode()
    )  # fmt: skip
    await field.publish("G1", [{"ch": "P1", "ts": 4e12, "p": 1}], epoch="a", seq=3)
    await field.until_ack("G1", "a", 3)
    rejects = await find_rejects(field.db)
    assert {(kept.reject.code, kept.reject.payload) for kept in rejects} == {
        (RejectCode.MALFORMED, b'{"epoch":"a","seq":1,"readings":[{"ch"'),
        (RejectCode.IMPOSSIBLE, b'{"ch": "P1", "ts": 1, "p": NaN}'),
        (RejectCode.TS_FUTURE, b'{"ch": "P1", "ts": 4000000000000.0, "p": 1}'),
    }
    assert await field.value("SELECT count(*) FROM readings") == 1


async def test_unknown_is_parked_and_taken_in_when_the_registry_learns_it(field: Field):
    await field.publish("G2", [reading(0), reading(1)], epoch="b", seq=1)
    await field.publish("G1", [reading(0), reading(0, channel="X")], epoch="a", seq=1)
    await field.until_ack("G2", "b", 1)
    await field.until_ack("G1", "a", 1)
    waiting = {(p.gateway_id, p.channel): p.readings for p in await parked_counts(field.db)}
    assert waiting == {("G2", None): 2, ("G1", "X"): 1}
    wider = replace(
        REGISTRY,
        gateways={g: Gateway(gateway_id=g, enterprise_id="E") for g in ("G1", "G2")},
        circuits={
            c.circuit_id: c for c in (circuit("G1", "P1"), circuit("G1", "X"), circuit("G2", "P1"))
        },
    )
    await save_registry(field.db, wider)
    async with asyncio.timeout(60):
        while await parked_counts(field.db):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert await field.value("SELECT count(*) FROM readings") == 4


async def test_a_status_and_its_will_are_kept(field: Field):
    status = json.dumps({"online": False, "ts": START_MS})
    await field.client.publish("wattwitness/v1/G1/status", status, qos=1, retain=True)
    async with asyncio.timeout(60):
        while (await gateway_health(field.db))[0].online is None:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert (await gateway_health(field.db))[0].online is False
    await field.client.publish("wattwitness/v1/G1/status", b"", qos=1, retain=True)


async def test_a_gateway_that_is_cut_off_is_offline(field: Field, broker_url: str):
    """The broker speaks its last will, which is dated before everything else that it said."""

    async def until_online(*, expected: bool) -> None:
        async with asyncio.timeout(60):
            while (await gateway_health(field.db))[0].online is not expected:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    topic, parts = "wattwitness/v1/G1/status", urlsplit(broker_url)
    gateway = Client(CallbackAPIVersion.VERSION2)
    gateway.will_set(topic, json.dumps({"online": False, "ts": START_MS}), qos=1, retain=True)
    gateway.connect(parts.hostname or "", parts.port or 0)
    gateway.loop_start()
    online = json.dumps({"online": True, "ts": START_MS + 1})
    gateway.publish(topic, online, qos=1, retain=True).wait_for_publish(5)
    await until_online(expected=True)
    gateway.loop_stop()
    sock = gateway.socket()
    assert sock is not None
    sock.shutdown(socket.SHUT_RDWR)
    sock.close()
    await until_online(expected=False)
    (health,) = await gateway_health(field.db)
    assert health.status_us == START_MS * 1000
    assert health.status_received_us is not None
    await field.client.publish(topic, b"", qos=1, retain=True)


async def test_sigterm_commits_what_is_in_hand(field: Field):
    for seq in range(1, 51):
        await field.publish("G1", [reading(seq)], epoch="a", seq=seq)
    assert await field.stop() == 0
    stored = await field.value("SELECT count(*) FROM readings")
    told = max((seq for _, _, seq in field.acks), default=0)
    await field.until(lambda: max((s for _, _, s in field.acks), default=0) == stored)
    assert told <= 50
    await field.start()  # what was left with the broker comes now
    await field.until_ack("G1", "a", 50)
    assert await field.value("SELECT count(*) FROM readings") == 50


async def test_killed_again_and_again_nothing_is_lost(field: Field):
    """A small chaos; the large one is `python -m benchmarks.chaos`."""
    total = 2000

    async def publish() -> None:
        for seq in range(1, total + 1):
            await field.publish("G1", [reading(seq, p=float(seq))], epoch="a", seq=seq)

    publishing = asyncio.create_task(publish())
    for _ in range(3):
        await asyncio.sleep(0.3)
        await field.stop(signal.SIGKILL)
        await field.start()
    await publishing
    await field.until_ack("G1", "a", total)
    assert await field.value("SELECT count(*) FROM readings") == total
    assert await field.value("SELECT count(*) FROM revisions") == 0
    assert await field.stop() == 0


async def test_a_running_collector_waits_out_a_database_that_hangs_up(field: Field):
    cut = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE application_name = 'wattwitness-collector'"""
    for seq in range(1, 201):
        await field.publish("G1", [reading(seq)], epoch="a", seq=seq)
        if seq % 40 == 0:
            await field.value(cut)
            await asyncio.sleep(0.1)
    await field.until_ack("G1", "a", 200)
    assert await field.value("SELECT count(*) FROM readings") == 200
    assert field.process is not None
    assert field.process.poll() is None


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("WATTWITNESS_MQTT_URL", "http://nowhere", "write mqtt://host:1883"),
        ("WATTWITNESS_DATABASE_URL", "mysql://nowhere", "postgresql://"),
        ("WATTWITNESS_BATCH_READINGS", "many", "batch_readings"),
        ("WATTWITNESS_COLLECTOR_METRICS", "127.0.0.1:99999", "WATTWITNESS_COLLECTOR_METRICS"),
    ],
)
async def test_a_wrong_setting_ends_with_one_line(
    variable: str, value: str, message: str, database_url: str, broker_url: str, home: Path
):
    environment = os.environ | {
        "WATTWITNESS_DATABASE_URL": database_url,
        "WATTWITNESS_MQTT_URL": broker_url,
        variable: value,
    }
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "collector"],
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    lines = [ln for ln in ended.stderr.decode().splitlines() if ln.startswith("wattwitness: ")]
    assert len(lines) == 1
    assert message in lines[0]
    assert "Traceback" not in ended.stderr.decode()


async def test_a_flood_of_one_gateway_does_not_hold_up_another(field: Field):
    """What stands behind a flood in the broker's queue; all of the flood comes in, later."""
    await save_registry(
        field.db,
        replace(
            REGISTRY,
            gateways=REGISTRY.gateways | {"G2": Gateway(gateway_id="G2", enterprise_id="E")},
            circuits=REGISTRY.circuits | {"G2-P1": circuit("G2", "P1")},
        ),
    )
    assert await field.stop() == 0
    field._environment |= {
        "WATTWITNESS_BATCH_READINGS": "50",
        "WATTWITNESS_BATCH_MOST_READINGS": "100",
    }
    flood = 6000
    for first in range(1, flood + 1, 500):
        async with asyncio.TaskGroup() as together:
            for seq in range(first, first + 500):
                together.create_task(field.publish("G1", [reading(seq)], epoch="a", seq=seq))
    await field.publish("G2", [reading(1)], epoch="b", seq=1)
    await field.start()
    await field.until_ack("G2", "b", 1)
    assert await field.value("SELECT is_called FROM set_aside_aside_id_seq")  # some was kept aside
    await field.until_ack("G1", "a", flood)
    async with asyncio.timeout(60):
        while await field.value("SELECT count(*) FROM readings") != flood + 1:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert await field.value("SELECT count(*) FROM set_aside") == 0
    (health,) = [h for h in await gateway_health(field.db) if h.gateway_id == "G1"]
    assert (health.today["stored"], health.today["duplicate"]) == (flood, 0)
