"""The assessment of an alert, from what is stored: verdicts, trace, rollups after the lift."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

from wattwitness.domain.assessing import Told, assess
from wattwitness.domain.assessment import Assessment, Rebound
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import US_PER_DAY, to_us
from wattwitness.domain.registry import Alert, Registry, Role
from wattwitness.domain.verdicts import VerdictCode
from wattwitness.store.database import Database
from wattwitness.store.rollups import BUCKET_US
from wattwitness.store.statements import statements
from wattwitness.store.verdicts import list_verdict_changes, list_verdicts

_DAY: Final = timedelta(hours=24)
_LOOK_BACK_DAYS: Final = 42
_MOST_LIKE_DAYS: Final = 10
_LEAST_LIKE_DAYS: Final = 5
_LEAST_QUARTERS: Final = 0.9 * US_PER_DAY / BUCKET_US
_SATURDAY: Final = 5
_MOST_CIRCUITS: Final = 500  # of one query, half a second of work


def after_lift(lifted_at: datetime) -> datetime:
    """Where the 24 h after a lift begin: at the next full quarter."""
    late = timedelta(microseconds=-to_us(lifted_at) % BUCKET_US)
    return lifted_at + late


def like_windows(alert: Alert, alerts: Sequence[Alert], zone: ZoneInfo) -> list[datetime]:
    """Beginnings of past 24 h at the clock of the lift, newest first; at most ten.

    Each touches the same kinds of days (Monday to Friday, Saturday, Sunday), ended before the alert
    was issued, and lies apart from every other alert and the day before its response.
    """
    if alert.lifted_at is None:
        return []

    def kinds(moment: datetime) -> tuple[int, int]:
        local = moment.astimezone(zone)
        days = local.weekday(), (local + _DAY).weekday()
        return max(days[0], _SATURDAY - 1), max(days[1], _SATURDAY - 1)

    def is_apart(begins: datetime) -> bool:
        return begins + _DAY <= min(alert.issued_at, alert.response_from - _DAY) and all(
            begins + _DAY <= a.response_from - _DAY or (a.lifted_at or begins + _DAY) <= begins
            for a in alerts
        )

    first = after_lift(alert.lifted_at)
    found = []
    for back in range(1, _LOOK_BACK_DAYS + (first - alert.response_from).days + 2):
        begins = (first.astimezone(zone) - timedelta(days=back)).astimezone(first.tzinfo)
        if kinds(begins) == kinds(first) and is_apart(begins):
            found.append(begins)
    return found[:_MOST_LIKE_DAYS]


def rebound_of(
    energies: Mapping[tuple[int, int], tuple[float, int]], keys: Sequence[int], windows: int
) -> Rebound | None:
    """The rebound of one enterprise; None = too little of it, or of its like days, is known.

    Args:
        energies: (circuit key, window) → kWh, quarters that hold it; window 1 is after the lift.
        keys: of its circuits.
        windows: how many, the one after the lift included.
    """
    totals = {}
    for n in range(1, windows + 1):
        own = [energies.get((key, n), (0.0, 0)) for key in keys]
        if own and all(quarters >= _LEAST_QUARTERS for _, quarters in own):
            totals[n] = sum(kwh for kwh, _ in own)
    now = totals.pop(1, None)
    if now is None or len(totals) < _LEAST_LIKE_DAYS:
        return None
    usual = sorted(totals.values())
    return Rebound(kwh=now, usual_kwh=median(usual), most_kwh=usual[-1], like_days=len(usual))


def _producing(registry: Registry, enterprise_id: str) -> list[int]:
    """Keys of the circuits whose energy stands for the production; main meters for want of them."""
    circuits = registry.circuits_of(enterprise_id)
    own = [c for c in circuits if c.role in {Role.PRODUCTION, Role.COMBINED}]
    own = own or [c for c in circuits if c.role is Role.MAIN]
    return [registry.circuit_keys[c.circuit_id] for c in own]


async def _energies(
    db: Database, keys: Sequence[int], windows: Sequence[datetime]
) -> dict[tuple[int, int], tuple[float, int]]:
    """(circuit key, window from 1) → kWh, quarters that hold it; a city in several queries."""
    sql = statements("assessment")["energy_of_windows"]
    found = {}
    async with db.connection() as connection:
        for k in range(0, len(keys), _MOST_CIRCUITS):
            for row in await connection.fetch(sql, keys[k : k + _MOST_CIRCUITS], windows):
                found[row["circuit_key"], row["n"]] = row["kwh"], row["quarters"]
    return found


async def _rebounds(
    db: Database, registry: Registry, alert: Alert, ordered: Sequence[str], now: datetime
) -> tuple[dict[str, Rebound], str]:
    """(rebounds by enterprise, code why there are none)."""
    if alert.lifted_at is None or alert.lifted_at > now:
        return {}, "not_lifted"
    first = after_lift(alert.lifted_at)
    if now < first + _DAY:
        return {}, "not_over"
    windows = [first, *like_windows(alert, tuple(registry.alerts.values()), db.zone)]
    if len(windows) <= _LEAST_LIKE_DAYS:
        return {}, "few_like_days"
    keys = {name: _producing(registry, name) for name in ordered}
    energies = await _energies(db, [key for own in keys.values() for key in own], windows)
    found = {name: rebound_of(energies, own, len(windows)) for name, own in keys.items()}
    return {name: one for name, one in found.items() if one is not None}, ""


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
    rebounds, why = await _rebounds(db, registry, alert, ordered, now)
    told = Told(
        changes=await list_verdict_changes(db, alert_id),
        missed_before=await _missed_before(db, alert),
        rebounds=rebounds,
        rebound_why=why,
    )
    return assess(registry, alert, verdicts, told)
