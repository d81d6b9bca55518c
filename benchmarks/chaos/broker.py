"""The broker under fire: a mosquitto with the shipped settings, ours to kill and freeze."""

import asyncio
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from benchmarks.chaos.own_process import OwnProcess
from wattwitness.domain.errors import SetupError
from wattwitness.runtime.embedded_mosquitto import (
    REMEDY,
    find_mosquitto,
    start_mosquitto,
    stop_mosquitto,
)

# Of this run alone: another one would take it while this broker is dead.
_PORT: Final = 20_000 + os.getpid() % 8_000
_START_S: Final = 10.0
COLLECTOR_ID: Final = "wattwitness-collector"


class Broker(OwnProcess):
    """One mosquitto on one port."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        url = start_mosquitto(folder, _PORT)  # writes its settings
        stop_mosquitto(folder)
        self.port = urlsplit(url).port or _PORT

    async def start(self) -> None:
        """Start, and wait until it listens.

        Raises:
            SetupError: it does not.
        """
        program = find_mosquitto()
        if program is None:
            raise SetupError("mosquitto, the MQTT broker, is not installed", REMEDY)
        deadline_s = time.monotonic() + _START_S
        while time.monotonic() < deadline_s:
            if not self.runs:
                command = [program, "-c", str(self._folder / "mosquitto.conf")]
                with (self._folder / "said").open("ab") as said:
                    self._process = psutil.Popen(command, stdout=said, stderr=said)
            if _listens(self.port):
                return
            await asyncio.sleep(0.02)
        raise SetupError("the broker does not come up", f"see {self._folder / 'log'}")

    def forget_sessions(self) -> None:
        """While it is dead: its file of sessions and queues is gone, if it had written one."""
        (self._folder / "mosquitto.db").unlink(missing_ok=True)

    async def expire_session(self) -> bool:
        """Whatever the broker kept for the collector is thrown away, as when a session expires."""
        return await asyncio.to_thread(self._expire_session)

    def _expire_session(self) -> bool:
        gone = False

        def on_connect(client: Client, *_: object) -> None:
            nonlocal gone
            gone = True
            client.disconnect()

        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=COLLECTOR_ID,
            protocol=MQTTProtocolVersion.MQTTv5,
        )
        client.on_connect = on_connect
        with suppress(OSError):
            client.connect("127.0.0.1", self.port, clean_start=True)
            deadline_s = time.monotonic() + 5.0
            while client.loop(0.1) == 0 and time.monotonic() < deadline_s:
                pass
        return gone


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
