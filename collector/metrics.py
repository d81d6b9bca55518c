"""What the collector counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from wattwitness.domain.errors import SetupError
from wattwitness.domain.ingest import IngestOutcome

_PREFIX = "wattwitness_collector_"
_FATES = ("stored", "duplicates", "revisions", "rejected", "parked")


class Metrics:
    """One set of counters, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.messages = self._counter("messages", "MQTT messages received")
        self.proofs = self._counter("proofs", "Proofs of delivery told")
        self.failures = self._counter("write_failures", "Writes that failed")
        self.unknown_fields = self._counter("unknown_fields", "Fields outside the contract")
        self.readings = Counter(
            f"{_PREFIX}readings",
            "Readings by what became of them",
            ["fate"],
            registry=self.registry,
        )
        for fate in _FATES:
            self.readings.labels(fate)  # shown as 0 from the start
        self.held = self._gauge("held_messages", "Messages not yet committed")
        self.holes = self._gauge("holes", "Epochs with a missing number")
        self.write_seconds = self._histogram("write_seconds", "Duration of a write [s]")
        self.lag_seconds = self._histogram(
            "commit_lag_seconds", "Age of the oldest message of a batch at its commit [s]"
        )

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(_PREFIX + name, text, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(_PREFIX + name, text, registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(_PREFIX + name, text, registry=self.registry)

    def count(self, outcome: IngestOutcome) -> None:
        """Add one write's outcome."""
        for fate in _FATES:
            self.readings.labels(fate).inc(getattr(outcome, fate))

    def serve(self, address: str) -> None:
        """Serve /metrics on host:port; an empty address serves nothing.

        Raises:
            SetupError: the address cannot be used.
        """
        if not address:
            return
        host, _, port = address.rpartition(":")
        try:
            start_http_server(int(port), host or "127.0.0.1", registry=self.registry)
        except (OSError, ValueError, OverflowError) as error:
            raise SetupError(
                f"metrics cannot be served on {address!r}: {error}",
                "set WATTWITNESS_COLLECTOR_METRICS to a free host:port, or to nothing",
            ) from None
