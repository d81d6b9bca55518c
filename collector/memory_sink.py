"""A sink in memory, for tests and trials: the same promises, without a database."""

from collections.abc import Sequence
from typing import Any

from collector.sink import StatusNote
from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.domain.ingest import IngestBatch, IngestOutcome
from wattwitness.domain.readings import MEASURANDS
from wattwitness.domain.rejects import Parked, Reject

_Values = tuple[float | None, ...]


class MemorySink:
    """Keeps everything in dictionaries; `broken` makes it refuse, `lose_answer` commit silently."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], _Values] = {}
        self.revisions: set[tuple[int, int, _Values]] = set()
        self.rejects: list[Reject] = []
        self.parked: list[Parked] = []
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
        self.rejects.extend(batch.rejects)
        self.parked.extend(batch.parked)
        for name, seq in batch.epochs.items():
            self.epochs[name] = max(seq, self.epochs.get(name, seq))
        if self.lose_answer:
            raise StoreUnavailableError("the answer was lost", "write again")
        n_parked = sum(item.readings for item in batch.parked)
        return IngestOutcome(
            received=len(batch.rows) + len(batch.rejects) + n_parked,
            stored=stored,
            duplicates=len(batch.rows) - stored - revisions,
            revisions=revisions,
            rejected=len(batch.rejects),
            parked=n_parked,
        )

    async def note_statuses(self, notes: Sequence[StatusNote]) -> None:
        """Keep statuses; see `Sink.note_statuses`."""
        if self.broken:
            raise StoreUnavailableError("the sink is switched off", "switch it on")
        for note in notes:
            known = self.statuses.get(note.gateway_id)
            if known is None or note.ts_us >= known.ts_us:
                self.statuses[note.gateway_id] = note


def _values(row: Any) -> _Values:
    """The measured values of a row, NaN as None so that they compare."""
    return tuple(None if row[m] != row[m] else float(row[m]) for m in MEASURANDS)
