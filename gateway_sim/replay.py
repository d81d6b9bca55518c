"""`--replay`: a readings file, published over MQTT by the gateways that its circuits hang on.

Nothing is invented: no resent mark that the file does not have, no date of sending, values digit by
digit. Ends when every message is proven to be stored.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from gateway_sim.clock import SimulatedClock
from gateway_sim.messages import MAX_READINGS, bodies
from gateway_sim.outbox import Outbox
from gateway_sim.postman import Postman
from wattwitness.domain.errors import BrokerUnavailableError, InputRefusedError
from wattwitness.domain.readings import Readings, empty_readings
from wattwitness.domain.registry import Protocol, Registry
from wattwitness.files.readings_files import read_chunks
from wattwitness.files.registry_files import read_registry
from wattwitness.runtime.lifecycle import Lifecycle
from wattwitness.wire.broker_address import BrokerAddress

KEPT_MOST: Final = 8000  # messages in the outbox before reading waits for proofs
TICK_S: Final = 0.05  # real time between looks at the clock
Progress = Callable[[float], None]


@dataclass(slots=True)
class ReplayReport:
    """What a replay did."""

    files: int = 0
    readings: int = 0
    messages: int = 0
    rejected: int = 0  # rows of the files that are no readings
    unknown: int = 0  # readings whose circuit the registry does not have
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"replayed {self.readings} readings of {self.files} file(s) in {self.messages} "
            f"messages in {self.seconds:.1f} s, all confirmed; rows refused {self.rejected}, "
            f"circuits unknown {self.unknown}"
        )


def replay_registry(files: Sequence[Path], named: Path | None) -> Registry:
    """The registry that tells each circuit's gateway and channel.

    Args:
        files: the readings files.
        named: a folder or workbook; None: the folder of the first file, or the one above it.

    Raises:
        InputRefusedError: there is none, or it cannot be used.
    """
    beside = [folder for file in files for folder in (file.parent, file.parent.parent)]
    found = named or next((f for f in beside if (f / "circuits.csv").is_file()), None)
    if found is None:
        raise InputRefusedError(
            f"no circuits.csv beside {files[0]}", "name the registry's folder with --registry"
        )
    read = read_registry(found, Registry())
    for report in read.reports:
        if report.error:
            raise InputRefusedError(f"{report.source}: {report.error}", "mend the registry file")
    if not read.registry.circuits:
        raise InputRefusedError(f"{found} knows no circuits", "name a folder with circuits.csv")
    return read.registry


class _Wiring:
    """Circuits numbered; each number's gateway and channel."""

    def __init__(self, registry: Registry) -> None:
        circuits = [
            c
            for c in registry.circuits.values()
            if registry.gateways[c.gateway_id].protocol is Protocol.MQTT
        ]
        self.keys = {c.circuit_id: n for n, c in enumerate(circuits)}
        self.channels = {n: c.channel for n, c in enumerate(circuits)}
        self.gateways = sorted({c.gateway_id for c in circuits})
        rank = {gateway: n for n, gateway in enumerate(self.gateways)}
        self.gateway_of = np.array([rank[c.gateway_id] for c in circuits], dtype=np.int64)

    def chunks(self, path: Path, report: ReplayReport) -> Iterator[tuple[Readings, float]]:
        """(readings with our keys, share of the file done), chunk by chunk."""
        for chunk in read_chunks(path):
            keys = np.array([self.keys.get(name, -1) for name in chunk.circuits], dtype=np.int32)
            rows = chunk.rows.copy()
            rows["circuit"] = keys[chunk.rows["circuit"]] if len(keys) else -1
            known = rows["circuit"] >= 0
            report.rejected += len(chunk.rejects)
            report.unknown += int(np.count_nonzero(~known))
            yield rows[known], chunk.share_done

    def per_gateway(self, rows: Readings) -> Iterator[tuple[str, Readings]]:
        """Each gateway's rows, in their order."""
        owners = self.gateway_of[rows["circuit"]]
        for n in np.unique(owners).tolist():
            yield self.gateways[n], rows[owners == n]


class Replay:
    """One replay of some files.

    Args:
        registry: tells each circuit's gateway and channel.
        outbox: where messages wait for their proof.
        address: the broker.
        confirm_timeout_s: give up when nothing was proven for so long.
    """

    def __init__(
        self, registry: Registry, outbox: Outbox, address: BrokerAddress, confirm_timeout_s: float
    ) -> None:
        self._wiring = _Wiring(registry)
        self._outbox = outbox
        self._address = address
        self._confirm_timeout_s = confirm_timeout_s
        self._numbers: dict[str, int] = {}
        self.report = ReplayReport()

    async def run(
        self, lifecycle: Lifecycle, files: Sequence[Path], rate: float, progress: Progress
    ) -> ReplayReport:
        """Publish the files one after the other and wait for the last proof.

        Raises:
            BrokerUnavailableError: no broker, or no proof of delivery in time.
            InputRefusedError: a file cannot be used.
        """
        began_s = time.monotonic()
        delivered = asyncio.Event()
        postman = Postman(self._outbox, self._address, self._wiring.gateways)
        task = lifecycle.spawn("postman", postman.run(delivered))
        for n, path in enumerate(files):
            source = self._wiring.chunks(path, self.report)
            async for rows, share in self._steps(source, rate, lifecycle):
                await self._publish(lifecycle, postman, rows)
                progress((n + share) / len(files))
            self.report.files += 1
        await self._proven(lifecycle, postman, 0)
        self.report.seconds = time.monotonic() - began_s
        delivered.set()
        await asyncio.gather(task, return_exceptions=True)
        return self.report

    async def _publish(self, lifecycle: Lifecycle, postman: Postman, rows: Readings) -> None:
        for gateway, mine in self._wiring.per_gateway(rows):
            for start in range(0, len(mine), 50 * MAX_READINGS):
                some = mine[start : start + 50 * MAX_READINGS]
                items = [
                    (gateway, born, body) for born, body in bodies(some, self._wiring.channels)
                ]
                await self._proven(lifecycle, postman, KEPT_MOST)
                self._outbox.append(items)
                self._numbers[gateway] = self._numbers.get(gateway, 0) + len(items)
                postman.added([(gateway, self._numbers[gateway])])
                self.report.readings += len(some)
                self.report.messages += len(items)
                await asyncio.sleep(0)

    async def _proven(self, lifecycle: Lifecycle, postman: Postman, most: int) -> None:
        """Wait until at most `most` messages are without proof."""
        since_s = time.monotonic()
        while postman.waiting > most:
            quiet_s = time.monotonic() - max(since_s, postman.proven_at_s)
            if quiet_s > self._confirm_timeout_s:
                raise BrokerUnavailableError(
                    f"{postman.waiting} messages were not confirmed within "
                    f"{self._confirm_timeout_s:g} s",
                    "is the collector running on this broker? (wattwitness collect)",
                )
            if await lifecycle.sleep(0.02):
                raise BrokerUnavailableError(
                    f"stopped with {postman.waiting} messages not confirmed", "start it again"
                )

    async def _steps(
        self, source: Iterator[tuple[Readings, float]], rate: float, lifecycle: Lifecycle
    ) -> AsyncIterator[tuple[Readings, float]]:
        """The readings as the file has them; or in order of time, when a clock reaches them."""
        if rate <= 0:
            for step in source:
                yield step
            return
        rows = np.concatenate([empty_readings(), *(rows for rows, _ in source)])
        rows = rows[np.argsort(rows["ts"], kind="stable")]
        clock = SimulatedClock(int(rows["ts"][0]) if len(rows) else 0, rate, time.monotonic)
        done = 0
        while done < len(rows):
            wait_s = max(TICK_S, clock.wait_s(int(rows["ts"][done])))
            if await lifecycle.sleep(wait_s):
                raise BrokerUnavailableError(
                    f"stopped after {done} of {len(rows)} readings", "start it again"
                )
            upto = int(np.searchsorted(rows["ts"], clock.now_us(), side="right"))
            if upto > done:
                yield rows[done:upto], upto / len(rows)
                done = upto
