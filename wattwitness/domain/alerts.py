"""The life of an alert: announced, in force, changed in course, lifted; and who did that.

What may not be is told as (field, reason): the import puts it beside its row, the commands and
pages say it in one line.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.registry import Alert, AlertChange, AlertLevel

ID_PATTERN: Final = r"^[^\x00-\x1f\x7f;/?#%\\]*$"
"""Ids that fit into an address and into a list as they are; of alerts that are declared here."""
Complaint = tuple[str, str]
"""(field, reason) of what cannot be."""


class AlertStanding(StrEnum):
    """Where an alert stands at a moment."""

    ANNOUNCED = "announced"  # issued, its response is still to begin
    IN_FORCE = "in_force"
    LIFTED = "lifted"


class AlertAct(StrEnum):
    """What was done to an alert."""

    DECLARED = "declared"
    CHANGED = "changed"
    LIFTED = "lifted"
    AMENDED = "amended"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who does something, why, and when by the wall clock."""

    actor: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEntry:
    """One entry of an alert's log; `before` and `after` are stored rows, JSON values."""

    entry_id: int
    alert_id: str
    act: AlertAct
    signature: Signature
    before: Mapping[str, Any] | None  # None = there was none
    after: Mapping[str, Any]


def refused(complaint: Complaint) -> InputRefusedError:
    """A complaint as an error; what stands behind its dash is the remedy."""
    message, _, remedy = complaint[1].partition(" - ")
    return InputRefusedError(message, remedy)


def standing_at(alert: Alert, moment: datetime) -> AlertStanding:
    """Where it stands; one whose lift is announced is in force until then."""
    if alert.lifted_at is not None and alert.lifted_at <= moment:
        return AlertStanding.LIFTED
    return AlertStanding.ANNOUNCED if moment < alert.response_from else AlertStanding.IN_FORCE


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
    """What is wrong with an id that somebody chose; an empty one is given by the store."""
    if re.fullmatch(ID_PATTERN, alert_id) is None:
        return "alert_id", f"{alert_id!r} cannot be an id - leave out ; / ? # % and the backslash"
    return None


def complaint_of_alert(alert: Alert) -> Complaint | None:
    """What is wrong with the times of an alert."""
    if alert.response_from < alert.issued_at:
        return "response_from", "response_from is before issued_at"
    if alert.lifted_at is not None and alert.lifted_at <= alert.response_from:
        return "lifted_at", "lifted_at is not after response_from - the alert was never in force"
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
