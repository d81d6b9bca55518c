"""The alert board: one row per enterprise under orders, what to do first on top.

Pure: verdicts, call notes and the time come in, rows go out.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from math import log

from wattwitness.domain.alerts import level_at, standing_at
from wattwitness.domain.call_notes import (
    CallNote,
    CallStanding,
    CallState,
    call_state,
    still_runs,
)
from wattwitness.domain.registry import Alert, AlertLevel, Enterprise, Registry
from wattwitness.domain.verdicts import BEFORE_JUDGING, Verdict, VerdictChange, VerdictCode

_WORTH_A_CALL_KW = 1.0  # less is not worth a call
_STEP = log(1.1)
_AGE_STEP_S = 600


class Standing(StrEnum):
    """What a row says: the verdict, or that its time has not come."""

    VIOLATED = "violated"
    PARTIAL = "partial"
    INSUFFICIENT_DATA = "insufficient_data"
    IN_GRACE = "in_grace"
    COMPLIED = "complied"
    EXEMPT = "exempt"


class Group(StrEnum):
    """What to do about a row; in the order of the board."""

    CALL = "call"  # runs against its orders: a call can save something
    CHECK = "check"  # nobody can say: look after the data
    RESTING = "resting"  # called, and the promised time is not over
    GRACE = "grace"  # may still run down
    STOPPED = "stopped"  # broke its orders, runs no more
    DONE = "done"
    EXEMPT = "exempt"


_ORDER = {group: place for place, group in enumerate(Group)}


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """One enterprise under one alert, as the board shows it."""

    enterprise_id: str
    name: str
    district: str | None
    industry: str | None
    grade: str
    level: AlertLevel
    standing: Standing
    group: Group
    ends_at: datetime | None  # of grace, or of the time before the response
    change: VerdictChange | None  # the newest one that late data or the registry caused
    call: CallState
    confidence: float | None = None  # None = not judged yet
    as_of: datetime | None = None  # data time up to which was judged
    heard_at: datetime | None = None  # its newest reading; None = never heard of
    baseline_kw: float | None = None
    now_kw: float | None = None
    required_kw: float | None = None  # what it may still use
    avoidable_kw: float = 0.0  # × confidence
    why: tuple[str, ...] = ("not_judged",)
    notes: tuple[str, ...] = ()

    @property
    def required_cut(self) -> float | None:
        """Share of the baseline that has to go; 0–1."""
        return _cut(self.required_kw, self.baseline_kw)

    @property
    def achieved_cut(self) -> float | None:
        """Share of the baseline that is gone; 0–1."""
        return _cut(self.now_kw, self.baseline_kw)


def _cut(kw: float | None, baseline_kw: float | None) -> float | None:
    if kw is None or baseline_kw is None or baseline_kw <= 0:
        return None
    return min(1.0, max(0.0, 1.0 - kw / baseline_kw))


@dataclass(frozen=True, slots=True)
class Wish:
    """Which rows somebody wants to see; empty = all."""

    district: str = ""
    industry: str = ""
    grade: str = ""
    standing: str = ""

    def belongs(self, row: BoardRow) -> bool:
        """Whether the enterprise is meant, whatever its verdict."""
        return (
            self.district in {"", row.district}
            and self.industry in {"", row.industry}
            and self.grade in {"", row.grade}
        )

    def matches(self, row: BoardRow) -> bool:
        """Whether the row is wanted now."""
        return self.belongs(row) and self.standing in {"", row.standing.value}


def place(row: BoardRow) -> tuple[float | str, ...]:
    """Sorts rows: what to do first comes first.

    To call: what a call saves. Cannot say: the oldest data. In grace: what ends first. In coarse
    steps, so that rows of about the same weight do not change places every minute.
    """
    saves = -int(log(max(row.avoidable_kw, 1.0)) / _STEP)
    if row.group == Group.CHECK:
        inside = 0 if row.heard_at is None else int(row.heard_at.timestamp() / _AGE_STEP_S)
    elif row.group == Group.GRACE:
        inside = 0 if row.ends_at is None else int(row.ends_at.timestamp())
    else:
        inside = saves
    return _ORDER[row.group], inside, saves, row.enterprise_id


def in_order(rows: Iterable[BoardRow]) -> list[BoardRow]:
    """Rows as the board lists them."""
    return sorted(rows, key=place)


def _standing(verdict: Verdict | None, alert: Alert, now: datetime) -> Standing:
    if verdict is None:
        waits = now < alert.response_from
        return Standing.IN_GRACE if waits else Standing.INSUFFICIENT_DATA
    undecided = verdict.verdict == VerdictCode.INSUFFICIENT_DATA
    if undecided and BEFORE_JUDGING.intersection(verdict.why):
        return Standing.IN_GRACE
    return Standing(verdict.verdict.value)


_SETTLED = {
    Standing.COMPLIED: Group.DONE,
    Standing.EXEMPT: Group.EXEMPT,
    Standing.IN_GRACE: Group.GRACE,
}


def _group(standing: Standing, verdict: Verdict | None, call: CallState, now: datetime) -> Group:
    if standing in _SETTLED:
        return _SETTLED[standing]
    if call.standing == CallStanding.CALLED and call.rests_until and now < call.rests_until:
        return Group.RESTING
    if verdict is None or standing == Standing.INSUFFICIENT_DATA:
        return Group.CHECK
    saves = verdict.avoidable_kw >= _WORTH_A_CALL_KW
    return Group.CALL if saves and still_runs(verdict) else Group.STOPPED


def _begins(alert: Alert, standing: Standing, now: datetime) -> datetime | None:
    """When the response begins, as long as it is waited for."""
    waits = standing == Standing.IN_GRACE and now < alert.response_from
    return alert.response_from if waits else None


def board_row(
    plant: Enterprise,
    alert: Alert,
    verdict: Verdict | None,
    change: VerdictChange | None,
    notes: Sequence[CallNote],
    now: datetime,
) -> BoardRow:
    """The row of one enterprise at `now`."""
    standing = _standing(verdict, alert, now)
    call = call_state(notes, verdict, now)
    row = BoardRow(
        enterprise_id=plant.enterprise_id,
        name=plant.name,
        district=plant.district,
        industry=plant.industry,
        grade=plant.grade.value,
        level=level_at(alert, now),
        standing=standing,
        group=_group(standing, verdict, call, now),
        ends_at=_begins(alert, standing, now),
        change=change,
        call=call,
    )
    if verdict is None:
        return row
    return replace(
        row,
        level=verdict.level,
        confidence=verdict.confidence,
        as_of=verdict.as_of,
        baseline_kw=verdict.baseline_kw,
        now_kw=verdict.now_kw,
        required_kw=verdict.required_kw,
        avoidable_kw=verdict.avoidable_kw,
        ends_at=verdict.grace_until or row.ends_at,
        why=verdict.why,
        notes=verdict.notes,
    )


def board_rows(
    registry: Registry,
    alert: Alert,
    verdicts: Iterable[Verdict],
    changes: Iterable[VerdictChange],
    calls: Iterable[CallNote],
    now: datetime,
    heard: Mapping[str, datetime] | None = None,
    *,
    only: Collection[str] | None = None,
) -> list[BoardRow]:
    """A row for every enterprise of the alert's districts, in order.

    Args:
        registry: the plants.
        alert: under which they are.
        verdicts: of this alert.
        changes: its trace.
        calls: its call notes.
        now: for promised times and countdowns.
        heard: newest reading of each enterprise; None = not known any more (a past minute): what
            was judged was heard.
        only: enterprises whose rows are wanted; None = all.
    """
    judged = {v.enterprise_id: v for v in verdicts}
    turned = {
        c.enterprise_id: c
        for c in sorted(changes, key=lambda c: c.changed_at)
        if c.before not in {None, c.after} and c.cause != "time"
    }
    called: dict[str, list[CallNote]] = {}
    for note in calls:
        called.setdefault(note.enterprise_id, []).append(note)
    rows = (
        board_row(plant, alert, judged.get(e), turned.get(e), called.get(e, ()), now)
        for e, plant in registry.enterprises.items()
        if (only is None or e in only) and (alert.concerns(plant.district) or e in judged)
    )
    return in_order(
        replace(row, heard_at=row.as_of if heard is None else heard.get(row.enterprise_id))
        for row in rows
    )


def alert_mark(alert: Alert | None, now: datetime) -> str:
    """A text that changes whenever the head of the board does."""
    if alert is None:
        return ""
    begun = sum(change.response_from <= now for change in alert.changes)
    times = (alert.response_from, alert.lifted_at, *(c.response_from for c in alert.changes))
    return f"{standing_at(alert, now)} {begun} {' '.join(map(str, times))}"


def counts(rows: Iterable[BoardRow]) -> dict[str, int]:
    """How many rows say what; every standing present."""
    found = dict.fromkeys((s.value for s in Standing), 0)
    for row in rows:
        found[row.standing.value] += 1
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCall:
    """What calling can save now."""

    rows: int
    kw: float  # × confidence

    @classmethod
    def of(cls, rows: Sequence[BoardRow]) -> "ToCall":
        """Of rows."""
        found = [row.avoidable_kw for row in rows if row.group == Group.CALL]
        return cls(rows=len(found), kw=sum(found))
