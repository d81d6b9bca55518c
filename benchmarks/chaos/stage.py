"""What the play runs on: a database, a broker, a collector, gateways, and a proxy on each link."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from benchmarks.chaos import clock
from benchmarks.chaos.book import Book
from benchmarks.chaos.broker import Broker
from benchmarks.chaos.collector_process import CollectorProcess
from benchmarks.chaos.database import PostgresUnderFire
from benchmarks.chaos.gateway import Gateway, Habits
from benchmarks.chaos.plan import BROKER_LINK, DATABASE_LINK, GATEWAY_LINK
from benchmarks.chaos.proxy import Proxy, dial_tcp, dial_unix
from wattwitness.domain.registry import Circuit, Enterprise, Registry, Role
from wattwitness.domain.registry import Gateway as Box
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade
from wattwitness.store.registry import save_registry

_BEHIND_MS: Final = 3 * 3_600_000  # the first readings are so old; they catch up in the run


class Stage:
    """Everything in `folder`; faults reach for its parts."""

    def __init__(
        self, folder: Path, module: str, gateways: int, channels: int, *, trust: bool
    ) -> None:
        self._folder = folder
        self._module = module
        self._crowd = [
            (f"CG{g:03d}", _habits(g, channels, keeps_outbox=not trust)) for g in range(gateways)
        ]
        self.broker = Broker(folder / "mosquitto")
        self.database = PostgresUnderFire(folder / "disk")
        self.links = {
            GATEWAY_LINK: Proxy(dial_tcp("127.0.0.1", self.broker.port)),
            BROKER_LINK: Proxy(dial_tcp("127.0.0.1", self.broker.port)),
            DATABASE_LINK: Proxy(dial_unix(self.database.socket)),
        }
        self.gateways: Sequence[Gateway] = ()
        self.clock = folder / "clock"
        self._collector: CollectorProcess | None = None

    async def open(self) -> None:
        """Start all of it; returns when the collector has subscribed and the gateways connect."""
        await self.broker.start()
        await self.database.start()
        async with await Database.open(self.database.dsn, application="chaos") as db:
            await upgrade(db)
            await save_registry(db, _city(self._crowd))
        ports = {name: await link.start() for name, link in self.links.items()}
        self._collector = CollectorProcess(
            self._module,
            self._folder,
            {
                "WATTWITNESS_HOME": str(self._folder),
                "WATTWITNESS_DATABASE_URL": (
                    f"postgresql://postgres@127.0.0.1:{ports[DATABASE_LINK]}/postgres"
                    "?sslmode=disable"
                ),
                "WATTWITNESS_MQTT_URL": f"mqtt://127.0.0.1:{ports[BROKER_LINK]}",
                clock.VARIABLE: str(self.clock),
            },
        )
        self._collector.start()
        await self._collector.until_up()
        start_ms = time.time_ns() // 1_000_000_000 * 1000 - _BEHIND_MS
        self.gateways = [
            Gateway(gateway_id, habits, ports[GATEWAY_LINK], start_ms)
            for gateway_id, habits in self._crowd
        ]

    @property
    def collector(self) -> CollectorProcess:
        """The collector; there is one from `open` on."""
        assert self._collector is not None  # noqa: S101 - a play opens its stage first
        return self._collector

    @property
    def books(self) -> list[Book]:
        """What the gateways wrote down."""
        return [gateway.book for gateway in self.gateways]

    @property
    def proven(self) -> int:
        """Messages of which gateways were told that they are stored."""
        return sum(gateway.proven for gateway in self.gateways)

    @property
    def proofs(self) -> int:
        """Proofs that came; while they do, the collector is at work."""
        return sum(gateway.proofs for gateway in self.gateways)

    @property
    def kept(self) -> int:
        """Messages in outboxes."""
        return sum(gateway.kept for gateway in self.gateways)

    def shift_clock(self, by_s: float) -> None:
        """The collector's wall clock is wrong by so much."""
        self.clock.write_text(str(by_s), encoding="utf-8")

    async def close(self) -> None:
        """Stop all of it."""
        await asyncio.gather(*(asyncio.to_thread(g.close) for g in self.gateways))
        with suppress(OSError):
            for link in self.links.values():
                await link.close()
        if self._collector is not None:
            self._collector.close()
        self.broker.close()
        self.database.close()


def _habits(g: int, channels: int, *, keeps_outbox: bool) -> Habits:
    """Some say `oldest`, one speaks MQTT 3.1.1, some mark what they send again."""
    return Habits(
        channels=channels,
        says_oldest=g % 2 == 0,
        speaks_5=g != 1,
        marks_resent=g % 3 == 0,
        keeps_outbox=keeps_outbox,
    )


def _city(crowd: Sequence[tuple[str, Habits]]) -> Registry:
    """One enterprise, some gateways with some circuits each."""
    found = [
        Circuit(
            circuit_id=f"{gateway}-C{c}", gateway_id=gateway, channel=f"C{c}", role=Role.PRODUCTION
        )
        for gateway, habits in crowd
        for c in range(habits.channels)
    ]
    return Registry(
        enterprises={"CE": Enterprise(enterprise_id="CE", name="Chaos")},
        gateways={g: Box(gateway_id=g, enterprise_id="CE") for g, _ in crowd},
        circuits={c.circuit_id: c for c in found},
    )
