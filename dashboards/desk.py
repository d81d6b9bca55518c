"""What every request shares: the store, the zone, the languages, the registry as last read."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, cast
from zoneinfo import ZoneInfo

from fastapi import Depends
from starlette.requests import HTTPConnection

from dashboards.i18n import Language, load_languages
from wattwitness.domain.alerts import open_alerts
from wattwitness.domain.instants import from_us, local_day
from wattwitness.domain.registry import Registry
from wattwitness.store.database import Database
from wattwitness.store.registry import load_registry, registry_revision

_REVISION_AGE_S = 1.0


def clock_us() -> int:
    """Now, µs since 1970."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Draw:
    """How the random share for inspection is drawn."""

    seed: int = 1
    share: float = 0.1


@dataclass(slots=True)
class Desk:
    """One per process; hangs on the application's state."""

    db: Database
    zone: ZoneInfo
    now_us: Callable[[], int] = clock_us
    languages: Mapping[str, Language] = field(default_factory=load_languages)
    draw: Draw = Draw()
    _registry: Registry | None = None
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _asked: float = 0.0

    async def registry(self) -> Registry:
        """The registry; read again only when its revision moved (asked at most once a second)."""
        if self._registry is None or time.monotonic() - self._asked >= _REVISION_AGE_S:
            async with self._reading:  # many who come at once let one of them read
                return await self._read()
        return self._registry

    async def _read(self) -> Registry:
        held, now = self._registry, time.monotonic()
        if held is not None and now - self._asked < _REVISION_AGE_S:
            return held
        if held is None or await registry_revision(self.db) != held.revision:
            held = self._registry = await load_registry(self.db)
        self._asked = now
        return held

    async def registry_now(self) -> Registry:
        """The registry as it is this moment, for who has just changed it."""
        async with self._reading:
            self._asked = float("-inf")
            return await self._read()

    def alert_is_open(self) -> bool:
        """Whether an alert is issued and not lifted, as far as the registry was read."""
        held, now = self._registry, from_us(self.now_us())
        return held is not None and bool(open_alerts(held.alerts.values(), now))

    def today(self) -> date:
        """The local day."""
        return local_day(from_us(self.now_us()), self.zone)


def desk_of(connection: HTTPConnection) -> Desk:
    """The desk of the application that serves this request."""
    return cast("Desk", connection.app.state.desk)


TheDesk = Annotated[Desk, Depends(desk_of)]
"""Parameter type of a route that reads."""
