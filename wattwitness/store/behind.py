"""Newest values written behind: many batches' worth of them in one go, a moment later.

One row of `latest` for each row that is stored would cost PostgreSQL three times what storing it
costs. So a collector remembers the newest values and writes them when nothing waits, at the latest
every few seconds. What is not written yet is marked, in the transaction that stores the readings
(`latest_behind`): after a crash, the rows of the marked circuits are mended from the readings.
"""

from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.readings import NEVER, Readings
from wattwitness.store.database import Database
from wattwitness.store.mode import Connection
from wattwitness.store.scales import STORED
from wattwitness.store.statements import statements

NOT_MEASURED = np.iinfo(np.int64).min


def written(values: NDArray[np.int64], null: int | None = None) -> str:
    """An array of integers as PostgreSQL writes it: cheaper for the driver than a list of them."""
    texts = list(map(str, values.tolist()))
    if null is not None:
        for k in np.flatnonzero(values == null).tolist():
            texts[k] = "NULL"
    return f"{{{','.join(texts)}}}"


@dataclass(frozen=True, slots=True)
class Newest:
    """Per circuit, of some rows: first and last instant, and what was said last [n]."""

    circuit: NDArray[np.int64]
    first_us: NDArray[np.int64]
    last_us: NDArray[np.int64]
    p_w: NDArray[np.int64]  # NOT_MEASURED where it was not
    received_us: NDArray[np.int64]  # NEVER where it is not known

    @classmethod
    def of(cls, rows: Readings) -> "Newest":
        """Of rows in (circuit, ts) order."""
        starts = np.flatnonzero(np.diff(rows["circuit"], prepend=-1))
        last = rows.take(np.append(starts, len(rows))[1:] - 1)
        p_w = np.rint(np.nan_to_num(last["p_kw"]) * STORED["p_kw"][2]).astype(np.int64)
        return cls(
            last["circuit"].astype(np.int64),
            rows["ts"][starts],
            last["ts"],
            np.where(np.isnan(last["p_kw"]), NOT_MEASURED, p_w),
            last["received_at"],
        )

    async def write(self, connection: Connection) -> None:
        """Into `latest`, in the order of the keys as everybody does."""
        await connection.execute(
            statements("readings")["update_latest"],
            written(self.circuit),
            written(self.first_us),
            written(self.last_us),
            written(self.p_w, NOT_MEASURED),
            written(self.received_us, NEVER),
        )


@dataclass
class Behind:
    """What one writer has stored and not yet written to `latest`."""

    writer: str
    marks: list[int] = field(default_factory=list)  # rows of latest_behind
    days: set[tuple[int, date]] = field(default_factory=set)  # enterprise key, local day
    in_doubt: bool = False  # a write failed: it may have left a mark
    _size: int = 0
    _first: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _last: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _p: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _received: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _known: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    @property
    def is_behind(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.marks) or self.in_doubt

    def unmarked(self, newest: Newest) -> NDArray[np.int64]:
        """Circuits that are not marked yet."""
        self._grow(int(newest.circuit[-1]) + 1)
        return newest.circuit[~self._known[newest.circuit]]

    def note(self, newest: Newest, mark: int | None, days: tuple[list[int], list[date]]) -> None:
        """Remember what is committed now."""
        k = newest.circuit
        new = ~self._known[k]
        self._first[k] = np.where(new, newest.first_us, np.minimum(self._first[k], newest.first_us))
        later = new | (newest.last_us > self._last[k])
        at = k[later]
        self._last[at] = newest.last_us[later]
        self._p[at] = newest.p_w[later]
        self._received[at] = newest.received_us[later]
        self._known[k] = True
        if mark is not None:
            self.marks.append(mark)
        self.days.update(zip(*days, strict=True))

    def take(self) -> Newest:
        """Everything, in the order of the keys."""
        k = np.flatnonzero(self._known)
        return Newest(k, self._first[k], self._last[k], self._p[k], self._received[k])

    def forget(self) -> None:
        """It is written."""
        self.marks.clear()
        self.days.clear()
        self._known[:] = False

    def _grow(self, size: int) -> None:
        if size > self._size:
            more = size * 5 // 4 - self._size
            for name in ("_first", "_last", "_p", "_received", "_known"):
                old = getattr(self, name)
                setattr(self, name, np.concatenate((old, np.zeros(more, dtype=old.dtype))))
            self._size += more


async def write_behind(db: Database, behind: Behind) -> None:
    """Bring `latest` up to date with what this writer has stored.

    Whoever analysed one of the days meanwhile did not see these rows: such a day is marked dirty
    again. One that is dirty still is left alone.

    Raises:
        StoreUnavailableError: it is still behind; try again later.
    """
    sql = statements("readings")
    if behind.marks:
        newest, days = behind.take(), sorted(behind.days)
        async with db.transaction() as connection:
            await newest.write(connection)
            await connection.execute(
                sql["mark_dirty_again"], [e for e, _ in days], [day for _, day in days]
            )
            await connection.execute(sql["forget_behind"], behind.marks)
        behind.forget()
    if behind.in_doubt:
        await mend_latest(db, writer=behind.writer)
        behind.in_doubt = False


async def mend_latest(db: Database, writer: str | None = None, older_s: float = 60.0) -> int:
    """Mend what a writer left behind; of all writers, what nobody has written for a while.

    Returns:
        Circuits that were behind.
    """
    sql = statements("readings")
    async with db.transaction() as connection:
        rows = await connection.fetch(sql["left_behind"], writer, older_s)
        circuits = sorted({key for row in rows for key in row["circuits"]})
        if circuits:
            await connection.execute(sql["mend_latest"], circuits)
            await connection.execute(sql["mark_dirty_latest"], circuits, str(db.zone))
        await connection.execute(sql["forget_behind"], [row["behind_id"] for row in rows])
    return len(circuits)
