"""The two services that every process meets in: a database and a broker, ours or the user's."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from wattwitness.domain.errors import SetupError
from wattwitness.runtime.embedded_mosquitto import start_mosquitto, stop_mosquitto
from wattwitness.runtime.embedded_postgres import start_postgres, stop_postgres
from wattwitness.runtime.settings import Settings
from wattwitness.runtime.shared_use import SharedUse

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Where the database and the broker are; empty where it was not asked for."""

    dsn: str = ""
    mqtt_url: str = ""


@asynccontextmanager
async def services(
    settings: Settings, *, database: bool = False, broker: bool = False
) -> AsyncIterator[Services]:
    """What was asked for, running: the user's where set, else embedded in the home folder.

    Embedded services are shared by all processes of one home and stopped with the last of them.

    Raises:
        SetupError: the home folder cannot be written, or an embedded service does not start.
    """
    async with AsyncExitStack() as stack:
        dsn = settings.database_url or ""
        mqtt_url = settings.mqtt_url or ""
        if database and not dsn:
            dsn = await stack.enter_async_context(_postgres(settings))
        if broker and not mqtt_url:
            mqtt_url = await stack.enter_async_context(_mosquitto(settings))
        yield Services(dsn=dsn, mqtt_url=mqtt_url)


EMBEDDED = ("postgres", "mosquitto")
"""Names of the embedded services, which are also those of their folders in the home."""


def users_at_work(settings: Settings) -> bool:
    """Whether a process of this home uses an embedded service now."""
    return any(SharedUse(settings.home / "run", name).in_use() for name in EMBEDDED)


@asynccontextmanager
async def _postgres(settings: Settings) -> AsyncIterator[str]:
    folder = settings.home / "postgres"
    async with _shared(
        settings, "postgres", lambda: start_postgres(folder), lambda pair: stop_postgres(pair[1])
    ) as (dsn, _):
        yield dsn


@asynccontextmanager
async def _mosquitto(settings: Settings) -> AsyncIterator[str]:
    folder = settings.home / "mosquitto"
    async with _shared(
        settings,
        "mosquitto",
        lambda: start_mosquitto(folder, settings.broker_port),
        lambda _: stop_mosquitto(folder),
    ) as url:
        yield url


@asynccontextmanager
async def _shared(
    settings: Settings, name: str, start: Callable[[], T], stop: Callable[[T], None]
) -> AsyncIterator[T]:
    try:
        use = SharedUse(settings.home / "run", name)
    except OSError as error:
        raise SetupError(
            f"the home folder {settings.home} cannot be written: {error.strerror}",
            "set WATTWITNESS_HOME to a folder of yours",
        ) from error

    def join() -> T:
        with use.changing():
            service = start()
            use.join()
            return service

    def leave(service: T) -> None:
        with use.changing():
            if use.leave():
                stop(service)

    joining = asyncio.ensure_future(asyncio.to_thread(join))
    try:
        service = await asyncio.shield(joining)
    except asyncio.CancelledError:  # the thread goes on: wait for it, then let go again
        await asyncio.to_thread(leave, await joining)
        raise
    try:
        yield service
    finally:
        await asyncio.shield(asyncio.to_thread(leave, service))
