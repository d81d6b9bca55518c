"""How far each gateway's messages are committed (written with the ingest, read at a start)."""

from dataclasses import dataclass
from datetime import datetime

from wattwitness.domain.ingest import IngestBatch
from wattwitness.store.database import Database
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements

_LOAD = """
SELECT gateway_id, epoch, seq FROM gateway_epochs WHERE seq IS NOT NULL
ORDER BY touched_at, gateway_id, epoch
"""
_FORGET = """
DELETE FROM gateway_epochs g
USING (SELECT gateway_id, epoch,
              row_number() OVER (PARTITION BY gateway_id ORDER BY touched_at DESC, epoch) AS place
       FROM gateway_epochs) ranked
WHERE g.gateway_id = ranked.gateway_id AND g.epoch = ranked.epoch
  AND (place > $1 OR touched_at < now() - make_interval(days => $2))
"""
_GAPS = """
SELECT * FROM gateway_epochs WHERE missing_count > 0 OR ($1 AND given_up > 0)
ORDER BY gateway_id, touched_at DESC, epoch
"""
_GAP_COLUMNS = (
    "confirmed", "highest", "first_missing", "last_missing", "missing", "given_up", "began_middle",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochGap:
    """What is missing of one epoch of a gateway, by number."""

    gateway_id: str
    epoch: str
    first_missing: int | None  # the first missing run, both ends included; None = nothing now
    last_missing: int | None
    missing_count: int  # numbers that may still come, in all runs
    given_up: int  # numbers that the gateway said will never come
    confirmed: int | None  # everything up to here is stored; None = nothing is confirmed
    highest: int | None  # the highest number that is stored
    began_middle: bool  # its first numbers never came
    began_at: datetime
    ended_at: datetime | None  # when its gateway began another epoch; None = its newest one
    since: datetime | None  # since when numbers are missing; None = none is missing now


async def load_epochs(db: Database) -> dict[tuple[str, str], int]:
    """(gateway_id, epoch) → newest number without a hole before it; last touched, last named."""
    async with db.connection() as connection:
        rows = await connection.fetch(_LOAD)
    return {(row["gateway_id"], row["epoch"]): row["seq"] for row in rows}


async def forget_epochs(db: Database, keep: int, days: int = 90) -> None:
    """Forget epochs that nobody touched for `days`, and all but the newest `keep` of a gateway.

    A gateway that comes back with one of them is asked for what it still has.
    """
    async with db.connection() as connection:
        await connection.execute(_FORGET, keep, days)


async def list_gaps(db: Database, *, given_up: bool = False) -> list[EpochGap]:
    """Epochs in which numbers are missing (or were given up), of each gateway the newest first."""
    async with db.connection() as connection:
        rows = await connection.fetch(_GAPS, given_up)
    return [
        EpochGap(
            gateway_id=row["gateway_id"],
            epoch=row["epoch"],
            first_missing=row["first_missing"],
            last_missing=row["last_missing"],
            missing_count=row["missing_count"],
            given_up=row["given_up"],
            confirmed=row["seq"],
            highest=row["highest"],
            began_middle=row["began_middle"],
            began_at=row["began_at"],
            ended_at=row["ended_at"],
            since=row["missing_since"],
        )
        for row in rows
    ]


def epoch_columns(batch: IngestBatch) -> tuple[list[str], list[str], list[int]]:
    """How far epochs go in which nothing is missing: gateways, epochs, numbers; in one order."""
    marks = sorted(batch.epochs.items())
    return (
        [gateway for (gateway, _), _ in marks],
        [epoch for (_, epoch), _ in marks],
        [seq for _, seq in marks],
    )


async def keep_odd_epochs(connection: Connection, batch: IngestBatch) -> None:
    """Keep how far the other epochs are committed (part of an ingest transaction); never backwards.

    Epochs that begin end those before them.
    """
    sql = statements("readings")
    if batch.gaps:
        gaps = sorted(batch.gaps.items())
        await connection.execute(
            sql["keep_gaps"],
            [gateway for (gateway, _), _ in gaps],
            [epoch for (_, epoch), _ in gaps],
            *([getattr(gap, name) for _, gap in gaps] for name in _GAP_COLUMNS),
        )
    if batch.begun:
        begun = sorted(batch.begun)
        await connection.execute(
            sql["end_epochs"], *(list(part) for part in zip(*begun, strict=True))
        )
