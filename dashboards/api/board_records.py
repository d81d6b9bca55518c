"""Records of the board: the row as programs and the page's script read it."""

from typing import Self

from dashboards.api.records import Instant, Record
from dashboards.board import BoardRow, place
from wattwitness.domain.call_notes import CallStanding, CallState
from wattwitness.domain.verdicts import VerdictChange


class ChangeRecord(Record):
    """A verdict turned."""

    changed_at: Instant
    as_of: Instant
    cause: str
    before: str | None
    after: str
    confidence: float
    since: Instant
    turns: int  # told as one: a word that went back and forth

    @classmethod
    def of(cls, change: VerdictChange) -> Self:
        """The record of a change."""
        return cls(
            changed_at=change.changed_at,
            as_of=change.as_of,
            cause=change.cause,
            before=None if change.before is None else change.before.value,
            after=change.after.value,
            confidence=change.confidence,
            since=change.since or change.changed_at,
            turns=change.turns,
        )


class CallRecord(Record):
    """The newest call note of a row."""

    at: Instant
    actor: str
    text: str
    promised_at: Instant | None
    rests_until: Instant | None
    due: bool

    @classmethod
    def of(cls, call: CallState) -> Self | None:
        """The record; None = nobody called."""
        note = call.note
        if note is None:
            return None
        return cls(
            at=note.at,
            actor=note.actor,
            text=note.text,
            promised_at=note.promised_at,
            rests_until=call.rests_until,
            due=call.standing == CallStanding.DUE_AGAIN,
        )


class BoardRowRecord(Record):
    """One enterprise under one alert; `group`, then `place`, say where it stands."""

    enterprise_id: str
    name: str
    district: str | None
    industry: str | None
    grade: str
    level: str
    standing: str
    group: str
    place: list[float | str]
    confidence: float | None
    as_of: Instant | None
    heard_at: Instant | None
    baseline_kw: float | None
    now_kw: float | None
    required_kw: float | None
    required_cut: float | None
    achieved_cut: float | None
    avoidable_kw: float
    ends_at: Instant | None
    why: list[str]
    notes: list[str]
    change: ChangeRecord | None
    call: CallRecord | None

    @classmethod
    def of(cls, row: BoardRow) -> Self:
        """The record of a row."""
        return cls(
            enterprise_id=row.enterprise_id,
            name=row.name,
            district=row.district,
            industry=row.industry,
            grade=row.grade,
            level=row.level.value,
            standing=row.standing.value,
            group=row.group.value,
            place=list(place(row)),
            confidence=_rounded(row.confidence, 4),
            as_of=row.as_of,
            heard_at=row.heard_at,
            baseline_kw=_rounded(row.baseline_kw, 1),
            now_kw=_rounded(row.now_kw, 1),
            required_kw=_rounded(row.required_kw, 1),
            required_cut=_rounded(row.required_cut, 4),
            achieved_cut=_rounded(row.achieved_cut, 4),
            avoidable_kw=round(row.avoidable_kw, 1),
            ends_at=row.ends_at,
            why=list(row.why),
            notes=list(row.notes),
            change=None if row.change is None else ChangeRecord.of(row.change),
            call=CallRecord.of(row.call),
        )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
