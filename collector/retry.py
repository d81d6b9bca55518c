"""`wattwitness rejects retry`: kept rejects through the gate of fresh messages once more."""

import sys
import time
from datetime import datetime
from typing import Annotated

import typer

from collector.bounds import Calendar
from collector.decode import Places
from collector.rejudging import Gate, Rejudged, rejudge
from wattwitness.domain.errors import WattWitnessError
from wattwitness.domain.instants import to_us
from wattwitness.domain.rejects import RejectCode
from wattwitness.runtime.lifecycle import run_command
from wattwitness.runtime.options import instant_option
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings, load_settings
from wattwitness.store.database import Database
from wattwitness.store.registry import load_registry
from wattwitness.store.rejects import RejectFilter

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    gateway: Annotated[str | None, typer.Option(metavar="ID", help="Only of this gateway.")] = None,
    code: Annotated[RejectCode | None, typer.Option(help="Only with this reason.")] = None,
    from_: Annotated[
        datetime | None,
        typer.Option("--from", metavar="TS", parser=instant_option, help="Received from then on."),
    ] = None,
    to: Annotated[
        datetime | None,
        typer.Option("--to", metavar="TS", parser=instant_option, help="Received before."),
    ] = None,
) -> None:
    """Judge what was refused again, with the registry, bounds and clock of now.

    What passes is stored, once, and leaves the rejects; the counts of its day of receipt move with
    it. What does not pass stays. Whether a reading lies in the future is asked of the clock of now:
    leave gateways out whose own clock ran ahead. Safe to repeat, and while the collector runs.
    """
    chosen = RejectFilter(
        gateway_id=gateway,
        code=code,
        from_us=None if from_ is None else to_us(from_),
        to_us=None if to is None else to_us(to),
    )
    try:
        done = run_command(_retry(load_settings(), chosen))
    except WattWitnessError as error:
        typer.echo(f"wattwitness: {error}", err=True)
        sys.exit(1)
    for line in _describe(done):
        typer.echo(line)


async def _retry(settings: Settings, chosen: RejectFilter) -> Rejudged:
    async with (
        services(settings, database=True) as found,
        await Database.open(found.dsn, application="rejects", zone=settings.zone) as db,
    ):
        registry = await load_registry(db)
        gate = Gate(
            places=Places.of(registry),
            calendar=Calendar.of(settings),
            max_payload_bytes=settings.max_payload_bytes,
            now_us=time.time_ns() // 1000,
        )
        return await rejudge(db, gate, chosen)


def _describe(done: Rejudged) -> list[str]:
    outcome = done.outcome
    lines = [
        f"judged     {done.judged}",
        f"left       {done.left} as they were",
        f"stored     {outcome.stored} readings",
        f"duplicate  {outcome.duplicates}",
        f"revision   {outcome.revisions}",
        f"rejected   {outcome.rejected} for another reason",
    ]
    return lines + [f"  {code.value:<17} {n}" for code, n in sorted(outcome.reasons.items()) if n]


if __name__ == "__main__":
    app(prog_name="wattwitness rejects retry")
