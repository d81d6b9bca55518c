"""`wattwitness rejects`: what was refused, listed; judging it again is a process of its own."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import to_us
from wattwitness.domain.rejects import RejectCode
from wattwitness.files.outputs import Format, check_target, format_for, open_output
from wattwitness.files.reject_files import write_rejects
from wattwitness.runtime.lifecycle import run_command
from wattwitness.runtime.options import instant_option
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings, load_settings
from wattwitness.store.database import Database
from wattwitness.store.rejects import RejectFilter, stream_rejects

app = typer.Typer(no_args_is_help=True, help="What was refused: list it, judge it again.")


class _Format(StrEnum):
    """What a list of rejects can be."""

    JSON = "json"
    CSV = "csv"


@app.command("list")
def list_command(
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
    file_format: Annotated[
        _Format | None,
        typer.Option("--format", help="Default: by the ending of the file, else json."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Default: standard output."),
    ] = None,
) -> None:
    """Write what was refused, whole, newest first; what waits for the registry included."""
    chosen = RejectFilter(
        gateway_id=gateway,
        code=code,
        from_us=None if from_ is None else to_us(from_),
        to_us=None if to is None else to_us(to),
    )
    try:
        told = format_for(output, None if file_format is None else Format(file_format.value))
    except InputRefusedError as refusal:
        raise typer.BadParameter(str(refusal)) from None
    if not told.is_text:
        raise typer.BadParameter("rejects are written as json or csv")
    check_target(output)
    try:
        count = run_command(_list(load_settings(), chosen, told, output))
    except BrokenPipeError:  # the reader has seen enough, as head does
        raise typer.Exit(1) from None
    if output is not None:
        typer.echo(f"{output}: {count} rejects")


@app.command("retry")
def retry_command() -> None:
    """Judge them again with the registry, bounds and clock of now."""
    # stands in the list of commands; the program has become `collector.retry` before this


async def _list(
    settings: Settings, chosen: RejectFilter, file_format: Format, output: Path | None
) -> int:
    async with (
        services(settings, database=True) as found,
        await Database.open(found.dsn, application="rejects", zone=settings.zone) as db,
    ):
        with open_output(output) as stream:
            return await write_rejects(stream, stream_rejects(db, chosen), file_format)
