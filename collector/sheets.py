"""Letters to rows, many at a time, while their values are near in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec
import numpy as np
from numpy.typing import NDArray

from collector.columns import instants_us, to_rows
from collector.places import Places
from wattwitness.domain.readings import READING_DTYPE, Readings
from wattwitness.wire.payload import Mark, Message, RefusedMessage, WireReading
from wattwitness.wire.skimming import Letter


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of some messages, and the registry by which they were made."""

    rows: Readings
    places: Places


class Slip(msgspec.Struct, frozen=True, gc=False):
    """What is left of a message whose readings are rows already."""

    count: int
    mark: Mark | None
    unknown_fields: int


class Delivery(msgspec.Struct, gc=False):
    """A message of a gateway, decoded, with its bytes."""

    gateway_id: str | None  # None: its topic names none
    payload: bytes
    received_us: int
    message: Letter | Message | RefusedMessage | Slip
    sheet: Sheet | None = None  # where its rows are, for a slip
    start: int = 0  # its first row there


@dataclass(frozen=True, slots=True)
class Found:
    """Rows, and where each came from: number of its delivery, place in its message."""

    rows: Readings
    source: NDArray[np.int64]
    index: NDArray[np.int64]


def draw_up(deliveries: Sequence[Delivery], places: Places) -> None:
    """Turn letters into rows while they are fresh: later, their values are far away in memory.

    A letter in which something is strange is left as it is.
    """
    chosen = [
        n
        for n, delivery in enumerate(deliveries)
        if isinstance(delivery.message, Letter) and delivery.gateway_id in places.by_gateway
    ]
    if not chosen:
        return
    found, strange = together(deliveries, chosen, places)
    sheet, start = Sheet(found.rows, places), 0
    left = set(strange)
    for n in chosen:
        if n in left:
            continue
        delivery = deliveries[n]
        letter = delivery.message
        delivery.message = Slip(letter.count, letter.mark, letter.unknown_fields)  # type: ignore[union-attr]
        delivery.sheet, delivery.start = sheet, start
        start += delivery.message.count


def gathered(deliveries: Sequence[Delivery], chosen: Sequence[int]) -> Found:
    """The rows that are there already."""
    pieces: list[Readings] = []
    counts: list[int] = []
    sheet: Sheet | None = None
    start = stop = 0
    for n in chosen:
        delivery = deliveries[n]
        count = delivery.message.count  # type: ignore[union-attr]
        counts.append(count)
        if delivery.sheet is not sheet or delivery.start != stop:
            if sheet is not None:
                pieces.append(sheet.rows[start:stop])
            sheet, start = delivery.sheet, delivery.start
        stop = delivery.start + count
    if sheet is not None:
        pieces.append(sheet.rows[start:stop])
    return Found(joined(pieces), *_origins(np.asarray(chosen), np.asarray(counts)))


def joined(pieces: Sequence[Readings]) -> Readings:
    """Rows after each other, copied as bytes: field by field takes numpy ten times as long."""
    return np.concatenate([np.ascontiguousarray(piece).view(np.uint8) for piece in pieces]).view(
        READING_DTYPE
    )


def _origins(
    numbers: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each row: the number of its delivery, and its place in its message."""
    index = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(numbers, counts), index


def together(
    deliveries: Sequence[Delivery], letters: Sequence[int], places: Places
) -> tuple[Found, list[int]]:
    """The rows of all letters that are good, and the numbers of those that are not."""
    chosen = [deliveries[n] for n in letters]
    sheets = [_readings(delivery) for delivery in chosen]
    counts = np.array([len(sheet) for sheet in sheets], dtype=np.int64)
    readings = list(chain.from_iterable(sheets))
    keys: list[int] = []
    for delivery, sheet in zip(chosen, sheets, strict=True):
        key_of = places.keys[delivery.gateway_id or ""].get
        keys += [key_of(reading.ch, -1) for reading in sheet]
    ts_us, bad = instants_us([reading.ts for reading in readings])
    rows = to_rows(readings)
    rows["circuit"] = keys
    rows["ts"] = ts_us
    received = np.fromiter((d.received_us for d in chosen), dtype=np.int64, count=len(chosen))
    rows["received_at"] = np.repeat(received, counts)
    source, index = _origins(np.asarray(letters, dtype=np.int64), counts)
    bad |= (rows["circuit"] < 0) | (np.isnan(rows["p_kw"]) & np.isnan(rows["e_kwh"]))
    if not bad.any():
        return Found(rows, source, index), []
    strange = np.unique(source[bad])
    good = ~np.isin(source, strange)
    return Found(rows[good], source[good], index[good]), strange.tolist()


def _readings(delivery: Delivery) -> Sequence[WireReading]:
    message = delivery.message
    return message.readings if isinstance(message, Letter) else ()
