"""`wattwitness alert assess`: what an alert came to, as a page, a workbook or JSON."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from wattwitness.domain.assessment import Assessment
from wattwitness.domain.errors import InputRefusedError
from wattwitness.files.assessment_files import AssessmentFormat, assessment_bytes
from wattwitness.files.outputs import check_target, open_output
from wattwitness.runtime.lifecycle import run_command
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings, load_settings
from wattwitness.store.assessment import load_assessment
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade
from wattwitness.store.registry import load_registry


class _Language(StrEnum):
    """Languages of the words."""

    ZH = "zh"
    EN = "en"


ASSESS = """Assess an alert: energy avoided, who made the cut, what the data do not carry.

\b
Examples:
  wattwitness alert assess 20261123-orange -o assessment.pdf
  wattwitness alert assess 20261123-orange -o assessment.xlsx --lang en
"""


def _format(output: Path | None, told: AssessmentFormat | None) -> AssessmentFormat:
    ending = "" if output is None else output.suffix.lower().removeprefix(".")
    known = {item.value for item in AssessmentFormat}
    if told is None and ending and ending not in known:
        raise InputRefusedError(
            f"no format is known by the ending of {output}", "use .pdf, .xlsx, .json, or --format"
        )
    if told is not None and ending in known and ending != told:
        raise InputRefusedError(
            f"{output} ends in .{ending}, and --format says {told}", "leave one of them out"
        )
    found = told or AssessmentFormat(ending or AssessmentFormat.JSON)
    if output is None and found is not AssessmentFormat.JSON:
        raise InputRefusedError(f"{found} is not text", f"name a file: -o assessment.{found}")
    return found


def assess_command(
    alert_id: Annotated[
        str, typer.Argument(metavar="ALERT_ID", help="See wattwitness alert list --all.")
    ],
    file_format: Annotated[
        AssessmentFormat | None,
        typer.Option("--format", help="Default: by the ending of the file, else json."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Default: standard output."),
    ] = None,
    lang: Annotated[_Language, typer.Option(help="Of pdf and xlsx.")] = _Language.ZH,
) -> None:
    """Write the assessment of an alert."""
    try:
        told = _format(output, file_format)
        check_target(output)
    except InputRefusedError as refusal:
        raise typer.BadParameter(str(refusal)) from None
    settings = load_settings()
    found = run_command(_assessment(settings, alert_id))
    data = assessment_bytes(found, told, lang.value, settings.zone)
    try:
        with open_output(output) as stream:
            stream.write(data)
    except BrokenPipeError:  # the reader has seen enough, as head does
        raise typer.Exit(1) from None


async def _assessment(settings: Settings, alert_id: str) -> Assessment:
    async with (
        services(settings, database=True) as found,
        await Database.open(found.dsn, application="alert", zone=settings.zone) as db,
    ):
        await upgrade(db)
        return await load_assessment(db, await load_registry(db), alert_id, datetime.now(UTC))
