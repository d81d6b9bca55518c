"""The life of an alert: announced, in force, changed in course, lifted; and who did that.

What may not be is told as (field, reason): the import puts it beside its row, the commands and
pages say it in one line.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.registry import Alert, AlertChange, AlertLevel

ID_PATTERN: Final = r"^[^\x00-\x1f\x7f;/]*$"
"""Ids that a list (`;`) and one step of an address can hold; links quote everything else."""
Complaint = tuple[str, str]
"""(field, reason) of what cannot be."""


class AlertStanding(StrEnum):
    """Where an alert stands at a moment."""

    ANNOUNCED = "announced"  # issued, its response is still to begin
    IN_FORCE = "in_force"
    LIFTED = "lifted"


class Act(StrEnum):
    """What was done to an alert, or to a measure of a plan."""

    DECLARED = "declared"
    CHANGED = "changed"
    LIFTED = "lifted"
    AMENDED = "amended"
    SAVED = "saved"
    REMOVED = "removed"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who does something, why, and when by the wall clock."""

    actor: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedEntry:
    """One entry of the log of an alert or a plan; `before` and `after` are stored rows."""

    entry_id: int
    subject: str  # id of the alert, or of the enterprise whose plan it is
    act: Act
    signature: Signature
    before: Mapping[str, Any] | None  # JSON values; None = there was none
    after: Mapping[str, Any] | None  # None = removed


def refused(complaint: Complaint) -> InputRefusedError:
    """A complaint as an error; what stands behind its dash is the remedy."""
    message, _, remedy = complaint[1].partition(" - ")
    return InputRefusedError(message, remedy)


def standing_at(alert: Alert, moment: datetime) -> AlertStanding:
    """Where it stands; one whose lift is announced is in force until then."""
    if alert.lifted_at is not None and alert.lifted_at <= moment:
        return AlertStanding.LIFTED
    return AlertStanding.ANNOUNCED if moment < alert.response_from else AlertStanding.IN_FORCE


def open_alerts(
    alerts: Iterable[Alert],
    now: datetime,
    *,
    ahead: timedelta | None = None,
    after: timedelta = timedelta(0),
) -> list[Alert]:
    """Alerts that are open at a moment, by response.

    Args:
        alerts: any.
        now: the moment.
        ahead: how long before its response an alert opens; None = when it is issued.
        after: how long after its lift it stays open.
    """

    def is_open(alert: Alert) -> bool:
        opens = alert.issued_at if ahead is None else alert.response_from - ahead
        return opens <= now and (alert.lifted_at is None or now < alert.lifted_at + after)

    return sorted(filter(is_open, alerts), key=lambda a: (a.response_from, a.alert_id))


def overlap(one: Alert, other: Alert) -> bool:
    """Whether two alerts are in force over the same enterprises at the same time."""
    ends = [a.lifted_at for a in (one, other) if a.lifted_at is not None]
    together = max(one.response_from, other.response_from)
    if any(end <= together for end in ends):
        return False
    return not one.districts or not other.districts or bool({*one.districts} & {*other.districts})


def level_at(alert: Alert, moment: datetime) -> AlertLevel:
    """The level in force at a moment; the first before the response, the last after the lift."""
    begun = [phase.level for phase in alert.phases() if phase.from_ <= moment]
    return begun[-1] if begun else alert.level


def ordered(changes: Mapping[datetime, AlertChange]) -> tuple[AlertChange, ...]:
    """Changes by issue → the order of `Alert.changes`: oldest response first."""
    return tuple(sorted(changes.values(), key=lambda c: (c.response_from, c.issued_at)))


def complaint_of_id(alert_id: str) -> Complaint | None:
    """What is wrong with the id of an alert; an empty one is given by the store."""
    if re.fullmatch(ID_PATTERN, alert_id) is None or alert_id in {".", ".."}:
        return "alert_id", f"{alert_id!r} cannot be an id - write it without ; and /"
    return None


def complaint_of_alert(alert: Alert) -> Complaint | None:
    """What is wrong with the times of an alert.

    One that is lifted before its response was called off: it never came into force.
    """
    if alert.response_from < alert.issued_at:
        return "response_from", "response_from is before issued_at"
    if alert.lifted_at is not None and alert.lifted_at <= alert.issued_at:
        return "lifted_at", "lifted_at is not after issued_at"
    return None


def complaint_of_change(alert: Alert, change: AlertChange) -> Complaint | None:
    """What is wrong with a change in course, beside this alert.

    A change that a lift overtook before its response is lawful: it never came into force.
    """
    if change.response_from < change.issued_at:
        return "response_from", "response_from is before issued_at"
    if change.issued_at < alert.issued_at:
        return "issued_at", "the change was issued before the alert"
    if change.response_from < alert.response_from:
        return "response_from", "the change begins before the alert does - amend the alert first"
    if alert.lifted_at is not None and change.issued_at >= alert.lifted_at:
        return "issued_at", "the alert had been lifted by then"
    return None
