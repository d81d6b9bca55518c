"""Where each reading of a gateway ended, per local day of its receipt: the four counts.

Counted in the transaction that stores, so that on every committed state

    received = stored + duplicate + revision + rejected

holds for each gateway and day, and `rejected` is the sum of its reasons. What waits for the
registry is rejected until it is taken in; then its day's counts move, in that transaction.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import US_PER_HOUR, from_us, local_day
from wattwitness.domain.readings import NEVER, Readings
from wattwitness.domain.rejects import RejectCode
from wattwitness.store.circuit_facts import CircuitFacts
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements

UNNAMED: Final = ""
"""Stands for the gateway where a topic names none; no gateway can have this id."""
_QUARTER_US: Final = US_PER_HOUR // 4  # every zone's offset is a multiple of a quarter of an hour

GatewayDay = tuple[str, date]
Traffic = list[tuple[str, int, int, int]]
"""Gateway, rows of it, their first and last receipt [µs], which are of one day; NEVER = unknown."""
Pieces = Counter[tuple[str, date, RejectCode]]
"""Readings of kept pieces: gateway, day of receipt, why they are kept."""


class DayCounts:
    """What one transaction adds to the counts, and moves within them."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._days: dict[int, date] = {}  # by quarter of an hour
        self._received: Counter[GatewayDay] = Counter()
        self._stored: Counter[GatewayDay] = Counter()
        self._revised: Counter[GatewayDay] = Counter()
        self._refused: Pieces = Counter()
        self._heard_us: dict[GatewayDay, int] = {}
        self._first_us: dict[GatewayDay, int] = {}

    def day_of(self, received_us: int) -> date:
        """The local day of a receipt; of one that is not known, today."""
        known_us = time.time_ns() // 1000 if received_us == NEVER else received_us
        quarter = known_us // _QUARTER_US
        if (day := self._days.get(quarter)) is None:
            day = self._days[quarter] = local_day(from_us(known_us), self._zone)
        return day

    def receive(self, traffic: Traffic, *, fresh: bool) -> None:
        """Rows that came; `fresh`: they came just now, over the network."""
        for gateway_id, n, first_us, last_us in traffic:
            name = (gateway_id, self.day_of(first_us))
            self._received[name] += n
            if fresh and first_us != NEVER:
                self._first_us[name] = min(first_us, self._first_us.get(name, first_us))
                self._heard_us[name] = max(last_us, self._heard_us.get(name, last_us))

    def receive_piece(
        self, gateway_id: str | None, received_us: int, readings: int, *, fresh: bool
    ) -> None:
        """A refused or waiting piece that came."""
        self._received[gateway_id or UNNAMED, self.day_of(received_us)] += readings
        if fresh:
            self._hear(gateway_id or UNNAMED, received_us)

    def store(self, traffic: Traffic) -> None:
        """Rows that are stored now."""
        for gateway_id, n, first_us, _ in traffic:
            self._stored[gateway_id, self.day_of(first_us)] += n

    def revise(self, revised: Mapping[tuple[int, int], int], facts: CircuitFacts) -> None:
        """Revisions that are noted now: (circuit key, receipt [µs]) → how many."""
        for (key, received_us), n in revised.items():
            gateway_id = facts.gateway_ids[int(facts.gateway[key])]
            self._revised[gateway_id, self.day_of(received_us)] += n

    def refuse(self, kept: Pieces) -> None:
        """Refused or waiting pieces that are kept now."""
        self._refused.update(kept)

    def take_back(self, taken: Pieces) -> None:
        """Kept pieces that are judged anew by this transaction, under their day of receipt."""
        for (gateway_id, day, code), n in taken.items():
            self._received[gateway_id, day] -= n
            self._refused[gateway_id, day, code] -= n

    @property
    def columns(self) -> Sequence[Sequence[object]]:
        """What is added to `gateway_days`, in one order for all writers: its columns.

        Receipts are µs since 1970, None = not over the network.
        """
        rejected: Counter[GatewayDay] = Counter()
        for (gateway_id, day, _), n in self._refused.items():
            rejected[gateway_id, day] += n
        parts = (self._received, self._stored, self._revised, rejected)
        names = sorted(set().union(*parts))
        received, stored, revised, refused = ([part[name] for name in names] for part in parts)
        fates = zip(received, stored, revised, refused, strict=True)
        return (
            [gateway_id for gateway_id, _ in names],
            [day for _, day in names],
            received,
            stored,
            [came - sum(known) for came, *known in fates],
            revised,
            refused,
            list(map(self._first_us.get, names)),
            list(map(self._heard_us.get, names)),
        )

    async def save_reasons(self, connection: Connection) -> None:
        """Add to the reasons (part of an ingest transaction), in one order for all writers."""
        reasons = sorted((key, n) for key, n in self._refused.items() if n)
        if reasons:
            await connection.execute(
                statements("gateway_days")["count_reasons"],
                [gateway_id for (gateway_id, _, _), _ in reasons],
                [day for (_, day, _), _ in reasons],
                [code.value for (_, _, code), _ in reasons],
                [n for _, n in reasons],
            )

    def _hear(self, gateway_id: str, received_us: int) -> None:
        name = (gateway_id, self.day_of(received_us))
        self._heard_us[name] = max(received_us, self._heard_us.get(name, received_us))
        self._first_us[name] = min(received_us, self._first_us.get(name, received_us))


def traffic_of(rows: Readings, facts: CircuitFacts) -> Traffic:
    """How many rows of each gateway came, and when; apart where they may be of different days."""
    found: Traffic = []
    if not len(rows):
        return found
    owners = facts.gateway[rows["circuit"]]
    for chosen in _by_quarter(rows):
        owner, came = owners[chosen], rows["received_at"][chosen]
        order = np.argsort(owner, kind="stable")
        owner, came = owner[order], came[order]
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        found += zip(
            [facts.gateway_ids[key] for key in owner[starts].tolist()],
            np.diff(starts, append=len(owner)).tolist(),
            np.minimum.reduceat(came, starts).tolist(),
            np.maximum.reduceat(came, starts).tolist(),
            strict=True,
        )
    return found


def _by_quarter(rows: Readings) -> Iterable[NDArray[np.bool_] | slice]:
    """Rows that were received in the same quarter of an hour; those of unknown receipt."""
    quarters = rows["received_at"] // _QUARTER_US
    if quarters.min() == quarters.max():  # nearly always
        yield slice(None)
        return
    for quarter in np.unique(quarters):
        yield quarters == quarter
