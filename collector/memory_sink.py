"""A sink in memory, for tests and trials: the same promises, without a database."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from collector.sink import StatusNote
from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.domain.ingest import Aside, AtWork, EpochMark, IngestBatch, IngestOutcome
from wattwitness.domain.readings import MEASURANDS
from wattwitness.domain.rejects import RejectCode

_Values = tuple[float | None, ...]


class MemorySink:
    """Keeps everything in dictionaries; `broken` makes it refuse, `lose_answer` commit silently."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], _Values] = {}
        self.revisions: set[tuple[int, int, _Values]] = set()
        self.kept: set[tuple[object, ...]] = set()  # what was refused or has to wait
        self.epochs: dict[tuple[str, str], int] = {}
        self.gaps: dict[tuple[str, str], EpochMark] = {}
        self.aside: dict[int, Aside] = {}
        self.kept_aside: list[Aside] = []
        self.statuses: dict[str, StatusNote] = {}
        self.broken = False
        self.lose_answer = False  # commit, then fail: what a dying connection looks like

    def prepare(self, batch: IngestBatch) -> None:
        """Nothing; see `Sink.prepare`."""

    @property
    def is_preparing(self) -> bool:
        """Never; see `Sink.is_preparing`."""
        return False

    @property
    def is_behind(self) -> bool:
        """Never; see `Sink.is_behind`."""
        return False

    async def catch_up(self) -> None:
        """Nothing; see `Sink.catch_up`."""

    async def write(self, batch: IngestBatch, at_work: AtWork | None = None) -> IngestOutcome:
        """Keep a batch; see `Sink.write`."""
        if at_work is not None:
            at_work(True)
            at_work(False)
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
        reasons = self._refuse(batch)
        self._keep(batch)
        if self.lose_answer:
            raise StoreUnavailableError("the answer was lost", "write again")
        return IngestOutcome(
            received=batch.received,
            stored=stored,
            duplicates=batch.received - stored - revisions - reasons.total(),
            revisions=revisions,
            reasons=reasons,
        )

    def _keep(self, batch: IngestBatch) -> None:
        for name, seq in batch.epochs.items():
            self.epochs[name] = max(seq, self.epochs.get(name, seq))
        for number in batch.taken_aside:
            self.aside.pop(number, None)
        for aside in batch.aside:
            self.aside[len(self.kept_aside)] = aside
            self.kept_aside.append(aside)
        for name, gap in batch.gaps.items():
            if gap.confirmed is not None:
                self.epochs[name] = max(gap.confirmed, self.epochs.get(name, gap.confirmed))
            self.gaps[name] = gap

    def _refuse(self, batch: IngestBatch) -> Counter[RejectCode]:
        reasons: Counter[RejectCode] = Counter()
        for reject in batch.rejects:
            if self._is_new(reject.gateway_id, reject.index, reject.payload):
                reasons[reject.code] += reject.readings
        for item in batch.parked:
            if self._is_new(item.gateway_id, item.channel, item.payload):
                reasons[item.code] += item.readings
        return reasons

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
