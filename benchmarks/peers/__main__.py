"""The same messages, broker, database and judge for our collector and for others.

    python -m benchmarks.peers --peer wattwitness --peer aiomqtt
    python -m benchmarks.peers --markdown > table.md

Three plays each: a backlog drained, `kill -9` in mid-stream, a database away for three seconds.
What others need is installed into a temporary folder (npm, PyPI; `--installs` keeps it); one that
does not install or start is told with its reason. Progress goes to stderr.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from benchmarks.peers.collectors import ALL, Collector, Where
from benchmarks.peers.plan import Plan
from benchmarks.peers.plays import OUTAGE_S, Play
from benchmarks.peers.report import Result, markdown, show
from benchmarks.peers.stage import Stage, mosquitto_version
from benchmarks.peers.supervised import Supervised
from wattwitness.domain.errors import InputRefusedError, SetupError, WattWitnessError

_T = TypeVar("_T")


def main(
    peer: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(ALL)}.")] = None,
    backlog: Annotated[int, typer.Option(help="Messages to drain; 0 = leave it out.")] = 20_000,
    messages: Annotated[int, typer.Option(help="Messages of a stream with a fault.")] = 10_000,
    rate: Annotated[float, typer.Option(help="Messages per second of such a stream.")] = 2000.0,
    readings: Annotated[int, typer.Option(help="Readings per message.")] = 20,
    repeats: Annotated[int, typer.Option(help="Times that each play is played.")] = 1,
    installs: Annotated[Path | None, typer.Option(help="Keep installed peers here.")] = None,
    *,
    markdown_only: Annotated[bool, typer.Option("--markdown", help="Print markdown.")] = False,
) -> None:
    """Play, judge, and print one table."""
    unknown = set(peer or ()) - ALL.keys()
    if unknown:
        raise InputRefusedError(
            f"no such peer: {', '.join(sorted(unknown))}", f"one of {list(ALL)}"
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that everything is stopped
    with tempfile.TemporaryDirectory(prefix="peers-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # the embedded PostgreSQL may run as another user
        kept = (installs or folder / "installs").resolve()
        kept.mkdir(parents=True, exist_ok=True)
        run = Run(folder, Plan(backlog, readings), Plan(messages, readings), rate)
        text = asyncio.run(run.everything([ALL[n]() for n in peer or ALL], repeats, kept))
    if markdown_only:
        print(text)
    else:
        show(text)


class Run:
    """All plays of all collectors, one after the other."""

    def __init__(self, folder: Path, backlog: Plan, stream: Plan, rate: float) -> None:
        self._folder, self._backlog, self._stream, self._rate = folder, backlog, stream, rate
        self._stage = Stage(folder)
        self._plays = 0

    async def everything(self, found: list[Collector], repeats: int, installs: Path) -> str:
        """Install all, then play all; returns the table."""
        results = {c.name: Result(c.name, c.title) for c in found}
        try:
            await self._install_all(found, results, installs)
            for _ in range(repeats):
                for collector in found:
                    if not results[collector.name].problem:
                        await self._play_all(collector, results[collector.name])
            return markdown(list(results.values()), await self._facts(repeats))
        finally:
            self._stage.close()

    async def _install_all(
        self, found: list[Collector], results: dict[str, Result], installs: Path
    ) -> None:
        """Before anything is played, so that it disturbs nothing."""
        for collector in found:
            result = results[collector.name]
            _say(f"{collector.name}: installing")
            try:
                result.versions = await asyncio.to_thread(collector.install, installs)
            except SetupError as error:
                result.problem = error.message
                _say(f"{collector.name}: does not install: {error}")

    async def _play_all(self, collector: Collector, result: Result) -> None:
        try:
            if self._backlog.messages:
                result.drains.append(await self._play(collector, self._backlog, Play.drain))
                _say(f"{collector.name}: drained {result.drains[-1]}")
            result.kills.append(
                await self._play(collector, self._stream, lambda p: p.kill(self._rate))
            )
            _say(f"{collector.name}: killed {result.kills[-1]}")
            result.outages.append(
                await self._play(collector, self._stream, lambda p: p.outage(self._rate))
            )
            _say(f"{collector.name}: database away {result.outages[-1]}")
        except WattWitnessError as error:
            result.problem = error.message
            _say(f"{collector.name}: {error}")

    async def _play(
        self, collector: Collector, plan: Plan, play: Callable[[Play], Awaitable[_T]]
    ) -> _T:
        """One play on an empty stage."""
        self._plays += 1
        name = f"{collector.name}-{self._plays}"
        folder = self._folder / name
        folder.mkdir()
        stage = self._stage
        where = Where(stage.new_broker(f"broker-{name}"), await stage.new_database(name), folder)
        process = Supervised(await collector.prepare(where, plan), folder / "log")
        try:
            scene = Play(stage, collector, where, process, plan)
            await scene.begin()
            return await play(scene)
        finally:
            await process.stop()
            stage.stop_brokers()
            await stage.drop_database(name)
            shutil.rmtree(folder, ignore_errors=True)

    async def _facts(self, repeats: int) -> list[str]:
        backlog, stream = self._backlog, self._stream
        machine = (
            f"- {datetime.now().astimezone():%Y-%m-%d}, {os.cpu_count()} cores,"
            f" PostgreSQL {await self._stage.postgres_version()},"
            f" {await asyncio.to_thread(mosquitto_version)}, Python {sys.version.split()[0]}"
        )
        faults = (
            f"- faults: {stream.total:,} readings in {stream.messages:,} messages,"
            f" {self._rate:,.0f} messages/s; database away {OUTAGE_S:.0f} s; played {repeats} ×"
        )
        drain = f"- drain: {backlog.total:,} readings in {backlog.messages:,} messages"
        return [machine, *([drain] if backlog.messages else []), faults]


def _say(text: str) -> None:
    print(f"{datetime.now().astimezone():%H:%M:%S} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        typer.run(main)
    except WattWitnessError as error:
        sys.exit(str(error))
