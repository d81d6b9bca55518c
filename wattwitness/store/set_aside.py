"""Messages of a flood, kept as they came until there is time for them: many to a row.

Keeping one costs a small part of taking its readings in. They count as received when they are taken
in, under the day of their receipt.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wattwitness.domain.ingest import Aside
from wattwitness.store.database import Database
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements

BLOCK_BYTES: Final = 1024 * 1024  # of payload per row; a larger message goes alone
_HEAD: Final = struct.Struct(">qi")  # receipt in µs, length of the payload


@dataclass(frozen=True, slots=True)
class Block:
    """One row."""

    aside_id: int
    aside: Aside


async def keep_aside(connection: Connection, asides: Sequence[Aside]) -> None:
    """Keep messages (part of an ingest transaction)."""
    for aside in asides:
        for block in _blocks(aside):
            await connection.execute(
                statements("readings")["keep_aside"],
                aside.gateway_id,
                len(block),
                sum(len(payload) for _, payload in block),
                b"".join(_HEAD.pack(us, len(payload)) + payload for us, payload in block),
            )


async def take_aside(connection: Connection, ids: Sequence[int]) -> None:
    """Forget rows whose messages are taken in by the same transaction."""
    if ids:
        await connection.execute(statements("readings")["take_aside"], list(ids))


async def aside_bytes(db: Database) -> dict[str, int]:
    """Gateway → bytes of payload that are kept."""
    async with db.connection() as connection:
        rows = await connection.fetch(statements("readings")["aside_bytes"])
    return {row["gateway_id"]: row["bytes"] for row in rows}


async def oldest_aside(db: Database) -> Block | None:
    """The row that has waited longest, of the gateway with the fewest of them.

    So one that floods for hours does not keep back what is left of another.
    """
    async with db.connection() as connection:
        row = await connection.fetchrow(statements("readings")["oldest_aside"])
    if row is None:
        return None
    return Block(row["aside_id"], Aside(row["gateway_id"], tuple(_unpacked(row["payloads"]))))


async def split_aside(db: Database, block: Block) -> None:
    """Put two rows of half as many messages in the place of one."""
    messages = block.aside.messages
    half = len(messages) // 2
    async with db.transaction() as connection:
        await take_aside(connection, [block.aside_id])
        halves = (messages[:half], messages[half:])
        await keep_aside(connection, [Aside(block.aside.gateway_id, part) for part in halves])


def _blocks(aside: Aside) -> Iterator[Sequence[tuple[int, bytes]]]:
    first, size = 0, 0
    for k, (_, payload) in enumerate(aside.messages):
        if k > first and size + len(payload) > BLOCK_BYTES:
            yield aside.messages[first:k]
            first, size = k, 0
        size += len(payload)
    if aside.messages:
        yield aside.messages[first:]


def _unpacked(payloads: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(payloads):
        received_us, length = _HEAD.unpack_from(payloads, at)
        at += _HEAD.size
        yield received_us, payloads[at : at + length]
        at += length
