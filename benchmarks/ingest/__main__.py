"""How fast readings come in, beside what PostgreSQL alone would do.

    python -m benchmarks.ingest                       # drained from the broker, beside the limit
    python -m benchmarks.ingest --cell --minutes 10   # 5,000 readings a second, and the delay
    python -m benchmarks.ingest --cell --minutes 1 --flood 50000    # the same beside a flood
    python -m benchmarks.ingest --backlog 5000000     # a large backlog
    python -m benchmarks.ingest --readings 40000 --gateways 50 --repeats 1    # small

Starts its own PostgreSQL, mosquitto and collector in a temporary folder. What is drained waits in
the broker, in the durable session of a collector that is away, so that nobody publishes while it is
measured; the clock runs from the collector's connection to the last proof of delivery. The limit
takes the same number of rows, encoded beforehand, by binary COPY into the same table, one
transaction a batch. Limit and drains take turns. Exit code 1 when a reading is missing or doubled.
"""

import asyncio
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.ingest.cell import steady
from benchmarks.ingest.drain import Drained, count_rows, drain, settled_rows
from benchmarks.ingest.limit import copy_alone
from benchmarks.ingest.load import City, Load
from benchmarks.ingest.stage import Stage
from benchmarks.ingest.table import (
    show_backlog,
    show_drains,
    show_header,
    show_limit,
    show_steady,
)


@dataclass
class Comparison:
    """Limit and drains in turns."""

    stage: Stage
    city: City
    large: City | None  # gateways that send all their circuits in one large message
    readings: int
    batch: int
    limits: list[float] = field(default_factory=list)
    limit_us: list[float] = field(default_factory=list)
    drains: dict[str, list[Drained]] = field(default_factory=dict)
    wrong: int = 0
    _day: int = 0
    _epochs: int = 0

    async def turn(self) -> None:
        """Each once; the limit twice, around the drains that it is compared with most."""
        before = await self._limit()
        wide = self._next(self.city.circuits, self.readings)
        await self._drain(f"{self.city.circuits} readings a message", wide, wide.rows)
        if self.large is not None:
            large = self._next(self.large.circuits, self.readings, self.large)
            await self._drain(f"{self.large.circuits} readings a message", large, large.rows)
        rows, took_s, cpu_s = np.add(before, await self._limit())
        self.limits.append(float(rows / took_s))
        self.limit_us.append(float(cpu_s / rows * 1e6))
        await self._drain("all of it again", self._again(wide), wide.rows)
        half = self._again(replace(wide, shift=wide.minutes // 2))
        await self._drain("half of it again", half, wide.rows + wide.minutes // 2 * self._a_minute)
        extra = replace(self._next(self.city.circuits, self.readings), extra=True)
        await self._drain("with an unknown field", extra, extra.rows)
        narrow = self._next(1, self.readings // 4)
        await self._drain("1 reading a message", narrow, narrow.rows)

    async def _limit(self) -> tuple[float, float, float]:
        """Rows, and the seconds of wall time and of PostgreSQL's CPU that they took."""
        load = self._next(self.city.circuits, self.readings)
        return load.rows, *await copy_alone(self.stage, load, self.batch)

    @property
    def _a_minute(self) -> int:
        return self.city.gateways * self.city.circuits

    def _next(self, size: int, readings: int, city: City | None = None) -> Load:
        """A load of whole minutes, on days of its own."""
        city = city or self.city
        a_minute = city.gateways * city.circuits
        minutes = max(2, readings // a_minute)
        load = self._again(Load(city, minutes * a_minute // size, size, self._day))
        self._day = replace(load, shift=minutes).last_day() + 1
        return load

    def _again(self, load: Load) -> Load:
        self._epochs += 1
        return replace(load, epoch=f"e{self._epochs}")

    async def _drain(self, name: str, load: Load, stored: int) -> None:
        drained = await asyncio.to_thread(drain, self.stage, load)
        self.drains.setdefault(name, []).append(drained)
        if (found := await count_rows(self.stage, load)) != stored:
            print(f"{name}: {found:,} rows are stored instead of {stored:,}")
            self.wrong += 1


def main(
    readings: Annotated[int, typer.Option(help="Readings of one drain.")] = 1_000_000,
    gateways: Annotated[int, typer.Option(help="Gateways of the city.")] = 750,
    circuits: Annotated[int, typer.Option(help="Circuits, and readings of a message.")] = 20,
    large: Annotated[int, typer.Option(help="Readings of a large message; 0 = none.")] = 200,
    repeats: Annotated[int, typer.Option(help="Turns of limit and drains.")] = 3,
    batch: Annotated[int, typer.Option(help="Rows of a batch of the limit.")] = 40_000,
    cell: Annotated[bool, typer.Option("--cell", help="A steady rate instead.")] = False,  # noqa: FBT002 - typer's way
    minutes: Annotated[float, typer.Option(help="How long the steady rate lasts.")] = 10.0,
    rate: Annotated[int, typer.Option(help="Readings a second of the steady rate.")] = 5000,
    flood: Annotated[int, typer.Option(help="Messages that one gateway pours in meanwhile.")] = 0,
    backlog: Annotated[int, typer.Option(help="A backlog of so many readings instead.")] = 0,
) -> None:
    """Measure ingest end to end, beside PostgreSQL alone."""
    city = City(gateways, circuits)
    with tempfile.TemporaryDirectory(prefix="ingest-") as folder:
        Path(folder).chmod(0o755)  # the embedded PostgreSQL may run as another user
        with Stage(Path(folder)) as stage:
            others = None
            if large and not (cell or backlog):
                others = City(max(1, gateways * circuits // large), large, "L")
            asyncio.run(stage.prepare(*(c.registry() for c in (city, others) if c is not None)))
            stage.start_collector()  # from now on, the broker keeps what comes
            stage.stop_collector()
            if cell:
                load = Load(city, int(rate * minutes * 60 / circuits), circuits)
                wrong = _cell(stage, load, rate, flood)
            elif backlog:
                wrong = _backlog(stage, Load(city, backlog // circuits, circuits))
            else:
                wrong = _compare(Comparison(stage, city, others, readings, batch), repeats)
    sys.exit(1 if wrong else 0)


def _compare(comparison: Comparison, repeats: int) -> int:
    for _ in range(repeats):
        asyncio.run(comparison.turn())
    show_header(repeats)
    show_limit(comparison.limits, comparison.limit_us)
    for name, drains in comparison.drains.items():
        show_drains(name, drains, comparison.limits)
    return comparison.wrong


def _cell(stage: Stage, load: Load, rate: int, flood: int) -> int:
    day = load.last_day() + 1
    beside = Load(City(1, load.city.circuits), flood, load.readings, day, "flood")
    found = steady(stage, load, rate / load.readings, beside if flood else None)
    stored = asyncio.run(count_rows(stage, load))
    show_steady(found, stored)
    if flood:
        poured = asyncio.run(settled_rows(stage, beside))
        print(f"  of the flood, {poured:,} of {beside.rows:,} readings are stored")
        stored -= abs(beside.rows - poured)
    return abs(load.rows - stored)


def _backlog(stage: Stage, load: Load) -> int:
    drained = drain(stage, load)
    stored = asyncio.run(count_rows(stage, load))
    show_backlog(drained, stored)
    return abs(load.rows - stored)


if __name__ == "__main__":
    typer.run(main)
