"""Gateway health in one word: how long ago a gateway was heard, against its own interval."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from dashboards.desk import Desk
from wattwitness.domain.instants import US_PER_MINUTE, US_PER_SECOND
from wattwitness.domain.registry import Enterprise, Gateway
from wattwitness.domain.rejects import WAITING
from wattwitness.store.completeness import Completeness, gateway_completeness
from wattwitness.store.epochs import EpochGap, list_gaps
from wattwitness.store.gateways import GatewayHealth, gateway_health, reject_reasons, restart_counts

LATE_INTERVALS = 3
SILENT_INTERVALS = 10
SILENT_AT_LEAST_US = 15 * US_PER_MINUTE


class Condition(StrEnum):
    """What the fleet page says of a gateway."""

    ONLINE = "online"
    LATE = "late"
    SILENT = "silent"
    NEVER = "never"


def condition(last_us: int | None, interval_s: int, now_us: int) -> Condition:
    """The word for a gateway.

    Args:
        last_us: receipt of its newest reading; None = never heard.
        interval_s: its reading interval [s].
        now_us: now.
    """
    if last_us is None:
        return Condition.NEVER
    age_us, interval_us = now_us - last_us, interval_s * US_PER_SECOND
    if age_us <= LATE_INTERVALS * interval_us:
        return Condition.ONLINE
    if age_us <= max(SILENT_INTERVALS * interval_us, SILENT_AT_LEAST_US):
        return Condition.LATE
    return Condition.SILENT


def heard_us(health: GatewayHealth | None) -> int | None:
    """Newest receipt [µs]; of imported readings, about which no receipt is known, device time."""
    if health is None:
        return None
    return health.last_ts_us if health.last_received_us is None else health.last_received_us


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRow:
    """One gateway as people see it."""

    gateway: Gateway
    enterprise: Enterprise
    condition: Condition
    health: GatewayHealth | None  # None = the store has nothing about it
    today: Completeness
    week: Completeness
    reasons: Mapping[str, int]  # rejected readings of today by code
    gaps: tuple[EpochGap, ...]  # numbers that are missing
    restarts: int  # in the last seven days

    @property
    def counts(self) -> Mapping[str, int]:
        """Where its readings of today ended."""
        return {} if self.health is None else self.health.today

    @property
    def waiting(self) -> int:
        """Of the rejected ones of today, those that wait for the registry."""
        return sum(n for code, n in self.reasons.items() if code in WAITING)

    @property
    def missing(self) -> int:
        """Messages that are missing by number."""
        return sum(gap.missing_count for gap in self.gaps)

    @property
    def given_up(self) -> int:
        """Messages that it said will never come."""
        return sum(gap.given_up for gap in self.gaps)

    @property
    def last_us(self) -> int | None:
        """When it was last heard [µs]."""
        return heard_us(self.health)


def count_conditions(conditions: Iterable[Condition]) -> Mapping[Condition, int]:
    """How many gateways are in each condition, every condition present."""
    found = dict.fromkeys(Condition, 0)
    for item in conditions:
        found[item] += 1
    return found


async def conditions(desk: Desk) -> dict[str, Condition]:
    """Gateway id → condition, for every gateway of the registry."""
    registry = await desk.registry()
    heard = {item.gateway_id: heard_us(item) for item in await gateway_health(desk.db)}
    now_us = desk.now_us()
    return {
        gateway_id: condition(heard.get(gateway_id), gateway.interval_s, now_us)
        for gateway_id, gateway in registry.gateways.items()
    }


async def city_completeness(desk: Desk, day: date) -> Completeness:
    """Completeness of all gateways together on one local day."""
    found = await gateway_completeness(desk.db, day, day)
    return sum(found.values(), Completeness())


async def gaps_by_gateway(desk: Desk) -> dict[str, list[EpochGap]]:
    """Gateway id → what its numbering lacks, or will lack for ever."""
    found: dict[str, list[EpochGap]] = {}
    for gap in await list_gaps(desk.db, given_up=True):
        found.setdefault(gap.gateway_id, []).append(gap)
    return found


_ORDER = (Condition.SILENT, Condition.LATE, Condition.NEVER, Condition.ONLINE)


async def fleet(desk: Desk) -> list[GatewayRow]:
    """Every gateway of the registry, those in trouble first."""
    registry, today, now_us = await desk.registry(), desk.today(), desk.now_us()
    heard = {item.gateway_id: item for item in await gateway_health(desk.db, today)}
    reasons, restarts = await reject_reasons(desk.db, today), await restart_counts(desk.db)
    gaps = await gaps_by_gateway(desk)
    day = await gateway_completeness(desk.db, today, today)
    week = await gateway_completeness(desk.db, today - timedelta(days=6), today)
    rows = []
    for gateway_id, gateway in registry.gateways.items():
        health = heard.get(gateway_id)
        rows.append(
            GatewayRow(
                gateway=gateway,
                enterprise=registry.enterprises[gateway.enterprise_id],
                condition=condition(heard_us(health), gateway.interval_s, now_us),
                health=health,
                today=day.get(gateway_id, Completeness()),
                week=week.get(gateway_id, Completeness()),
                reasons=reasons.get(gateway_id, {}),
                gaps=tuple(gaps.get(gateway_id, ())),
                restarts=restarts.get(gateway_id, 0),
            )
        )
    return sorted(rows, key=lambda r: (_ORDER.index(r.condition), r.gateway.gateway_id))
