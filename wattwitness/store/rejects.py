"""The reject store: what was refused, whole, with its reason; and what waits for the registry."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from wattwitness.domain.instants import from_us, to_us
from wattwitness.domain.rejects import Reject, RejectCode
from wattwitness.store.database import Database
from wattwitness.store.keeping import SLICE_BYTES
from wattwitness.store.statements import statements

_KINDS: Final = {"r": "one_reject", "w": "one_waiting"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectFilter:
    """Which rejects are meant; None = any."""

    gateway_id: str | None = None
    code: RejectCode | None = None
    from_us: int | None = None  # of receipt, included
    to_us: int | None = None  # excluded

    def parameters(self) -> tuple[Any, ...]:
        """For the statements of `rejects.sql`."""
        return (
            self.gateway_id,
            None if self.code is None else self.code.value,
            None if self.from_us is None else from_us(self.from_us),
            None if self.to_us is None else from_us(self.to_us),
        )


ANY: Final = RejectFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReject:
    """A kept piece as people see it, perhaps with the beginning of its payload only."""

    kept_id: str  # r… = refused, w… = waits for the registry
    reject: Reject
    payload_bytes: int  # length of the whole payload
    channel: str | None = None  # that it waits for

    @property
    def truncated(self) -> bool:
        """Whether there is more of the payload."""
        return len(self.reject.payload) < self.payload_bytes


async def find_rejects(
    db: Database,
    chosen: RejectFilter = ANY,
    *,
    limit: int = 100,
    offset: int = 0,
    payload_bytes: int = 2**30,
) -> list[KeptReject]:
    """Kept pieces, those that wait included, newest receipt first.

    Args:
        db: the database.
        chosen: which.
        limit: at most so many.
        offset: without the first so many.
        payload_bytes: at most so much of each payload.
    """
    async with db.connection() as connection:
        rows = await connection.fetch(
            statements("rejects")["find"], *chosen.parameters(), limit, offset, payload_bytes
        )
    return [_kept(row) for row in rows]


async def stream_rejects(
    db: Database, chosen: RejectFilter = ANY, slice_rows: int = 50
) -> AsyncIterator[KeptReject]:
    """All that `find_rejects` finds, whole, without holding more than a slice of them."""
    query = statements("rejects")["find"]
    async with db.transaction() as connection:
        cursor = connection.cursor(query, *chosen.parameters(), None, 0, 2**30, prefetch=slice_rows)
        async for row in cursor:
            yield _kept(row)


async def count_found(db: Database, chosen: RejectFilter = ANY) -> int:
    """How many pieces `find_rejects` can find."""
    async with db.connection() as connection:
        found = await connection.fetchval(statements("rejects")["count"], *chosen.parameters())
    return int(found)


async def get_reject(db: Database, kept_id: str) -> KeptReject | None:
    """One kept piece, whole."""
    statement, digits = _KINDS.get(kept_id[:1]), kept_id[1:]
    if statement is None or not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        return None
    async with db.connection() as connection:
        row = await connection.fetchrow(statements("rejects")[statement], int(digits))
    return None if row is None else _kept(row)


async def load_rejects(
    db: Database, chosen: RejectFilter, above: int, pieces: int = 500
) -> list[tuple[int, Reject]]:
    """(number, reject) of what was refused for good, oldest first: one bounded slice.

    Args:
        db: the database.
        chosen: which.
        above: only numbers above this one.
        pieces: at most so many.
    """
    async with db.connection() as connection:
        rows = await connection.fetch(
            statements("rejects")["load"], *chosen.parameters(), above, pieces, SLICE_BYTES
        )
    return [(int(row["kept_id"][1:]), _kept(row).reject) for row in rows]


async def newest_reject(db: Database) -> int:
    """The number of the newest reject; 0 = there is none."""
    async with db.connection() as connection:
        return int(await connection.fetchval(statements("rejects")["newest_number"]))


def _kept(row: Any) -> KeptReject:
    return KeptReject(
        kept_id=row["kept_id"],
        reject=Reject(
            gateway_id=row["gateway_id"],
            code=RejectCode(row["code"]),
            text=row["reason"],
            payload=row["payload"],
            received_us=to_us(row["received_at"]),
            index=row["item"],
            readings=row["readings"],
        ),
        payload_bytes=row["payload_bytes"],
        channel=row["channel"],
    )
