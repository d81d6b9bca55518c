"""What `wattwitness simulate` does: write a history, go live, or replay files."""

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from gateway_sim.history import write_history
from gateway_sim.live import new_epoch, run_live
from gateway_sim.outbox import Outbox
from gateway_sim.replay import Replay, replay_registry
from gateway_sim.times import CityOptions, chosen_city
from wattwitness.domain.errors import InputRefusedError, WattWitnessError
from wattwitness.domain.instants import to_us
from wattwitness.files.readings_files import read_header
from wattwitness.runtime.lifecycle import Lifecycle
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings
from wattwitness.wire.broker_address import BrokerAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """How to go live."""

    rate: float = 1.0
    live_from: datetime | None = None
    mqtt_url: str | None = None
    outbox: Path | None = None
    per_gateway: bool = False
    exit_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """What to replay, and how."""

    files: tuple[Path, ...]
    registry: Path | None = None
    rate: float = 0.0
    mqtt_url: str | None = None
    outbox: Path | None = None
    confirm_timeout_s: float = 60.0


def write_files(
    options: CityOptions, folder: Path, zone: ZoneInfo, stopped: Callable[[], bool]
) -> None:
    """Build a city and write its history; prints one line.

    Raises:
        InputRefusedError: options or folder cannot be used.
        WattWitnessError: told to stop.
    """
    began_s = time.monotonic()
    city = chosen_city(options, datetime.now(UTC), zone)
    with _bar("writing history") as told:

        def progress(done: int, of: int) -> None:
            if stopped():
                raise WattWitnessError("stopped", "the history is not whole; write it again")
            told(done / of)

        readings = write_history(city, folder, progress)
    _say(
        f"wrote {len(city.plants)} enterprises, {len(city.registry.circuits)} circuits, "
        f"{readings} readings, {len(city.incidents)} incidents to {folder} "
        f"in {time.monotonic() - began_s:.1f} s"
    )


async def live(
    settings: Settings, wanted: CityOptions, options: LiveOptions, lifecycle: Lifecycle
) -> None:
    """Publish a city until told to stop.

    Raises:
        InputRefusedError: options cannot be used.
        BrokerUnavailableError: no broker, or it refuses us.
    """
    city = chosen_city(wanted, datetime.now(UTC), settings.zone)
    live_from_us = city.end_us if options.live_from is None else to_us(options.live_from)
    if live_from_us < city.start_us:
        raise InputRefusedError(
            "--live-from lies before the city's history", "name a later instant"
        )
    # at the pace of real time, what lies between is caught up at once; a faster clock runs there
    now_us = to_us(datetime.now(UTC))
    catches_up = options.rate <= 1 and live_from_us < now_us
    async with _broker(settings, options.mqtt_url) as address:
        if options.exit_after_s is not None:
            lifecycle.spawn("exit-after", _stop_after(lifecycle, options.exit_after_s))
        await run_live(
            lifecycle,
            city,
            address,
            options.outbox or settings.home / "simulator" / "outbox.sqlite",
            rate=options.rate,
            live_from_us=live_from_us,
            clock_from_us=now_us if catches_up else live_from_us,
            per_gateway=options.per_gateway,
        )


async def replay(settings: Settings, options: ReplayOptions, lifecycle: Lifecycle) -> None:
    """Publish files until everything is confirmed; prints one line.

    Raises:
        InputRefusedError: a file or the registry cannot be used.
        BrokerUnavailableError: no broker, or no proof of delivery in time.
    """
    for file in options.files:  # before anything is started for them
        read_header(file)
    registry = replay_registry(options.files, options.registry)
    with contextlib.ExitStack() as stack:
        path = options.outbox
        if path is None:  # files can be replayed again: nothing to keep beyond this run
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="wattwitness-replay-"))
            path = Path(folder) / "outbox.sqlite"
        outbox = stack.enter_context(Outbox(path, new_epoch()))
        told = stack.enter_context(_bar("replaying"))
        async with _broker(settings, options.mqtt_url) as address:
            work = Replay(registry, outbox, address, options.confirm_timeout_s)
            report = await work.run(lifecycle, options.files, options.rate, told)
    _say(str(report))


@contextlib.asynccontextmanager
async def _broker(settings: Settings, named: str | None) -> AsyncIterator[BrokerAddress]:
    if named is not None:
        yield BrokerAddress.parse(named)
        return
    async with services(settings, broker=True) as found:
        yield BrokerAddress.parse(found.mqtt_url)


async def _stop_after(lifecycle: Lifecycle, seconds: float) -> None:
    await asyncio.sleep(seconds)
    lifecycle.stop.set()


class _Bar:
    """A progress bar, or nothing where nobody looks."""

    def __init__(self, progress: Progress | None, label: str) -> None:
        self._progress = progress
        self._task = None if progress is None else progress.add_task(label, total=1.0)

    def __call__(self, share: float) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=share)


@contextlib.contextmanager
def _bar(label: str) -> Iterator[_Bar]:
    if not sys.stderr.isatty():
        yield _Bar(None, label)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield _Bar(progress, label)


def _say(line: str) -> None:
    print(line)  # noqa: T201 - the command's one line of result
