"""What is done to an alert, signed: declared, changed in course, lifted, amended. Nothing is lost.

Every act is one transaction: the alert as it is then, the new row, and the entry in the log.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from wattwitness.domain.alerts import (
    Act,
    Complaint,
    Signature,
    complaint_of_alert,
    complaint_of_change,
    complaint_of_id,
    level_at,
    ordered,
    refused,
)
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import local_day
from wattwitness.domain.registry import Alert, AlertChange, AlertLevel
from wattwitness.store.database import Database
from wattwitness.store.mode import Connection
from wattwitness.store.registry import concluded_again
from wattwitness.store.registry_rows import alert_document, alert_of, change_document
from wattwitness.store.statements import statements

_SO_ALREADY = ("the alert is so already", "nothing was changed")


def _refuse(complaint: Complaint | None) -> None:
    if complaint is not None:
        raise refused(complaint)


async def _fetch(connection: Connection, alert_id: str) -> Alert | None:
    sql = statements("alerts")
    row = await connection.fetchrow(sql["get_alert"], alert_id)
    return (
        None if row is None else alert_of(row, await connection.fetch(sql["get_changes"], alert_id))
    )


async def _known(connection: Connection, alert_id: str) -> Alert:
    await connection.execute(statements("alerts")["lock_alerts"])
    found = await _fetch(connection, alert_id)
    if found is None:
        raise InputRefusedError(
            "there is no alert {alert_id!r}", "see wattwitness alert list", alert_id=alert_id
        )
    return found


async def _check_districts(connection: Connection, districts: Sequence[str]) -> None:
    known = [row["district"] for row in await connection.fetch(statements("alerts")["districts"])]
    for name in districts:
        if name not in known:
            raise InputRefusedError(
                "no enterprise is in district {district!r}",
                f"known: {', '.join(known) or 'none'}",
                district=name,
            )


async def _save(
    connection: Connection, noun: str, document: dict[str, object], act: Act, sign: Signature
) -> bool:
    """Save one row with its entry in the log; whether it differed."""
    sql = statements("registry")[f"save_{noun}"]
    saved = await connection.fetch(sql, [document], act.value, sign.actor, sign.reason, sign.at)
    for row in saved:
        await concluded_again(connection, row["enterprise_keys"] or ())
    return bool(saved)


async def _save_alert(connection: Connection, alert: Alert, act: Act, sign: Signature) -> None:
    _refuse(complaint_of_alert(alert))
    await _check_districts(connection, alert.districts)
    if not await _save(connection, "alerts", alert_document(alert), act, sign):
        raise InputRefusedError(*_SO_ALREADY)


async def get_alert(db: Database, alert_id: str) -> Alert | None:
    """An alert as it stands; None = there is none."""
    async with db.connection() as connection:
        return await _fetch(connection, alert_id)


async def declare_alert(db: Database, alert: Alert, sign: Signature) -> Alert:
    """Declare a new alert; without an id it gets one from its day and level.

    Raises:
        InputRefusedError: its id cannot be or is taken, its times cannot be, or nobody is in its
            districts.
    """
    _refuse(complaint_of_id(alert.alert_id))
    async with db.transaction() as connection:
        sql = statements("alerts")
        await connection.execute(sql["lock_alerts"])
        if alert.alert_id and await _fetch(connection, alert.alert_id) is not None:
            raise InputRefusedError(
                "there is an alert {alert_id!r} already",
                "choose another id, or amend it",
                alert_id=alert.alert_id,
            )
        named = alert
        stem = f"{local_day(alert.response_from, db.zone):%Y%m%d}-{alert.level.value}"
        number = 1
        while not named.alert_id or await _fetch(connection, named.alert_id) is not None:
            named = replace(alert, alert_id=stem if number == 1 else f"{stem}-{number}")
            number += 1
        await _save_alert(connection, named, Act.DECLARED, sign)
    return named


async def change_alert(db: Database, alert_id: str, change: AlertChange, sign: Signature) -> Alert:
    """Raise or lower the level in course, from the change's own response on.

    A change that was issued at the same instant is corrected by it.

    Raises:
        InputRefusedError: no such alert, not inside it, or nothing would change.
    """
    async with db.transaction() as connection:
        alert = await _known(connection, alert_id)
        _refuse(complaint_of_change(alert, change))
        if alert.lifted_at is not None and change.response_from >= alert.lifted_at:
            raise InputRefusedError("the alert is lifted before that", "amend its lift first")
        others = {c.issued_at: c for c in alert.changes if c.issued_at != change.issued_at}
        without = replace(alert, changes=ordered(others))
        if change.issued_at not in {c.issued_at for c in alert.changes}:
            _refuse_same_level(without, change)
        document = change_document(alert_id, change)
        if not await _save(connection, "alert_changes", document, Act.CHANGED, sign):
            raise InputRefusedError(*_SO_ALREADY)
    return replace(without, changes=ordered({**others, change.issued_at: change}))


def _refuse_same_level(alert: Alert, change: AlertChange) -> None:
    if level_at(alert, change.response_from) is change.level:
        raise InputRefusedError("the alert has this level then already", "choose another level")


async def lift_alert(db: Database, alert_id: str, lifted_at: datetime, sign: Signature) -> Alert:
    """Lift an alert, now or at an announced moment; before its response, that calls it off.

    Raises:
        InputRefusedError: no such alert, lifted already, or not issued by then.
    """
    async with db.transaction() as connection:
        alert = await _known(connection, alert_id)
        if alert.lifted_at is not None:
            raise InputRefusedError("the alert has been lifted already", "amend it to correct that")
        lifted = replace(alert, lifted_at=lifted_at)
        await _save_alert(connection, lifted, Act.LIFTED, sign)
    return lifted


async def amend_alert(
    db: Database,
    alert_id: str,
    sign: Signature,
    *,
    level: AlertLevel | None = None,
    issued_at: datetime | None = None,
    response_from: datetime | None = None,
    lifted_at: datetime | None = None,
    not_lifted: bool = False,
    districts: Sequence[str] | None = None,
) -> Alert:
    """Correct what was declared wrongly; None = as it is, `not_lifted` takes a lift back.

    Raises:
        InputRefusedError: no such alert, it cannot be so, or nothing would change.
    """
    async with db.transaction() as connection:
        alert = await _known(connection, alert_id)
        amended = replace(
            alert,
            level=level or alert.level,
            issued_at=issued_at or alert.issued_at,
            response_from=response_from or alert.response_from,
            lifted_at=None if not_lifted else lifted_at or alert.lifted_at,
            districts=alert.districts if districts is None else tuple(districts),
        )
        for change in amended.changes:
            _refuse(complaint_of_change(amended, change))
        await _save_alert(connection, amended, Act.AMENDED, sign)
    return amended
