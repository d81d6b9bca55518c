"""From a reading's commit to the changed row on open boards, with a whole city under an alert.

    python -m benchmarks.board --minutes 3
    python -m benchmarks.board --minutes 3 --together      # all readings of a minute at once
    python -m benchmarks.board --minutes 3 --follow        # the batch follows as well
    python -m benchmarks.board --enterprises 60 --boards 5 --minutes 2 --days 8      # small

Starts an embedded PostgreSQL, the watcher (`analyse --watch`) and the pages (`serve`) as processes
in a temporary folder. 900 enterprises of twenty circuits have a history, plans and an open alert;
their readings are then committed at the real rate, one a minute each. Plain HTTP clients hold
boards open. Exit code 1 when a board lost a row or shows another one than the store.
"""

import asyncio
import sys
import tempfile
import time
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.board.boards import Seen, watch_boards
from benchmarks.board.city import ALERT_ID, City
from benchmarks.board.history import circuit_keys, fill
from benchmarks.board.live import Committed, Wish, publish
from benchmarks.board.measured import shown, wrong_rows
from benchmarks.board.rejudge import rejudge
from benchmarks.board.report import Figures, show
from benchmarks.board.stage import Stage
from wattwitness.domain.errors import SetupError
from wattwitness.domain.instants import US_PER_MINUTE, day_bounds, from_us, local_day, to_us
from wattwitness.domain.verdicts import Verdict
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade
from wattwitness.store.verdicts import list_verdicts

_LOADED_S = 900.0
_QUIET_S = 8.0  # after the last verdict, until all boards must be right
_SETTLED_S = 120.0  # after the last commit, until there must be a verdict on it
_RESPONSE_BEFORE = timedelta(hours=3)
_LEAD_MIN = 3  # the past is filled in meanwhile
_FOLLOW_LEAD_MIN = 10  # a day of readings, and the batch has looked at everybody
_FOLLOW_LEAST_MIN = 240  # of readings: since before the response


def main(
    enterprises: Annotated[int, typer.Option(min=8, max=9999, help="Of the city.")] = 900,
    minutes: Annotated[int, typer.Option(min=1, help="Live minutes.")] = 3,
    boards: Annotated[int, typer.Option(min=1, help="Open boards.")] = 50,
    days: Annotated[int, typer.Option(min=2, max=90, help="Days of history.")] = 14,
    together: Annotated[bool, typer.Option("--together", help="All of a minute at once.")] = False,  # noqa: FBT002 - typer's way
    follow: Annotated[bool, typer.Option("--follow", help="Run the batch as well.")] = False,  # noqa: FBT002 - likewise
) -> None:
    """Measure the way from a commit to open boards."""
    with tempfile.TemporaryDirectory(prefix="board-") as folder:
        Path(folder).chmod(0o755)  # the embedded PostgreSQL may run as another user
        with Stage(Path(folder)) as stage:
            wish = Wish(enterprises, minutes, boards, days, together, follow)
            wrong = asyncio.run(_run(stage, wish))
    sys.exit(1 if wrong else 0)


async def _run(stage: Stage, wish: Wish) -> int:
    now_us = time.time_ns() // 1000 // US_PER_MINUTE * US_PER_MINUTE
    live_us = now_us + (_FOLLOW_LEAD_MIN if wish.follow else _LEAD_MIN) * US_PER_MINUTE
    city = City(wish.enterprises, from_us(live_us) - _RESPONSE_BEFORE, live_us)
    async with await Database.open(stage.dsn, application="board-benchmark") as db:
        await upgrade(db)
        began_s = time.monotonic()
        await fill(db, city, wish.days, _recent_min(db, live_us) if wish.follow else 60)
        print(f"filled in {time.monotonic() - began_s:.0f} s; loading", flush=True)
        stage.start("watcher", "analytics", "--watch")
        stage.start("dashboards", "dashboards")
        stage.wait_for_pages()
        loaded_s = await _loaded(stage, db, wish.enterprises)
        if wish.follow:
            stage.start("follower", "analytics", "--follow")
        figures = Figures(wish.enterprises, wish.boards, wish.minutes, loaded_s)
        seen, committed = await _measure(stage, db, city, figures, wish)
        stored = await list_verdicts(db, ALERT_ID)
        figures.rejudge = await rejudge(db, city.live_from_us + (wish.minutes - 1) * US_PER_MINUTE)
    return _judge(figures, seen, committed, stored)


def _recent_min(db: Database, live_us: int) -> int:
    """Minutes of readings that the batch looks at again: the local day."""
    live = from_us(live_us)
    begin_us = to_us(day_bounds(local_day(live, db.zone), db.zone)[0])
    return max(_FOLLOW_LEAST_MIN, (live_us - begin_us) // US_PER_MINUTE)


def _judge(figures: Figures, seen: list[Seen], committed: Committed, stored: list[Verdict]) -> int:
    found, wrong = shown(committed, seen), wrong_rows(seen, stored)
    show(figures, found, committed, seen)
    for line in wrong[:10]:
        print(line)
    print(f"lost: {found.lost}; wrong rows: {len(wrong)} of {len(seen) * len(stored)}")
    return found.lost + len(wrong)


async def _measure(
    stage: Stage, db: Database, city: City, figures: Figures, wish: Wish
) -> tuple[list[Seen], Committed]:
    context = get_context("spawn")
    line, their_line = context.Pipe()
    path = f"/api/v1/board/{ALERT_ID}/stream"
    watching = context.Process(
        target=watch_boards, args=("127.0.0.1", stage.port, path, figures.boards, their_line)
    )
    watching.start()
    keys = await circuit_keys(db, city.enterprises)
    names = [name for name in stage.names if name != "follower"] + ["postgres"]
    names += ["follower"] if "follower" in stage.names else []
    await asyncio.sleep(5.0)  # until all boards are open
    await asyncio.sleep(max(0.0, city.live_from_us / 1e6 - time.time()))
    before = {n: stage.cost(n) for n in names}
    committed = await publish(db, city, keys, wish)
    figures.took_s = time.monotonic() - committed.began_s
    figures.costs = {
        n: (stage.cost(n).cpu_s - before[n].cpu_s, stage.cost(n).memory_mb) for n in names
    }
    await _settled(db, city.live_from_us + (wish.minutes - 1) * US_PER_MINUTE)
    await asyncio.sleep(_QUIET_S)
    stage.check()
    line.send("enough")
    seen: list[Seen] = await asyncio.to_thread(line.recv)
    watching.join()
    figures.watched = [text for text in stage.log("watcher").splitlines() if '"watched"' in text]
    return seen, committed


async def _settled(db: Database, until_us: int) -> None:
    """Wait until all verdicts know the last readings; on a busy machine that takes a while."""
    over_s = time.monotonic() + _SETTLED_S
    while time.monotonic() < over_s:
        if all(to_us(v.as_of) >= until_us for v in await list_verdicts(db, ALERT_ID)):
            return
        await asyncio.sleep(1.0)


async def _loaded(stage: Stage, db: Database, enterprises: int) -> float:
    """Wait until the watcher has judged everybody; how long it took."""
    began_s = time.monotonic()
    while time.monotonic() - began_s < _LOADED_S:
        stage.check()
        if len(await list_verdicts(db, ALERT_ID)) >= enterprises:
            return time.monotonic() - began_s
        await asyncio.sleep(1.0)
    raise SetupError("the watcher does not come up", stage.log("watcher")[-3000:])


if __name__ == "__main__":
    typer.run(main)
