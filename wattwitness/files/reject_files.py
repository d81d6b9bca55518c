"""Kept rejects into JSON or CSV, one after the other: payloads may be many and large."""

import base64
import csv
import io
import json
from collections.abc import AsyncIterator
from typing import BinaryIO, Final

from wattwitness.domain.instants import format_instant, from_us
from wattwitness.domain.rejects import readable
from wattwitness.files.outputs import Format
from wattwitness.files.records import Record
from wattwitness.store.rejects import KeptReject

COLUMNS: Final = (
    "reject_id", "gateway_id", "received_at", "code", "reason", "index", "readings", "channel",
    "payload", "payload_base64",
)  # fmt: skip


def reject_record(kept: KeptReject) -> Record:
    """One kept piece; its payload as text, or in base64 where it is none."""
    reject = kept.reject
    text = readable(reject.payload)
    return {
        "reject_id": kept.kept_id,
        "gateway_id": reject.gateway_id,
        "received_at": format_instant(from_us(reject.received_us)),
        "code": reject.code.value,
        "reason": reject.text,
        "index": reject.index,
        "readings": reject.readings,
        "channel": kept.channel,
        "payload": text,
        "payload_base64": base64.b64encode(reject.payload).decode() if text is None else None,
    }


async def write_rejects(
    stream: BinaryIO, found: AsyncIterator[KeptReject], file_format: Format
) -> int:
    """Write them in their order; returns how many. JSON: one array."""
    write = _write_json if file_format is Format.JSON else _write_csv
    return await write(stream, found)


async def _write_json(stream: BinaryIO, found: AsyncIterator[KeptReject]) -> int:
    n = 0
    stream.write(b"[")
    async for kept in found:
        record = json.dumps(reject_record(kept), ensure_ascii=False, allow_nan=False)
        stream.write(f"{',' if n else ''}\n{record}".encode())
        n += 1
    stream.write(b"\n]\n" if n else b"]\n")
    return n


async def _write_csv(stream: BinaryIO, found: AsyncIterator[KeptReject]) -> int:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    n = 0
    async for kept in found:
        writer.writerow(reject_record(kept))
        stream.write(text.getvalue().encode())
        text.seek(0)
        text.truncate()
        n += 1
    stream.write(text.getvalue().encode())
    return n
