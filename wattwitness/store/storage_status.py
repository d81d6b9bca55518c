"""The storage told about itself: sizes, compression, what waits, what maintenance did and owes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from wattwitness.domain.instants import format_instant, kept_from
from wattwitness.store.columnstore import READINGS, ROLLUPS, ripe_chunks
from wattwitness.store.database import Database
from wattwitness.store.maintenance_log import RUN, Step, recent_steps
from wattwitness.store.mode import Connection, Mode
from wattwitness.store.partitions import partition_spans
from wattwitness.store.retention import Retention
from wattwitness.store.statements import statements

_RUN_EVERY: Final = timedelta(hours=1)
_GRACE: Final = timedelta(days=1)
_STEPS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """What the columnstore holds of the readings."""

    chunks: int
    compressed: int
    partial: int  # compressed, with rows that came later
    readings: int
    bytes_before: int
    bytes_after: int

    @property
    def ratio(self) -> float | None:
        """Bytes before ÷ bytes after."""
        return self.bytes_before / self.bytes_after if self.bytes_after else None

    @property
    def bytes_per_reading(self) -> float | None:
        """Everything that the compressed chunks take, per reading in them."""
        return self.bytes_after / self.readings if self.readings else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageStatus:
    """One look at the storage."""

    readings_bytes: int
    rollups_bytes: int
    about_readings: int  # as the planner estimates them
    compression: Compression | None  # None: there is no columnstore
    dirty_hours: int  # that wait for their rollups
    touched_batches: int  # ingest transactions not looked at yet
    dirty_days: int  # that wait for the analysis
    raw_from: datetime | None  # None: no raw readings were dropped
    retention: Retention
    last_run: Step | None
    last_steps: Sequence[Step]
    overdue: Sequence[str]


async def storage_status(db: Database, retention: Retention, now: datetime) -> StorageStatus:
    """Look at the storage of a migrated database."""
    sql = statements("status")
    kind = "sizes_hypertable" if db.mode.hypertable else "sizes_plain"
    steps = await recent_steps(db, 200)
    runs = [step for step in steps if step.step == RUN]
    async with db.connection() as connection:
        sizes = await connection.fetchrow(sql[kind])
        waiting = await connection.fetchrow(sql["waiting"])
        compression = None
        if db.mode is Mode.TIMESCALE_FULL:
            row = await connection.fetchrow(sql["compression"])
            compression = Compression(**dict(row or {}))
        overdue = await _overdue(connection, db, retention, now)
    overdue = [*_missed_runs(runs, now), *overdue]
    assert sizes is not None  # noqa: S101 - aggregates give one row
    assert waiting is not None  # noqa: S101 - likewise
    return StorageStatus(
        readings_bytes=sizes["readings"],
        rollups_bytes=sizes["rollups"],
        about_readings=sizes["about"],
        compression=compression,
        **dict(waiting),
        retention=retention,
        last_run=runs[0] if runs else None,
        last_steps=[step for step in steps if step.step != RUN][:_STEPS],
        overdue=overdue,
    )


def _missed_runs(runs: Sequence[Step], now: datetime) -> list[str]:
    if not runs:
        return ["maintenance has never run: wattwitness collect runs it every hour"]
    began_at = runs[0].began_at
    if began_at is not None and now - began_at > 2 * _RUN_EVERY:
        ran = format_instant(began_at.replace(microsecond=0))
        return [f"maintenance last ran at {ran}: does wattwitness collect run?"]
    return []


async def _overdue(
    connection: Connection, db: Database, retention: Retention, now: datetime
) -> list[str]:
    found = []
    if db.mode is Mode.TIMESCALE_FULL:
        for kept in (READINGS, ROLLUPS):
            late = [c for c in await ripe_chunks(connection, kept, now - _GRACE) if not c.again]
            if late:
                found.append(f"{len(late)} chunks of {kept.table} wait to be compressed")
    pieces = await partition_spans(connection, db)
    if retention.raw_days:
        floor = kept_from(now - _GRACE, retention.raw_days)
        old = [piece for piece in pieces if piece.end <= floor]
        if old:
            found.append(f"{len(old)} pieces of raw readings are past keeping")
    if not db.mode.hypertable and not any(p.start <= now + _GRACE < p.end for p in pieces):
        found.append("there is no partition for tomorrow")
    return found
