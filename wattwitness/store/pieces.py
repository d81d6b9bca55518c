"""The pieces of a batch that are kept whole, and those that leave because they are judged anew."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from wattwitness.domain.errors import StoreBusyError
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import from_us
from wattwitness.domain.rejects import Parked, Reject, RejectCode
from wattwitness.store.gateway_days import UNNAMED, DayCounts, Pieces
from wattwitness.store.keeping import digest, in_slices
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements


def is_fresh(batch: IngestBatch) -> bool:
    """Whether it came over the network just now, rather than out of what was kept."""
    return not (batch.taken_parked or batch.taken_rejects)


async def keep_pieces(
    connection: Connection, batch: IngestBatch, counts: DayCounts
) -> Counter[RejectCode]:
    """Take out what the batch judges anew and keep what it refuses (part of its transaction).

    Returns:
        Readings that are rejected now, by reason; what was kept before is none of them.

    Raises:
        StoreBusyError: somebody else took one of the items first.
    """
    counts.take_back(await _take(connection, "take_rejects", batch.taken_rejects))
    counts.take_back(await _take(connection, "take_parked", batch.taken_parked))
    fresh = is_fresh(batch)
    pieces: tuple[Reject | Parked, ...] = (*batch.rejects, *batch.parked)
    for piece in pieces:
        counts.receive_piece(piece.gateway_id, piece.received_us, piece.readings, fresh=fresh)
    kept = await _keep_rejects(connection, batch.rejects, counts)
    kept += await _keep_parked(connection, batch.parked, counts)
    counts.refuse(kept)
    reasons: Counter[RejectCode] = Counter()
    for (_, _, code), n in kept.items():
        reasons[code] += n
    return reasons


async def _keep_rejects(
    connection: Connection, rejects: Sequence[Reject], counts: DayCounts
) -> Pieces:
    kept: Pieces = Counter()
    for piece in in_slices(rejects, lambda reject: len(reject.payload)):
        rows = await connection.fetch(
            statements("pieces")["keep_rejects"],
            [from_us(r.received_us) for r in piece],
            [counts.day_of(r.received_us) for r in piece],
            [r.gateway_id for r in piece],
            [r.code.value for r in piece],
            [r.text for r in piece],
            [r.index for r in piece],
            [r.readings for r in piece],
            [r.payload for r in piece],
            [digest(r.payload, r.gateway_id, r.index) for r in piece],
        )
        for row in rows:
            kept[_name(row["gateway_id"], row["day"], row["code"])] += row["readings"]
    return kept


async def _keep_parked(
    connection: Connection, parked: Sequence[Parked], counts: DayCounts
) -> Pieces:
    kept: Pieces = Counter()
    for piece in in_slices(parked, lambda item: len(item.payload)):
        rows = await connection.fetch(
            statements("pieces")["keep_parked"],
            [from_us(p.received_us) for p in piece],
            [counts.day_of(p.received_us) for p in piece],
            [p.gateway_id for p in piece],
            [p.channel for p in piece],
            [p.readings for p in piece],
            [p.payload for p in piece],
            [digest(p.payload, p.gateway_id, p.channel) for p in piece],
        )
        for row in rows:
            kept[_name(row["gateway_id"], row["day"], _why(row["channel"]))] += row["readings"]
    return kept


async def _take(connection: Connection, statement: str, ids: Sequence[int]) -> Pieces:
    taken: Pieces = Counter()
    if not ids:
        return taken
    rows = await connection.fetch(statements("pieces")[statement], list(ids))
    if len(rows) != len(set(ids)):
        raise StoreBusyError("what was kept is being judged by another process", "try again")
    for row in rows:
        code = row["code"] if "code" in row else _why(row["channel"])
        taken[_name(row["gateway_id"], row["day"], code)] += row["readings"]
    return taken


def _name(gateway_id: str | None, day: date, code: str) -> tuple[str, date, RejectCode]:
    return gateway_id or UNNAMED, day, RejectCode(code)


def _why(channel: str | None) -> str:
    unknown = RejectCode.UNKNOWN_GATEWAY if channel is None else RejectCode.UNKNOWN_CHANNEL
    return unknown.value
