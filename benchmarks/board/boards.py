"""Open boards: plain HTTP clients of the board's stream, in a process of their own.

What comes is kept with its time and read when all is over: fifty browsers do not share the
server's cores, so their reading must not, either.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

_PAUSE_S = 0.5


@dataclass
class Seen:
    """What one board showed."""

    rows: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # enterprise → its row now
    heard: list[tuple[str, str, float]] = field(default_factory=list)  # enterprise, as_of, when [s]
    streams: int = 0  # connections; more than one = it was cut
    events: int = 0
    received_bytes: int = 0
    kept: list[tuple[str, bytes, float]] = field(default_factory=list)  # not read yet

    def read(self) -> None:
        """Read what was kept."""
        for name, data, at_s in self.kept:
            self.take(name, data, at_s)
        self.kept.clear()

    def take(self, name: str, data: str | bytes, now_s: float) -> None:
        """An event; the clock is `time.monotonic`, which processes of a machine share."""
        if name not in {"state", "rows"}:
            return
        told = json.loads(data)
        self.events += 1
        if name == "state":
            self.rows.clear()
        for row in told["rows"]:
            before = self.rows.get(row["enterprise_id"])
            self.rows[row["enterprise_id"]] = row
            if row["as_of"] is not None and (before is None or before != row):
                self.heard.append((row["enterprise_id"], row["as_of"], now_s))
        for enterprise_id in told["gone"]:
            self.rows.pop(enterprise_id, None)


async def _open(host: str, port: int, path: str, seen: Seen, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await _stream(host, port, path, seen)
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(_PAUSE_S)


async def _stream(host: str, port: int, path: str, seen: Seen) -> None:
    reader, writer = await asyncio.open_connection(host, port, limit=2**24)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise OSError(head.decode(errors="replace"))
        seen.streams += 1
        name = ""
        while line := await reader.readline():
            seen.received_bytes += len(line)
            if line.startswith(b"event:"):
                name = line[6:].decode().strip()
            elif line.startswith(b"data:"):
                seen.kept.append((name, line[5:], time.monotonic()))
    finally:
        writer.close()


async def _watch(host: str, port: int, path: str, boards: int, line: Connection) -> list[Seen]:
    stop = asyncio.Event()
    found = [Seen() for _ in range(boards)]
    tasks = [asyncio.create_task(_open(host, port, path, seen, stop)) for seen in found]
    await asyncio.to_thread(line.recv)
    stop.set()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for seen in found:
        seen.read()
    return found


def watch_boards(host: str, port: int, path: str, boards: int, line: Connection) -> None:
    """Watch until something comes over `line`, then send what was seen."""
    line.send(asyncio.run(_watch(host, port, path, boards, line)))
