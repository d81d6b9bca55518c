"""A full-rate cell: messages at a steady rate, and how long each takes to its proof of delivery."""

import time
from dataclasses import dataclass, field
from multiprocessing import get_context

import numpy as np

from benchmarks.ingest.load import Load
from benchmarks.ingest.stage import Cost, Stage
from benchmarks.ingest.wires import Ear, Publisher

_PATIENCE_S = 60.0
_LOOK_S = 2.0
_SETTLE_S = 5.0  # what the start itself costs is not measured


@dataclass
class Steady:
    """What a steady rate was like."""

    load: Load
    cost: Cost = field(default_factory=Cost)
    took_s: float = 0.0
    latency_s: list[float] = field(default_factory=list)  # of each message, publish to proof
    memory_mb: list[float] = field(default_factory=list)

    def percentile_s(self, share: float) -> float:
        """Latency that `share` per cent of the messages keep below."""
        return float(np.percentile(self.latency_s, share))


class _Field:
    """Publishes on time and hears the proofs, in one loop."""

    def __init__(self, stage: Stage, load: Load, rate: float) -> None:
        self._load, self._rate, self._stage = load, rate, stage
        self._publisher = Publisher(stage.mqtt_url, load)
        self._ear = Ear(stage.mqtt_url, load.epoch)
        self._ear.on_proof = self._proven
        self._sent_s: dict[tuple[str, int], float] = {}
        self._looked_s = 0.0
        self.found = Steady(load)

    def run(self) -> Steady:
        """Everything published, everything proven."""
        before, start_s = self._stage.cost(), time.perf_counter()
        while self._publisher.sent < self._load.messages:
            now_s = time.perf_counter()
            due = min(self._load.messages, int((now_s - start_s) * self._rate) + 1)
            self._note(self._publisher.sent, due, now_s)
            self._publisher.publish(due)
            self._publisher.settle_some()
            self._ear.listen(start_s + due / self._rate - time.perf_counter())
            self._look()
        self._publisher.settle()
        end_s = self._ear.expect(self._load, _PATIENCE_S, self._look)
        self.found.took_s = end_s - start_s
        self.found.cost = self._stage.cost() - before
        self._publisher.close()
        self._ear.close()
        return self.found

    def _note(self, first: int, upto: int, now_s: float) -> None:
        gateways = self._load.city.gateways
        for k in range(first, upto):
            n, g = divmod(k, gateways)
            self._sent_s[self._load.city.gateway(g), n + 1] = now_s

    def _proven(self, gateway: str, before: int, upto: int) -> None:
        now_s = time.perf_counter()
        for seq in range(before + 1, upto + 1):
            self.found.latency_s.append(now_s - self._sent_s.pop((gateway, seq)))

    def _look(self) -> None:
        now_s = time.perf_counter()
        if now_s - self._looked_s > _LOOK_S:
            self._looked_s = now_s
            self._stage.check_collector()
            self.found.memory_mb.append(self._stage.memory_mb()[0])


def steady(stage: Stage, load: Load, rate: float, flood: Load | None = None) -> Steady:
    """Publish `rate` messages a second to a running collector.

    Args:
        stage: what is measured.
        load: what is published at that rate.
        rate: messages a second.
        flood: what a gateway publishes beside it as fast as the broker takes it; its delay is not
            measured.
    """
    stage.start_collector()
    time.sleep(_SETTLE_S)
    beside = None
    if flood is not None:
        beside = get_context("spawn").Process(target=_pour, args=(stage.mqtt_url, flood))
        beside.start()
    try:
        found = _Field(stage, load, rate).run()
        if beside is not None:
            beside.join()
        return found
    finally:
        if beside is not None:
            beside.kill()
        stage.stop_collector()


def _pour(url: str, flood: Load) -> None:
    publisher = Publisher(url, flood, "ingest-flood")
    publisher.publish(flood.messages)
    publisher.settle()
    publisher.close()
