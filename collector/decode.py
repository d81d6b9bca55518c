"""Decoded messages to what is written: rows of known circuits, rejects, and what has to wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from collector.bounds import Calendar, refusals
from collector.columns import to_rows
from collector.places import Place, Places
from collector.sheets import Delivery, Found, Slip, draw_up, gathered, joined, together
from wattwitness.domain.readings import Readings
from wattwitness.domain.rejects import Parked, Reject
from wattwitness.wire.payload import (
    Message,
    RefusedMessage,
    compose_message,
    decode_message,
    reading_bytes,
)
from wattwitness.wire.skimming import Letter

__all__ = ["Delivery", "Place", "Placed", "Places", "draw_up", "place"]

_NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Placed:
    """What deliveries turned into; every reading of theirs is in exactly one of the three."""

    rows: Readings
    rejects: Sequence[Reject]
    parked: Sequence[Parked]


def place(deliveries: Sequence[Delivery], places: Places, calendar: Calendar) -> Placed:
    """Look every reading up in the registry and hold it against physics and calendar.

    Letters in which nothing is strange are turned into columns together; each other message is
    taken reading by reading.
    """
    rejects: list[Reject] = []
    parked: list[Parked] = []
    drawn: list[int] = []
    letters: list[int] = []
    others: list[int] = []
    for n, delivery in enumerate(deliveries):
        message = delivery.message
        if isinstance(message, RefusedMessage):
            rejects.append(_refuse(delivery, message))
        elif (delivery.gateway_id or "") not in places.by_gateway:
            if message.count:
                parked.append(_park(delivery, None, delivery.payload, message.count))
        elif delivery.sheet is not None and delivery.sheet.places is places:
            drawn.append(n)
        else:
            (letters if isinstance(message, Letter) else others).append(n)
    parts = [gathered(deliveries, drawn)] if drawn else []
    if letters:
        found, strange = together(deliveries, letters, places)
        parts.append(found)
        others += strange
    if len(parts) == 1 and not others:
        (found,) = parts
    else:
        for n in others:
            part, refused, waiting = _one_by_one(deliveries[n], n, places)
            parts.append(part)
            rejects += refused
            parked += waiting
        found = _in_order(parts) if parts else Found(to_rows([]), _NONE, _NONE)
    rows, impossible = _checked(found, deliveries, places, calendar)
    return Placed(rows, [*rejects, *impossible], parked)


def _one_by_one(
    delivery: Delivery, number: int, places: Places
) -> tuple[Found, list[Reject], list[Parked]]:
    """A message in which something is strange: its good rows, what is refused, what waits."""
    message = delivery.message
    if isinstance(message, Letter | Slip):
        message = decode_message(delivery.payload, len(delivery.payload))
    if isinstance(message, RefusedMessage):  # cannot be: a letter has an envelope
        return Found(to_rows([]), _NONE, _NONE), [_refuse(delivery, message)], []
    keys = places.keys[delivery.gateway_id or ""]
    known: list[int] = []
    strange: dict[str, list[int]] = {}
    for k, reading in enumerate(message.readings):
        if reading.ch in keys:
            known.append(k)
        else:
            strange.setdefault(reading.ch, []).append(message.index[k])
    rows = to_rows([message.readings[k] for k in known])
    rows["circuit"] = [keys[message.readings[k].ch] for k in known]
    rows["ts"] = [message.ts_us[k] for k in known]
    rows["received_at"] = delivery.received_us
    found = Found(
        rows,
        np.full(len(rows), number),
        np.array([message.index[k] for k in known], dtype=np.int64),
    )
    parked = _park_channels(delivery, strange) if strange else []
    return found, list(_refuse_bad(delivery, message)), parked


def _in_order(parts: Sequence[Found]) -> Found:
    """All of them in order of arrival: of two values for one instant, the first one counts."""
    source = np.concatenate([part.source for part in parts])
    order = np.argsort(source, kind="stable")
    return Found(
        joined([part.rows for part in parts]).take(order),
        source[order],
        np.concatenate([part.index for part in parts])[order],
    )


def _checked(
    found: Found, deliveries: Sequence[Delivery], places: Places, calendar: Calendar
) -> tuple[Readings, list[Reject]]:
    """The rows that can be, and a reject for each that cannot."""
    rows = found.rows
    refused = refusals(rows, places.limit_kw[rows["circuit"]], calendar)
    if not refused:
        return rows, []
    good = np.ones(len(rows), dtype=bool)
    rejects = []
    opened: dict[int, Sequence[bytes]] = {}  # delivery → its readings; opened once, not per reading
    for k, (code, text) in refused.items():
        good[k] = False
        number, index = int(found.source[k]), int(found.index[k])
        source = deliveries[number]
        if number not in opened:
            opened[number] = reading_bytes(source.payload)
        rejects.append(
            Reject(
                gateway_id=source.gateway_id,
                code=code,
                text=text,
                payload=opened[number][index],
                received_us=source.received_us,
                index=index,
            )
        )
    return rows[good], rejects


def _refuse(delivery: Delivery, refused: RefusedMessage) -> Reject:
    return Reject(
        gateway_id=delivery.gateway_id,
        code=refused.refusal.code,
        text=refused.refusal.text,
        payload=delivery.payload,
        received_us=delivery.received_us,
        readings=refused.readings,
    )


def _refuse_bad(delivery: Delivery, message: Message) -> Sequence[Reject]:
    return [
        Reject(
            gateway_id=delivery.gateway_id,
            code=bad.refusal.code,
            text=bad.refusal.text,
            payload=bad.payload,
            received_us=delivery.received_us,
            index=bad.index,
        )
        for bad in message.bad
    ]


def _park_channels(delivery: Delivery, strange: Mapping[str, Sequence[int]]) -> list[Parked]:
    """One item per unknown channel, its readings exactly as they were sent."""
    items = reading_bytes(delivery.payload)
    return [
        _park(delivery, channel, compose_message([items[i] for i in indices]), len(indices))
        for channel, indices in strange.items()
    ]


def _park(delivery: Delivery, channel: str | None, payload: bytes, readings: int) -> Parked:
    return Parked(
        gateway_id=delivery.gateway_id or "",
        channel=channel,
        payload=payload,
        received_us=delivery.received_us,
        readings=readings,
    )
