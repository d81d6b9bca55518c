"""The books: what became of every message, held against what the generator knows."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.fuzz import world
from benchmarks.fuzz.expected import (
    Anything,
    Bad,
    Counts,
    Good,
    Nothing,
    Readings,
    Sent,
    Stranger,
    Waits,
    Whole,
)
from wattwitness.domain.ingest import IngestBatch, IngestOutcome
from wattwitness.domain.readings import MEASURANDS
from wattwitness.domain.readings import Readings as Rows
from wattwitness.domain.rejects import Parked, Reject

Row = tuple[int, int, Counts]  # circuit key, instant [µs], values as counts


@dataclass(slots=True)
class Came:
    """What a batch makes of one message."""

    rows: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)

    @property
    def readings(self) -> int:
        """How many readings it counts for."""
        refused = sum(reject.readings for reject in self.rejects)
        return len(self.rows) + refused + sum(item.readings for item in self.parked)


class Books:
    """A model of the store, kept beside it, and everything that did not agree."""

    def __init__(self, keys: Mapping[tuple[str, str], int]) -> None:
        self._keys = keys  # (gateway, channel) → circuit key
        self.rows: dict[tuple[int, int], Counts] = {}
        self.revisions: set[Row] = set()
        self.kept: set[tuple[object, ...]] = set()
        self.by_gateway: dict[str, Counter[str]] = defaultdict(Counter)
        self.total = IngestOutcome()
        self.kinds: Counter[str] = Counter()
        self.good_beside_bad = 0
        self.mismatches: list[str] = []

    def close_batch(
        self, sent: Mapping[int, Sent], batch: IngestBatch, outcome: IngestOutcome
    ) -> None:
        """Check a batch: its messages one by one, then what the sink says of it.

        Args:
            sent: receipt [µs] → message; every message has a receipt of its own.
            batch: what the collector made of them.
            outcome: what the sink says became of it.
        """
        came = _by_message(batch)
        if strange := came.keys() - sent.keys():
            self.mismatches.append(f"{len(strange)} receipts that no message has")
        before = self._tally()
        for received_us, message in sorted(sent.items()):
            found = came.get(received_us, Came())
            self.kinds[message.kind] += 1
            if (wrong := self._wrong(message, found)) is not None:
                shown = message.payload[:600]
                self.mismatches.append(f"{message.kind}: {wrong}: {message.topic!r} {shown!r}")
            self._enter(message, found)
        predicted = self._tally()
        predicted.subtract(before)
        said: Counter[str] = Counter({str(code): n for code, n in outcome.reasons.items()})
        said |= {
            "received": outcome.received, "stored": outcome.stored,
            "duplicate": outcome.duplicates, "revision": outcome.revisions,
        }  # fmt: skip
        if +predicted != +said:
            self.mismatches.append(f"the sink says {dict(+said)}, it has to be {dict(+predicted)}")
        self.total += outcome

    def _tally(self) -> Counter[str]:
        total: Counter[str] = Counter()
        for counts in self.by_gateway.values():
            total.update(counts)
        return total

    def _wrong(self, message: Sent, came: Came) -> str | None:
        expected = message.expected
        if isinstance(expected, Readings):
            return self._wrong_readings(message, expected, came)
        if isinstance(expected, Whole):
            return _wrong_whole(message, expected, came)
        if isinstance(expected, Stranger):
            items = [(p.channel, p.payload, p.readings) for p in came.parked]
            good = items == [(None, message.payload, expected.readings)]
            return None if good and not came.rows and not came.rejects else f"parked {items}"
        if isinstance(expected, Nothing):
            return None if not came.readings else f"{came.readings} readings out of nothing"
        return _wrong_number(expected, came)

    def _wrong_readings(self, message: Sent, expected: Readings, came: Came) -> str | None:
        gateway = message.gateway_id or ""
        good = [
            (self._keys[gateway, fate.channel], fate.ts_us, fate.counts)
            for fate in expected.fates
            if isinstance(fate, Good)
        ]
        order = repr
        if sorted(good, key=order) != sorted(came.rows, key=order):
            return f"good readings {good} became {came.rows}"
        bad = {k: fate for k, fate in enumerate(expected.fates) if isinstance(fate, Bad)}
        found = {reject.index: reject for reject in came.rejects}
        if found.keys() != bad.keys() or len(found) != len(came.rejects):
            return f"rejected are {sorted(map(str, found))}, it has to be {sorted(bad)}"
        for k, fate in bad.items():
            if found[k].code.value not in fate.codes:
                return f"reading {k} is {found[k].code.value}, it has to be {sorted(fate.codes)}"
            if not _same(found[k].payload, expected.items[k]):
                return f"of reading {k}, {found[k].payload!r} is kept"
        if good and bad:
            self.good_beside_bad += len(good)
        return _wrong_waiting(expected, came)

    def _enter(self, message: Sent, came: Came) -> None:
        """Into the model, in order of arrival."""
        counts = self.by_gateway[message.gateway_id or ""]
        counts["received"] += came.readings
        for key, ts_us, values in self._rows_in_order(message, came):
            known = self.rows.get((key, ts_us))
            if known is None:
                self.rows[key, ts_us] = values
                counts["stored"] += 1
            elif known == values or (key, ts_us, values) in self.revisions:
                counts["duplicate"] += 1
            else:
                self.revisions.add((key, ts_us, values))
                counts["revision"] += 1
        for reject in came.rejects:
            name: tuple[object, ...] = ("reject", reject.gateway_id, reject.index, reject.payload)
            counts[self._fate(name, reject.code.value)] += reject.readings
        for item in came.parked:
            name = ("parked", item.gateway_id, item.channel, item.payload)
            counts[self._fate(name, item.code.value)] += item.readings

    def _rows_in_order(self, message: Sent, came: Came) -> Sequence[Row]:
        if not isinstance(message.expected, Readings):
            return came.rows
        gateway = message.gateway_id or ""
        place: dict[Row, int] = {}
        for k, fate in enumerate(message.expected.fates):
            if isinstance(fate, Good):
                place.setdefault((self._keys[gateway, fate.channel], fate.ts_us, fate.counts), k)
        return sorted(came.rows, key=lambda row: place.get(row, 0))

    def _fate(self, name: tuple[object, ...], code: str) -> str:
        if name in self.kept:
            return "duplicate"
        self.kept.add(name)
        return code


def _by_message(batch: IngestBatch) -> dict[int, Came]:
    came: dict[int, Came] = defaultdict(Came)
    for received_us, row in zip(
        batch.rows["received_at"].tolist(), counted(batch.rows), strict=True
    ):
        came[received_us].rows.append(row)
    for reject in batch.rejects:
        came[reject.received_us].rejects.append(reject)
    for item in batch.parked:
        came[item.received_us].parked.append(item)
    return dict(came)


def counted(rows: Rows) -> list[Row]:
    """Rows with their values as counts."""
    columns = []
    for name, scale in zip(MEASURANDS, world.SCALES, strict=True):
        values = np.floor(rows[name] * scale + 0.5)
        columns.append([None if v != v else int(v) for v in values.tolist()])  # noqa: PLR0124 - NaN
    values_of = zip(*columns, strict=True)
    return list(zip(rows["circuit"].tolist(), rows["ts"].tolist(), values_of, strict=True))


def _wrong_whole(message: Sent, expected: Whole, came: Came) -> str | None:
    if came.rows or came.parked or len(came.rejects) != 1:
        return f"it has to be refused whole, and became {came.readings} readings"
    (reject,) = came.rejects
    if reject.index is not None or reject.readings != 1 or reject.payload != message.payload:
        return "it is not kept whole"
    if reject.gateway_id != expected.gateway_id:
        return f"it is kept as that of {reject.gateway_id!r}"
    if reject.code.value not in expected.codes:
        return f"it is {reject.code.value}, it has to be {sorted(expected.codes)}"
    return None


def _wrong_waiting(expected: Readings, came: Came) -> str | None:
    items: dict[str | None, list[bytes]] = defaultdict(list)
    for fate, item in zip(expected.fates, expected.items, strict=True):
        if isinstance(fate, Waits):
            items[fate.channel].append(item)
    found = {item.channel: item for item in came.parked}
    if found.keys() != items.keys() or len(found) != len(came.parked):
        return f"waiting are {list(found)}, it has to be {list(items)}"
    for channel, parked in found.items():
        whole = b'{"v":1,"readings":[' + b",".join(items[channel]) + b"]}"
        if parked.readings != len(items[channel]) or not _same(parked.payload, whole):
            return f"of channel {channel!r}, {parked.payload!r} waits"
    return None


def _wrong_number(expected: Anything, came: Came) -> str | None:
    if expected.readings is None:
        return None if came.readings else "it is gone"
    if came.readings != expected.readings:
        return f"it has {expected.readings} readings, and {came.readings} are accounted for"
    return None


def _same(one: bytes, other: bytes) -> bool:
    """Whether two texts say the same, byte by byte or as JSON."""
    if one == other:
        return True
    try:
        return json.dumps(json.loads(one)) == json.dumps(json.loads(other))
    except ValueError:
        return False
