"""The outbox: what was measured and is not yet proven to be stored at the centre.

A gateway's promise is kept here: a message leaves the outbox only on the proof of delivery of the
contract, never because a broker said that it heard it. One SQLite file serves all the virtual
gateways of a process; it survives `kill -9` (write-ahead log). Numbers count from 1 per gateway and
epoch; messages of an earlier epoch are kept under their own epoch and number.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from wattwitness.domain.errors import SetupError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    gateway TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    born_us INTEGER NOT NULL,     -- simulated time of its newest reading
    readings BLOB NOT NULL,       -- the readings as JSON, without epoch and number
    PRIMARY KEY (gateway, epoch, seq)
);
CREATE TABLE IF NOT EXISTS epoch (
    name TEXT PRIMARY KEY,
    ordinal INTEGER NOT NULL      -- order of the starts of this process
);
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A message in the outbox."""

    gateway: str
    epoch: str
    seq: int
    born_us: int
    readings: bytes


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one gateway still keeps of one epoch: `oldest` to `newest`, both included."""

    gateway: str
    epoch: str
    oldest: int
    newest: int


class Outbox:
    """All gateways' messages of one process.

    Args:
        path: the SQLite file; None keeps everything in memory (lost with the process).
        epoch: the name of this start; new messages are numbered in it.
        patience_s: how long to wait for another process to let go of the file.

    Raises:
        SetupError: the file is in use, is no outbox, or cannot be written.
    """

    def __init__(self, path: Path | None, epoch: str, patience_s: float = 3.0) -> None:
        self.epoch = epoch
        self._next: dict[str, int] = {}
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path or ":memory:", patience_s, isolation_level=None)
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            # a process that dies loses nothing; only a machine that loses power may lose the tail
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)
            self._db.execute(
                "INSERT OR IGNORE INTO epoch SELECT ?, coalesce(max(ordinal), 0) + 1 FROM epoch",
                (epoch,),
            )
        except (OSError, sqlite3.Error) as error:
            raise SetupError(
                f"the outbox {path} cannot be used: {error}",
                "stop the other simulator, or name another file with --outbox",
            ) from None
        for gateway, newest in self._db.execute(
            "SELECT gateway, max(seq) FROM message WHERE epoch = ? GROUP BY gateway", (epoch,)
        ):
            self._next[gateway] = newest + 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; everything in it stays."""
        self._db.close()

    def append(self, items: Iterable[tuple[str, int, bytes]]) -> int:
        """Keep new messages, in one transaction: (gateway, born_us, readings); returns how many.

        They are durable when this returns.
        """
        rows = []
        for gateway, born_us, readings in items:
            seq = self._next.get(gateway, 1)
            self._next[gateway] = seq + 1
            rows.append((gateway, self.epoch, seq, born_us, readings))
        self._write("INSERT INTO message VALUES (?, ?, ?, ?, ?)", rows)
        return len(rows)

    def confirm(self, proofs: Iterable[tuple[str, str, int]]) -> int:
        """Delete what is proven to be stored: (gateway, epoch, seq); returns how many went."""
        return self._write(
            "DELETE FROM message WHERE gateway = ? AND epoch = ? AND seq <= ?", list(proofs)
        )

    def stretches(self) -> list[Stretch]:
        """What is kept, per gateway the earliest epoch first."""
        rows = self._db.execute(
            "SELECT gateway, epoch, min(seq), max(seq) FROM message JOIN epoch ON name = epoch"
            " GROUP BY gateway, epoch ORDER BY gateway, ordinal"
        )
        return [Stretch(*row) for row in rows]

    def read(self, gateway: str, epoch: str, after: int, limit: int) -> list[Kept]:
        """Up to `limit` messages of one stretch with numbers above `after`, in order."""
        rows = self._db.execute(
            "SELECT gateway, epoch, seq, born_us, readings FROM message"
            " WHERE gateway = ? AND epoch = ? AND seq > ? ORDER BY seq LIMIT ?",
            (gateway, epoch, after, limit),
        )
        return [Kept(*row) for row in rows]

    def count(self) -> int:
        """How many messages are kept."""
        found: tuple[int] = self._db.execute("SELECT count(*) FROM message").fetchone()
        return found[0]

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> int:
        if not rows:
            return 0
        self._db.execute("BEGIN IMMEDIATE")
        try:
            changed = self._db.executemany(statement, rows).rowcount
        except sqlite3.Error as error:
            self._db.execute("ROLLBACK")
            raise SetupError(
                f"the outbox cannot be written: {error}", "make room on the disk"
            ) from error
        self._db.execute("COMMIT")
        return changed
