"""The assessment of an alert, from what is stored: verdicts, trace, rollups after the lift."""

from collections import defaultdict
from datetime import datetime

from wattwitness.domain.assessing import Told, assess
from wattwitness.domain.assessment import Assessment
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.registry import Alert, Registry
from wattwitness.domain.verdicts import VerdictCode
from wattwitness.store.database import Database
from wattwitness.store.rebounds import load_rebounds
from wattwitness.store.statements import statements
from wattwitness.store.verdicts import list_verdict_changes, list_verdicts


async def _missed_before(db: Database, alert: Alert) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    async with db.connection() as connection:
        rows = await connection.fetch(
            statements("assessment")["missed_before"], alert.response_from, alert.alert_id
        )
    for row in rows:
        found[row["enterprise_id"]].append(row["alert_id"])
    return found


async def load_assessment(
    db: Database, registry: Registry, alert_id: str, now: datetime
) -> Assessment:
    """The assessment of an alert as it is known now.

    Raises:
        InputRefusedError: no such alert.
    """
    alert = registry.alerts.get(alert_id)
    if alert is None:
        raise InputRefusedError(f"there is no alert {alert_id!r}", "see wattwitness alert list")
    verdicts = await list_verdicts(db, alert_id=alert_id)
    ordered = [
        v.enterprise_id
        for v in verdicts
        if v.verdict is not VerdictCode.EXEMPT and v.enterprise_id in registry.enterprises
    ]
    rebounds, why = await load_rebounds(db, registry, alert, ordered, now)
    told = Told(
        changes=await list_verdict_changes(db, alert_id),
        missed_before=await _missed_before(db, alert),
        rebounds=rebounds,
        rebound_why=why,
    )
    return assess(registry, alert, verdicts, told)
