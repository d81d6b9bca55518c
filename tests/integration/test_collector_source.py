"""What every source promises: one suite, two implementations."""

import asyncio
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from urllib.parse import urlsplit
from uuid import uuid4

import aiomqtt
import pytest

from collector.memory_source import MemorySource
from collector.mqtt_source import MqttSource
from collector.source import Incoming, Proof, Source
from wattwitness.domain.errors import BrokerUnavailableError
from wattwitness.runtime.backoff import Backoff
from wattwitness.runtime.embedded_mosquitto import find_mosquitto
from wattwitness.wire.broker_address import BrokerAddress
from wattwitness.wire.payload import Ack, decode_ack
from wattwitness.wire.topics import ack_topic, readings_topic

WINDOW = 5


class Bench:
    """A source under test, and its other end."""

    source: Source

    async def put(self, topic: str, payload: bytes) -> None:
        raise NotImplementedError

    async def reconnect(self) -> None:
        raise NotImplementedError

    async def take(self, n: int, timeout_s: float = 5.0) -> list[Incoming]:
        """Up to n messages, within the time."""
        found: list[Incoming] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while len(found) < n:
                    found += await self.source.receive()
        return found


class MemoryBench(Bench):
    def __init__(self) -> None:
        self.source = self.memory = MemorySource(WINDOW)

    async def put(self, topic: str, payload: bytes) -> None:
        self.memory.put(topic, payload)

    async def reconnect(self) -> None:
        self.memory.reconnect()


class MqttBench(Bench):
    def __init__(self, url: str, client: aiomqtt.Client, client_id: str = "") -> None:
        self.client_id = client_id or f"test-{uuid4().hex[:12]}"
        self.mqtt = MqttSource(
            BrokerAddress.parse(url), self.client_id, WINDOW, Backoff(0.05, 0.1), keepalive_s=1
        )
        self.source = self.mqtt
        self.client = client

    async def put(self, topic: str, payload: bytes) -> None:
        await self.client.publish(topic, payload, qos=1)

    async def reconnect(self) -> None:
        connection = self.mqtt._connection
        assert connection is not None
        connection._pump._sock.shutdown(2)
        while self.mqtt._connection in {None, connection}:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def client_of(url: str) -> aiomqtt.Client:
    parts = urlsplit(url)
    return aiomqtt.Client(parts.hostname or "", parts.port or 0)


@pytest.fixture(params=["memory", "mqtt"])
async def bench(request, broker_url: str) -> AsyncIterator[Bench]:
    if request.param == "memory":
        yield MemoryBench()
        return
    async with client_of(broker_url) as client:
        made = MqttBench(broker_url, client)
        await made.mqtt.connect()
        running = asyncio.create_task(made.mqtt.run())
        yield made
        await made.mqtt.close()
        await running


def texts(messages: list[Incoming]) -> list[bytes]:
    return [message.payload for message in messages]


async def test_messages_come_in_order_with_tokens(bench: Bench):
    for k in range(3):
        await bench.put(readings_topic("G"), b"%d" % k)
    messages = await bench.take(3)
    assert texts(messages) == [b"0", b"1", b"2"]
    assert {m.topic for m in messages} == {readings_topic("G")}
    assert len({m.token for m in messages}) == 3


async def test_the_window_bounds_what_is_not_committed(bench: Bench):
    for k in range(2 * WINDOW):
        await bench.put(readings_topic("G"), b"%d" % k)
    first = await bench.take(2 * WINDOW, 0.5)
    assert len(first) == WINDOW
    bench.source.commit([m.token for m in first[:2]])
    assert texts(await bench.take(2)) == [b"5", b"6"]


async def test_what_is_not_committed_comes_again_and_says_so(bench: Bench):
    for k in range(3):
        await bench.put(readings_topic("G"), b"%d" % k)
    messages = await bench.take(3)
    bench.source.commit([messages[0].token])
    await asyncio.sleep(0.1)
    await bench.reconnect()
    again = await bench.take(2)
    assert texts(again) == [b"1", b"2"]
    assert all(m.redelivered for m in again)
    assert not any(m.redelivered for m in messages)


async def test_tokens_of_an_earlier_connection_settle_nothing(bench: Bench):
    await bench.put(readings_topic("G"), b"0")
    old = await bench.take(1)
    await bench.reconnect()
    assert len(await bench.take(1)) == 1
    bench.source.commit([m.token for m in old])
    await asyncio.sleep(0.1)
    await bench.reconnect()
    assert texts(await bench.take(1)) == [b"0"]


async def test_committed_messages_do_not_come_again(bench: Bench):
    for k in range(3):
        await bench.put(readings_topic("G"), b"%d" % k)
    bench.source.commit([m.token for m in await bench.take(3)])
    await asyncio.sleep(0.1)
    await bench.reconnect()
    assert await bench.take(1, 0.3) == []


async def test_nothing_is_received_after_close(bench: Bench):
    await bench.source.close()
    with suppress(aiomqtt.MqttError):
        await bench.put(readings_topic("G"), b"0")
    assert await bench.take(1, 0.2) == []


async def test_a_proof_reaches_its_gateway(broker_url: str):
    async with client_of(broker_url) as client:
        await client.subscribe(ack_topic("G7"), qos=1)
        made = MqttBench(broker_url, client)
        await made.mqtt.connect()
        made.mqtt.prove([Proof("G7", Ack("e", 42, 5))])
        async with asyncio.timeout(30):
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                assert decode_ack(message.payload) == Ack("e", 42, 5)
                break
        await made.mqtt.close()


async def test_a_backlog_larger_than_the_window_does_not_block_the_start(broker_url: str):
    """The answer to the subscription comes behind the backlog."""
    async with client_of(broker_url) as client:
        before = MqttBench(broker_url, client)
        await before.mqtt.connect()
        await before.mqtt.close()
        for k in range(4 * WINDOW):
            await before.put(readings_topic("G"), b"%d" % k)
        after = MqttBench(broker_url, client, before.client_id)
        async with asyncio.timeout(5):
            await after.mqtt.connect()
        found: list[Incoming] = []
        while len(found) < 4 * WINDOW:
            found += (new := await after.take(1))
            after.source.commit([m.token for m in new])
        assert texts(found) == [b"%d" % k for k in range(4 * WINDOW)]
        await after.mqtt.close()


@pytest.mark.parametrize("bench", ["mqtt"], indirect=True)
async def test_a_full_window_outlives_the_keepalive(bench: MqttBench):
    """A database is away for longer than the keep-alive: the connection stays."""
    connection = bench.mqtt._connection
    for k in range(3 * WINDOW):
        await bench.put(readings_topic("G"), b"%d" % k)
    found = await bench.take(WINDOW)
    await asyncio.sleep(4.0)
    assert bench.mqtt._connection is connection
    bench.source.commit([m.token for m in found])
    while len(found) < 3 * WINDOW:
        found += (new := await bench.take(1))
        assert new, "nothing comes any more"
        bench.source.commit([m.token for m in new])
    assert texts(found) == [b"%d" % k for k in range(3 * WINDOW)]
    assert not any(m.redelivered for m in found)
    await asyncio.sleep(2.5)  # idle, and kept alive as usual
    assert bench.mqtt._connection is connection


@pytest.mark.parametrize("bench", ["mqtt"], indirect=True)
async def test_the_window_is_bounded_in_bytes_too(
    bench: MqttBench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("collector.pump.WINDOW_BYTES", 1000)
    for _ in range(WINDOW):
        await bench.put(readings_topic("G"), b"x" * 400)
    first = await bench.take(WINDOW, 0.5)
    assert len(first) == 3
    bench.source.commit([m.token for m in first])
    assert len(await bench.take(2)) == 2


@pytest.mark.parametrize("bench", ["mqtt"], indirect=True)
async def test_the_shipped_broker_drops_what_is_far_too_large(bench: MqttBench):
    await bench.put(readings_topic("G"), b"x" * 1_100_000)
    await bench.put(readings_topic("G"), b"x" * 1_000_000)
    assert [len(m.payload) for m in await bench.take(1)] == [1_000_000]


async def test_no_broker_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("collector.mqtt_source.FIRST_PATIENCE_S", 0.1)
    source = MqttSource(BrokerAddress("127.0.0.1", 9), "x", WINDOW, Backoff(0.01, 0.02))
    with pytest.raises(BrokerUnavailableError, match=r"no broker at mqtt://127\.0\.0\.1:9"):
        await source.connect()


async def test_refused_credentials_are_told_at_once(
    start_guarded_broker: Callable[[], str],
):
    url = start_guarded_broker()
    address = BrokerAddress.parse(url.replace("mqtt://", "mqtt://nobody:wrong@"))
    source = MqttSource(address, "x", WINDOW, Backoff(0.01, 0.02))
    with pytest.raises(BrokerUnavailableError, match=r"refuses us.*WATTWITNESS_MQTT_URL") as told:
        await source.connect()
    assert "wrong" not in str(told.value)


@pytest.fixture
def start_guarded_broker(tmp_path):
    """A mosquitto that lets nobody in."""
    processes = []

    def start() -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        configuration = tmp_path / "mosquitto.conf"
        configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous false\n")
        program = find_mosquitto()
        assert program is not None
        processes.append(
            subprocess.Popen([program, "-c", str(configuration)], stderr=subprocess.DEVNULL)
        )
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        return f"mqtt://127.0.0.1:{port}"

    yield start
    for process in processes:
        process.terminate()
        process.wait()
