"""What the collector counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from wattwitness.domain.errors import SetupError
from wattwitness.domain.ingest import IngestOutcome
from wattwitness.domain.rejects import RejectCode

_PREFIX = "wattwitness_collector_"


class Metrics:
    """One set of counters, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.messages = self._counter("messages", "MQTT messages received")
        self.proofs = self._counter("proofs", "Proofs of delivery told")
        self.failures = self._counter("write_failures", "Writes that failed")
        self.refusals = self._counter("refusals", "Writes refused for what was in them")
        self.set_aside = self._counter("set_aside", "Messages of floods that were kept for later")
        self.aside_bytes = self._gauge("aside_bytes", "Payload of floods that is kept for later")
        self.unknown_fields = self._counter("unknown_fields", "Fields outside the contract")
        self.readings = self._fates("readings", "Readings by what became of them at receipt")
        self.taken_in = self._fates(
            "taken_in", "Readings that waited for the registry, by what became of them at last"
        )
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

    def _fates(self, name: str, text: str) -> Counter:
        """Four fates; `reason` is empty but for what was rejected. All are there from the start."""
        found = Counter(_PREFIX + name, text, ["fate", "reason"], registry=self.registry)
        for fate in ("stored", "duplicate", "revision"):
            found.labels(fate, "")
        for code in RejectCode:
            found.labels("rejected", code.value)
        return found

    def count(self, outcome: IngestOutcome) -> None:
        """Add the outcome of what came over the network."""
        _add(self.readings, outcome)

    def count_taken_in(self, outcome: IngestOutcome) -> None:
        """Add the outcome of what waited; it was counted as rejected when it came."""
        _add(self.taken_in, outcome)

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


def _add(counter: Counter, outcome: IngestOutcome) -> None:
    counter.labels("stored", "").inc(outcome.stored)
    counter.labels("duplicate", "").inc(outcome.duplicates)
    counter.labels("revision", "").inc(outcome.revisions)
    for code, n in outcome.reasons.items():
        counter.labels("rejected", code.value).inc(n)
