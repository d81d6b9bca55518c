"""Decoded messages to what is written: rows of known circuits, rejects, and what has to wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from collector.bounds import Calendar, refusals
from wattwitness.domain.bounds import power_limit_kw
from wattwitness.domain.readings import Readings, empty_readings
from wattwitness.domain.registry import Registry
from wattwitness.domain.rejects import Parked, Reject
from wattwitness.wire.payload import (
    Message,
    RefusedMessage,
    WireReading,
    compose_message,
    reading_bytes,
)

_NO_PHASES = (None, None, None)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a channel's readings go."""

    key: int  # integer key of the circuit
    limit_kw: float


@dataclass(frozen=True, slots=True)
class Places:
    """The registry as the wire sees it: gateway → channel → place."""

    by_gateway: Mapping[str, Mapping[str, Place]] = field(default_factory=dict)

    @classmethod
    def of(cls, registry: Registry) -> "Places":
        """The places of all circuits; a gateway without circuits is known all the same."""
        found: dict[str, dict[str, Place]] = {gateway: {} for gateway in registry.gateways}
        for circuit in registry.circuits.values():
            key = registry.circuit_keys[circuit.circuit_id]
            found[circuit.gateway_id][circuit.channel] = Place(key, power_limit_kw(circuit))
        return cls(found)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message of a gateway, decoded, with its bytes."""

    gateway_id: str | None  # None: its topic names none
    payload: bytes
    received_us: int
    message: Message | RefusedMessage


@dataclass(frozen=True, slots=True)
class Placed:
    """What deliveries turned into; every reading of theirs is in exactly one of the three."""

    rows: Readings
    rejects: Sequence[Reject]
    parked: Sequence[Parked]


@dataclass(frozen=True, slots=True)
class _Row:
    """A reading on its way into the array, and where it came from."""

    place: Place
    reading: WireReading
    ts_us: int
    delivery: Delivery
    index: int


def place(deliveries: Sequence[Delivery], places: Places, calendar: Calendar) -> Placed:
    """Look every reading up in the registry and hold it against physics and calendar."""
    found: list[_Row] = []
    rejects: list[Reject] = []
    parked: list[Parked] = []
    for delivery in deliveries:
        message = delivery.message
        if isinstance(message, RefusedMessage):
            rejects.append(_refuse(delivery, message))
            continue
        channels = places.by_gateway.get(delivery.gateway_id or "")
        if channels is None:
            if message.count:
                parked.append(_park(delivery, None, delivery.payload, message.count))
            continue
        rejects.extend(_refuse_bad(delivery, message))
        strange: dict[str, list[int]] = {}
        for reading, ts_us, index in zip(
            message.readings, message.ts_us, message.index, strict=True
        ):
            target = channels.get(reading.ch)
            if target is None:
                strange.setdefault(reading.ch, []).append(index)
            else:
                found.append(_Row(target, reading, ts_us, delivery, index))
        if strange:
            parked.extend(_park_channels(delivery, strange))
    rows, impossible = _checked(found, calendar)
    return Placed(rows, [*rejects, *impossible], parked)


def _checked(found: Sequence[_Row], calendar: Calendar) -> tuple[Readings, list[Reject]]:
    """The rows that can be, and a reject for each that cannot."""
    rows = _to_array(found)
    good = np.ones(len(rows), dtype=bool)
    limit_kw = np.array([row.place.limit_kw for row in found], dtype=np.float64)
    rejects = []
    opened: dict[int, Sequence[bytes]] = {}  # delivery → its readings; opened once, not per reading
    for k, (code, text) in refusals(rows, limit_kw, calendar).items():
        good[k] = False
        source, index = found[k].delivery, found[k].index
        if id(source) not in opened:
            opened[id(source)] = reading_bytes(source.payload)
        rejects.append(
            Reject(
                gateway_id=source.gateway_id,
                code=code,
                text=text,
                payload=opened[id(source)][index],
                received_us=source.received_us,
                index=index,
            )
        )
    return (rows if good.all() else rows[good]), rejects


def _to_array(found: Sequence[_Row]) -> Readings:
    rows = empty_readings(len(found))
    if not found:
        return rows
    readings = [row.reading for row in found]
    rows["circuit"] = [row.place.key for row in found]
    rows["ts"] = [row.ts_us for row in found]
    rows["received_at"] = [row.delivery.received_us for row in found]
    rows["resent"] = [r.rs for r in readings]
    rows["p_kw"] = np.array([r.p for r in readings], dtype=np.float64)  # None becomes NaN
    rows["e_kwh"] = np.array([r.e for r in readings], dtype=np.float64)
    rows["q_kvar"] = np.array([r.q for r in readings], dtype=np.float64)
    rows["pf"] = np.array([r.pf for r in readings], dtype=np.float64)
    volts = np.array([r.u or _NO_PHASES for r in readings], dtype=np.float64)
    amps = np.array([r.i or _NO_PHASES for r in readings], dtype=np.float64)
    for k, phase in enumerate("abc"):
        rows[f"u_{phase}"] = volts[:, k]
        rows[f"i_{phase}"] = amps[:, k]
    return rows


def _refuse(delivery: Delivery, refused: RefusedMessage) -> Reject:
    return Reject(
        gateway_id=delivery.gateway_id,
        code=refused.refusal.code,
        text=refused.refusal.text,
        payload=delivery.payload,
        received_us=delivery.received_us,
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
