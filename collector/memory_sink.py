"""A sink in memory, for tests and trials: the same promises, without a database."""

from collections.abc import Sequence
from typing import Any

from collector.sink import StatusNote
from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.domain.ingest import IngestBatch, IngestOutcome
from wattwitness.domain.readings import MEASURANDS

_Values = tuple[float | None, ...]


class MemorySink:
    """Keeps everything in dictionaries; `broken` makes it refuse, `lose_answer` commit silently."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], _Values] = {}
        self.revisions: set[tuple[int, int, _Values]] = set()
        self.kept: set[tuple[object, ...]] = set()  # what was refused or has to wait
        self.epochs: dict[tuple[str, str], int] = {}
        self.statuses: dict[str, StatusNote] = {}
        self.broken = False
        self.lose_answer = False  # commit, then fail: what a dying connection looks like

    async def write(self, batch: IngestBatch) -> IngestOutcome:
        """Keep a batch; see `Sink.write`."""
        if self.broken:
            raise StoreUnavailableError("the sink is switched off", "switch it on")
        stored = revisions = 0
        for row in batch.rows:
            key, values = (int(row["circuit"]), int(row["ts"])), _values(row)
            if key not in self.rows:
                self.rows[key] = values
                stored += 1
            elif self.rows[key] != values and (*key, values) not in self.revisions:
                self.revisions.add((*key, values))
                revisions += 1
        rejected = parked = 0
        for reject in batch.rejects:
            rejected += self._is_new(reject.gateway_id, reject.index, reject.payload)
        for item in batch.parked:
            parked += item.readings * self._is_new(item.gateway_id, item.channel, item.payload)
        for name, seq in batch.epochs.items():
            self.epochs[name] = max(seq, self.epochs.get(name, seq))
        if self.lose_answer:
            raise StoreUnavailableError("the answer was lost", "write again")
        received = len(batch.rows) + len(batch.rejects) + sum(p.readings for p in batch.parked)
        return IngestOutcome(
            received=received,
            stored=stored,
            duplicates=received - stored - revisions - rejected - parked,
            revisions=revisions,
            rejected=rejected,
            parked=parked,
        )

    def _is_new(self, *piece: object) -> bool:
        new = piece not in self.kept
        self.kept.add(piece)
        return new

    async def note_statuses(self, notes: Sequence[StatusNote]) -> None:
        """Keep statuses; see `Sink.note_statuses`."""
        if self.broken:
            raise StoreUnavailableError("the sink is switched off", "switch it on")
        for note in notes:
            self.statuses[note.gateway_id] = note


def _values(row: Any) -> _Values:
    """The measured values of a row, NaN as None so that they compare."""
    return tuple(None if row[m] != row[m] else float(row[m]) for m in MEASURANDS)
