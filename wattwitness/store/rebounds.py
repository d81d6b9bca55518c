"""The 24 h after a lift, out of the rollups; computed once, for as long as it rests on the same.

A city is twenty million quarter hours, seconds of work, and nothing of it changes until late data
come: what was found is kept with a digest of all that it rests on.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

from wattwitness.domain.assessment import Rebound
from wattwitness.domain.instants import US_PER_DAY, US_PER_HOUR, days_between, local_day, to_us
from wattwitness.domain.registry import Alert, Registry
from wattwitness.domain.scopes import standing_for_plant
from wattwitness.store.database import Database
from wattwitness.store.local_days import GROUP_BITS
from wattwitness.store.rollups import BUCKET_US
from wattwitness.store.statements import statements

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
    own = standing_for_plant(registry.circuits_of(enterprise_id))
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


async def _ground(
    db: Database, windows: Sequence[datetime], keys: Mapping[str, Sequence[int]]
) -> str:
    """Digest of what rebounds rest on: windows, circuits, readings known, rollups still to come."""
    days = {
        day
        for begins in windows
        for day in days_between(local_day(begins, db.zone), local_day(begins + _DAY, db.zone))
    }
    every = [key for own in keys.values() for key in own]
    groups = sorted({key >> GROUP_BITS for key in every})
    waiting = []
    async with db.connection() as connection:
        known = await connection.fetchval(
            statements("assessment")["readings_known"], every, sorted(days)
        )
        for begins in windows:
            hours = to_us(begins) // US_PER_HOUR, -(-to_us(begins + _DAY) // US_PER_HOUR)
            rows = await connection.fetch(statements("rollups")["marked"], groups, *hours)
            waiting.append([row["hour"] for row in rows])
    parts = [known, waiting, list(windows), sorted((e, list(own)) for e, own in keys.items())]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


async def _kept(db: Database, alert_id: str, ground: str) -> dict[str, Rebound] | None:
    async with db.connection() as connection:
        found = await connection.fetchval(statements("assessment")["rebounds"], alert_id, ground)
    return None if found is None else {name: Rebound(**one) for name, one in found.items()}


async def _keep(db: Database, alert_id: str, ground: str, found: Mapping[str, Rebound]) -> None:
    document = {name: asdict(one) for name, one in found.items()}
    async with db.transaction() as connection:
        await connection.execute(
            statements("assessment")["keep_rebounds"], alert_id, ground, document
        )


async def load_rebounds(
    db: Database, registry: Registry, alert: Alert, ordered: Sequence[str], now: datetime
) -> tuple[dict[str, Rebound], str]:
    """(rebounds by enterprise, code why there are none).

    Args:
        db: the database.
        registry: plants and alerts.
        alert: of the registry.
        ordered: enterprises under orders.
        now: wall clock.
    """
    if alert.lifted_at is None or alert.lifted_at > now:
        return {}, "not_lifted"
    first = after_lift(alert.lifted_at)
    if now < first + _DAY:
        return {}, "not_over"
    windows = [first, *like_windows(alert, tuple(registry.alerts.values()), db.zone)]
    if len(windows) <= _LEAST_LIKE_DAYS:
        return {}, "few_like_days"
    keys = {name: _producing(registry, name) for name in ordered}
    ground = await _ground(db, windows, keys)
    kept = await _kept(db, alert.alert_id, ground)
    if kept is not None:
        return kept, ""
    energies = await _energies(db, [key for own in keys.values() for key in own], windows)
    each = {name: rebound_of(energies, own, len(windows)) for name, own in keys.items()}
    found = {name: one for name, one in each.items() if one is not None}
    await _keep(db, alert.alert_id, ground, found)
    return found, ""
