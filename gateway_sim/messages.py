"""Readings → messages, spelled by the wire package; exact values, nothing rounded."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
import numpy as np

from wattwitness.domain.instants import format_instant, from_us
from wattwitness.domain.readings import Readings
from wattwitness.wire.payload import Message, WireReading, decode_message, encode_message

MAX_READINGS: Final = 200  # of one message; far below any broker's payload limit
_NUMBERS: Final = ("p_kw", "e_kwh", "q_kvar", "pf")
_PHASES: Final = ("u_a", "u_b", "u_c", "i_a", "i_b", "i_c")


def wire_readings(rows: Readings, channels: Mapping[int, str]) -> list[WireReading]:
    """READING_DTYPE rows as readings of the wire; NaN is left out.

    Args:
        rows: readings of one gateway.
        channels: integer key → channel.
    """
    columns = {name: _or_none(rows, name) for name in (*_NUMBERS, *_PHASES)}
    circuits: list[int] = rows["circuit"].tolist()
    instants: list[int] = rows["ts"].tolist()
    resent: list[bool] = rows["resent"].tolist()
    volts = zip(columns["u_a"], columns["u_b"], columns["u_c"], strict=True)
    amperes = zip(columns["i_a"], columns["i_b"], columns["i_c"], strict=True)
    nothing = (None, None, None)
    numbers = zip(*(columns[name] for name in _NUMBERS), strict=True)
    return [
        WireReading(
            ch=channels[circuit],
            ts=_instant(ts_us),
            p=p_kw,
            e=e_kwh,
            q=q_kvar,
            u=None if u == nothing else u,
            i=None if i == nothing else i,
            pf=pf,
            rs=rs,
        )
        for circuit, ts_us, rs, (p_kw, e_kwh, q_kvar, pf), u, i in zip(
            circuits, instants, resent, numbers, volts, amperes, strict=True
        )
    ]


def _or_none(rows: Readings, name: str) -> list[float | None]:
    values = rows[name]
    missing = np.isnan(values)
    if not missing.any():
        plain: list[float | None] = values.tolist()
        return plain
    boxed = values.astype(object)
    boxed[missing] = None
    found: list[float | None] = boxed.tolist()
    return found


def _instant(ts_us: int) -> int | str:
    """Milliseconds, or text where milliseconds would not be exact."""
    return ts_us // 1000 if ts_us % 1000 == 0 else format_instant(from_us(ts_us))


def bodies(rows: Readings, channels: Mapping[int, str]) -> Iterator[tuple[int, bytes]]:
    """(newest ts [µs], readings as JSON) of at most `MAX_READINGS` each, in the given order."""
    for start in range(0, len(rows), MAX_READINGS):
        some = rows[start : start + MAX_READINGS]
        yield int(some["ts"].max()), encode_message(wire_readings(some, channels))


def addressed(
    body: bytes,
    *,
    epoch: str,
    seq: int,
    oldest: int,
    sent_ms: int | None,
    late_before_us: int | None,
) -> bytes:
    """A kept body as it goes out: numbered, dated, its late readings marked as resent.

    Args:
        body: readings as `bodies` made them.
        epoch: of the start in which they were measured.
        seq: the message's number in it.
        oldest: the lowest number of this epoch that is still kept.
        sent_ms: the gateway's time; None leaves it out.
        late_before_us: readings older than this are late; None marks none.
    """
    message = decode_message(body)
    if not isinstance(message, Message):  # only a damaged outbox could do this
        raise TypeError(f"the outbox holds what is no message: {message.refusal}")
    readings = message.readings
    if late_before_us is not None and min(message.ts_us) < late_before_us:
        readings = [
            msgspec.structs.replace(reading, rs=True) if ts_us < late_before_us else reading
            for reading, ts_us in zip(readings, message.ts_us, strict=True)
        ]
    return encode_message(readings, epoch=epoch, seq=seq, sent_ms=sent_ms, oldest=oldest)
