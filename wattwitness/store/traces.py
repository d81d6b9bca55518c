"""What rows leave in other tables: touched days and hours, newest values, counts of gateways."""

from dataclasses import dataclass
from datetime import date
from typing import Self
from zoneinfo import ZoneInfo

from wattwitness.domain.readings import Readings
from wattwitness.store.behind import Newest
from wattwitness.store.circuit_facts import CircuitFacts
from wattwitness.store.gateway_days import Traffic, traffic_of
from wattwitness.store.local_days import enterprise_days, group_hours


@dataclass(frozen=True, slots=True)
class Traces:
    """Of rows in (circuit, ts) order."""

    days: tuple[list[int], list[date]]  # enterprise keys, local days
    hours: tuple[list[int], list[int]]  # groups of circuits, UTC hours since 1970
    newest: Newest
    traffic: Traffic

    @classmethod
    def of(cls, rows: Readings, facts: CircuitFacts, zone: ZoneInfo) -> Self:
        """Of these rows [n] of known circuits."""
        return cls(
            enterprise_days(rows, facts.enterprise, zone),
            group_hours(rows),
            Newest.of(rows),
            traffic_of(rows, facts),
        )
