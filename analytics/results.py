"""Where the analytics keep what they found: in the store, or, for trials and tests, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from analytics.day import DayJudgement
from analytics.day_end import KEPT_DAYS
from analytics.states.histograms import Histogram
from analytics.verdicts.judging import Case
from wattwitness.domain.courses import LateStand, Piece
from wattwitness.domain.early_warnings import EarlyWarning
from wattwitness.domain.episodes import Episode
from wattwitness.domain.facts import FactBook
from wattwitness.domain.leads import Lead
from wattwitness.domain.spells import SpellBook
from wattwitness.domain.states import Thresholds
from wattwitness.domain.testability import Testability
from wattwitness.domain.verdicts import Verdict, VerdictCode
from wattwitness.store import courses as store_courses
from wattwitness.store import days as store_days
from wattwitness.store import findings as store_findings
from wattwitness.store import verdicts as store_verdicts
from wattwitness.store.database import Database
from wattwitness.store.findings import DayResults

Histograms = dict[str, dict[date, Histogram]]
"""Circuit id → day → minutes per bin."""
DayCounts = Mapping[date, Mapping[str, Histogram]]
"""Day → circuit id → minutes per bin."""
Ends = Mapping[date, Mapping[str, NDArray[np.float32]]]
"""Day → circuit id → its end (`analytics.day_end`)."""


@dataclass(frozen=True, slots=True)
class Findings:
    """All that is known of one enterprise."""

    episodes: Sequence[Episode] = ()
    leads: Sequence[Lead] = ()
    testability: Sequence[Testability] = ()
    warnings: Sequence[EarlyWarning] = ()
    verdicts: Sequence[Verdict] = ()
    # alert id → an instant that was judged before, and what is said of it by what is known today
    rejudged: Mapping[str, tuple[datetime, VerdictCode]] = field(
        default_factory=dict, compare=False
    )
    revision: int | None = field(default=None, compare=False)  # of the registry; None = of now
    cases: Sequence[Case] = field(
        default=(), compare=False, repr=False
    )  # of the verdicts; not kept


class ResultStore(Protocol):
    """What the pipeline reads back and writes, per enterprise."""

    async def data_days(self, enterprise_id: str) -> list[date]:
        """Local days with readings, ascending."""
        ...

    async def load_histograms(self, circuits: Sequence[str], first: date, last: date) -> Histograms:
        """Histograms of [first, last]."""
        ...

    async def load_thresholds(
        self, circuits: Sequence[str], first: date, last: date
    ) -> dict[tuple[str, date], Thresholds]:
        """What the days of [first, last] were judged with."""
        ...

    async def newest_thresholds(
        self, circuits: Sequence[str], first: date, last: date
    ) -> dict[str, Thresholds]:
        """Circuit id → what its newest judged day of [first, last] was judged with."""
        ...

    async def replace_days(
        self, enterprise_id: str, days: Sequence[DayJudgement], counts: DayCounts
    ) -> None:
        """Replace the results of these days, and the histograms that are given, all or none."""
        ...

    async def load_ends(self, enterprise_id: str, days: Sequence[date]) -> Ends:
        """How these days ended, of those that ended and have not changed since they were judged."""
        ...

    async def load_spells(self, enterprise_id: str) -> SpellBook:
        """Condition spells of all days."""
        ...

    async def load_facts(self, enterprise_id: str) -> FactBook:
        """Day facts of all days."""
        ...

    async def replace_findings(
        self, enterprise_id: str, findings: Findings, analysed_at_us: int, data_until_us: int
    ) -> None:
        """Replace all findings of an enterprise; told are wall clock and data time [µs]."""
        ...

    async def judged_until(self, enterprise_id: str) -> dict[str, datetime]:
        """Alert id → data time up to which the verdict that is kept was judged."""
        ...

    async def late_stand(self, enterprise_id: str, alert_ids: Sequence[str]) -> LateStand | None:
        """The late courses of these alerts that are kept; None = none are kept here."""
        ...

    async def save_late(
        self, enterprise_id: str, alert_id: str, kept: Sequence[int], pieces: Sequence[Piece]
    ) -> None:
        """Replace a late course, but for the half hours that hold still."""
        ...


class PostgresResults:
    """The result tables of the store."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def data_days(self, enterprise_id: str) -> list[date]:
        """See `ResultStore`."""
        return await store_days.data_days(self._db, enterprise_id)

    async def load_histograms(self, circuits: Sequence[str], first: date, last: date) -> Histograms:
        """See `ResultStore`."""
        found = await store_findings.load_histograms(self._db, circuits, first, last)
        return {circuit: dict(days) for circuit, days in found.items()}

    async def load_thresholds(
        self, circuits: Sequence[str], first: date, last: date
    ) -> dict[tuple[str, date], Thresholds]:
        """See `ResultStore`."""
        return await store_findings.load_thresholds(self._db, circuits, first, last)

    async def newest_thresholds(
        self, circuits: Sequence[str], first: date, last: date
    ) -> dict[str, Thresholds]:
        """See `ResultStore`."""
        return await store_findings.newest_thresholds(self._db, circuits, first, last)

    async def replace_days(
        self, enterprise_id: str, days: Sequence[DayJudgement], counts: DayCounts
    ) -> None:
        """See `ResultStore`."""
        results = {
            d.day: DayResults(
                states=d.states,
                quality=d.quality,
                thresholds=d.thresholds,
                spells=d.spells,
                facts=d.facts,
                end=d.end,
                histograms=counts.get(d.day, {}),
            )
            for d in days
        }
        await store_findings.replace_day_results(self._db, enterprise_id, results, KEPT_DAYS)

    async def load_ends(self, enterprise_id: str, days: Sequence[date]) -> Ends:
        """See `ResultStore`."""
        return await store_findings.load_ends(self._db, enterprise_id, days)

    async def load_spells(self, enterprise_id: str) -> SpellBook:
        """See `ResultStore`."""
        return await store_findings.load_spells(self._db, enterprise_id)

    async def load_facts(self, enterprise_id: str) -> FactBook:
        """See `ResultStore`."""
        return await store_findings.load_facts(self._db, enterprise_id)

    async def replace_findings(
        self, enterprise_id: str, findings: Findings, analysed_at_us: int, data_until_us: int
    ) -> None:
        """See `ResultStore`."""
        await store_findings.replace_findings(
            self._db,
            enterprise_id,
            findings.episodes,
            findings.leads,
            findings.testability,
            analysed_at_us,
            data_until_us,
            findings.warnings,
            findings.verdicts,
            findings.rejudged,
            findings.revision,
        )

    async def judged_until(self, enterprise_id: str) -> dict[str, datetime]:
        """See `ResultStore`."""
        return await store_verdicts.judged_until(self._db, enterprise_id)

    async def late_stand(self, enterprise_id: str, alert_ids: Sequence[str]) -> LateStand | None:
        """See `ResultStore`."""
        return await store_courses.late_stand(self._db, enterprise_id, alert_ids)

    async def save_late(
        self, enterprise_id: str, alert_id: str, kept: Sequence[int], pieces: Sequence[Piece]
    ) -> None:
        """See `ResultStore`."""
        await store_courses.save_late(self._db, enterprise_id, alert_id, kept, pieces)


@dataclass
class MemoryResults:
    """Results held in memory; `days_with_data` is kept by whoever adds readings."""

    days_with_data: dict[str, set[date]] = field(default_factory=dict)
    histograms: Histograms = field(default_factory=dict)
    days: dict[str, dict[date, DayJudgement]] = field(default_factory=dict)
    findings: dict[str, Findings] = field(default_factory=dict)

    async def data_days(self, enterprise_id: str) -> list[date]:
        """See `ResultStore`."""
        return sorted(self.days_with_data.get(enterprise_id, set()))

    async def load_histograms(self, circuits: Sequence[str], first: date, last: date) -> Histograms:
        """See `ResultStore`."""
        return {
            c: {d: h for d, h in self.histograms.get(c, {}).items() if first <= d <= last}
            for c in circuits
        }

    async def load_thresholds(
        self, circuits: Sequence[str], first: date, last: date
    ) -> dict[tuple[str, date], Thresholds]:
        """See `ResultStore`."""
        return {
            (circuit, day): thresholds
            for judged in self.days.values()
            for day, judgement in judged.items()
            for circuit, thresholds in judgement.thresholds.items()
            if circuit in circuits and first <= day <= last
        }

    async def newest_thresholds(
        self, circuits: Sequence[str], first: date, last: date
    ) -> dict[str, Thresholds]:
        """See `ResultStore`."""
        stored = await self.load_thresholds(circuits, first, last)
        return {circuit: stored[circuit, day] for circuit, day in sorted(stored)}

    async def replace_days(
        self, enterprise_id: str, days: Sequence[DayJudgement], counts: DayCounts
    ) -> None:
        """See `ResultStore`."""
        self.days.setdefault(enterprise_id, {}).update({d.day: d for d in days})
        for judged in days:
            for circuit, minutes in counts.get(judged.day, {}).items():
                self.histograms.setdefault(circuit, {})[judged.day] = minutes

    async def load_ends(self, enterprise_id: str, days: Sequence[date]) -> Ends:
        """See `ResultStore`; who changes a day has it judged again before those after it."""
        judged = self.days.get(enterprise_id, {})
        return {
            d: {f.subject: f.values for f in judged[d].end}
            for d in days
            if d in judged and judged[d].end
        }

    async def load_spells(self, enterprise_id: str) -> SpellBook:
        """See `ResultStore`."""
        judged = self.days.get(enterprise_id, {})
        return SpellBook.of(spell for day in sorted(judged) for spell in judged[day].spells)

    async def load_facts(self, enterprise_id: str) -> FactBook:
        """See `ResultStore`."""
        judged = self.days.get(enterprise_id, {})
        return FactBook.of(fact for day in sorted(judged) for fact in judged[day].facts)

    async def replace_findings(
        self, enterprise_id: str, findings: Findings, analysed_at_us: int, data_until_us: int
    ) -> None:
        """See `ResultStore`."""
        del analysed_at_us, data_until_us
        self.findings[enterprise_id] = replace(findings, cases=())

    async def judged_until(self, enterprise_id: str) -> dict[str, datetime]:
        """See `ResultStore`."""
        known = self.findings.get(enterprise_id, Findings())
        return {verdict.alert_id: verdict.as_of for verdict in known.verdicts}

    async def late_stand(self, enterprise_id: str, alert_ids: Sequence[str]) -> LateStand | None:
        """See `ResultStore`."""
        del enterprise_id, alert_ids
        return None

    async def save_late(
        self, enterprise_id: str, alert_id: str, kept: Sequence[int], pieces: Sequence[Piece]
    ) -> None:
        """See `ResultStore`."""
        del enterprise_id, alert_id, kept, pieces
