"""Nothing is lost: break everything in turn while readings flow, then compare every single one.

    python -m benchmarks.chaos --faults 100 --seed 1
    python -m benchmarks.chaos --faults 30 --only "kill -9: collector,cut"
    python -m benchmarks.chaos --faults 30 --wrong prove-first   # wrong collectors: what they
    python -m benchmarks.chaos --faults 30 --wrong ack-first     # lose must be reported

Starts its own PostgreSQL, mosquitto and collector in a temporary folder, with a proxy on each
connection. Exit code 1 when a reading is lost, doubled, changed or put aside, or a gateway was told
that one is committed which is not there.

Gateways keep an outbox until the collector's proof. With --trust they have none and rely on the
broker's acknowledgement; then faults that make a broker forget are left out, and everything that it
acknowledged has to be stored. A collector that acknowledges too early can only be caught like that.
"""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.chaos.plan import BROKER, SORTS, Kind, Sort, make_plan
from benchmarks.chaos.play import Outcome, Pace, Play
from benchmarks.chaos.report import keep_log, show
from benchmarks.chaos.stage import Stage
from wattwitness.domain.errors import WattWitnessError


class Wrong(StrEnum):
    """Collectors with a mistake."""

    ACK_FIRST = "ack-first"
    PROVE_FIRST = "prove-first"


def main(
    faults: Annotated[int, typer.Option(help="Faults to plan.", min=0)] = 100,
    seed: Annotated[int, typer.Option(help="Decides which, when, how long.")] = 1,
    messages: Annotated[int, typer.Option(help="Publish at least so many messages.")] = 0,
    rate: Annotated[float, typer.Option(help="Messages per second.")] = 100.0,
    gateways: Annotated[int, typer.Option(help="Gateways that share the messages.", min=1)] = 8,
    readings: Annotated[int, typer.Option(help="Channels per gateway.", min=1)] = 5,
    only: Annotated[str, typer.Option(help="Only sorts that contain one of these words.")] = "",
    *,
    trust: Annotated[bool, typer.Option(help="No outboxes; see above.")] = False,
    wrong: Annotated[Wrong | None, typer.Option(help="Use a wrong collector.")] = None,
    log: Annotated[Path | None, typer.Option(help="Keep the collector's log here.")] = None,
) -> None:
    """Publish while faults happen, wait for the dust to settle, and compare every reading."""
    trust = trust or wrong is Wrong.ACK_FIRST
    module = "right" if wrong is None else wrong.name.lower()
    print(f"seed {seed}, collector {wrong or 'as it is'}{', no outboxes' if trust else ''}")
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the embedded PostgreSQL may run as another user
        stage = Stage(folder, f"benchmarks.chaos.{module}", gateways, readings, trust=trust)
        sorts = chosen(only.split(",") if only else [], trust=trust)
        not_run = [s.name for s in sorts if s.kind is Kind.FILL_DISK]
        if stage.database.disk.limited:
            not_run = []
        plan = make_plan(seed, faults, [s for s in sorts if s.name not in not_run])
        pace = Pace(rate, messages)
        try:
            outcome = asyncio.run(_run(Play(stage, plan, pace, trust=trust), stage))
        except WattWitnessError as error:
            print(f"chaos: {error}", file=sys.stderr)
            sys.exit(2)
        show(outcome, plan, [f"{n} (no file system could be mounted)" for n in not_run])
        if log is not None:
            keep_log(folder, log)
    sys.exit(0 if outcome.verdict.is_clean else 1)


def chosen(words: Sequence[str], *, trust: bool) -> list[Sort]:
    """The sorts of faults of a run."""
    return [
        sort
        for sort in SORTS
        if not (trust and forgets(sort))
        if not words or any(word.strip() in sort.name for word in words)
    ]


def forgets(sort: Sort) -> bool:
    """Whether a broker may forget what it acknowledged; without outbox that is gone."""
    return sort.kind is Kind.LOSE_SESSION or (
        sort.kind in {Kind.KILL, Kind.KILL_TWICE} and sort.place == BROKER
    )


async def _run(play: Play, stage: Stage) -> Outcome:
    try:
        return await play.run()
    finally:
        await stage.close()


if __name__ == "__main__":
    typer.run(main)
