"""`wattwitness alert list` and `check`: what there is, and what the meters could verify."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from wattwitness.domain.alerts import (
    AlertStanding,
    SignedEntry,
    level_at,
    overlap,
    standing_at,
)
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import local_day
from wattwitness.domain.plan_check import PlanStanding
from wattwitness.domain.registry import Alert
from wattwitness.files.alert_records import plan_record
from wattwitness.files.outputs import Format, check_target, format_for, open_output
from wattwitness.files.record_files import write_records
from wattwitness.files.records import Record
from wattwitness.runtime.lifecycle import run_command
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings, load_settings
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade
from wattwitness.store.plans import check_stored_plans
from wattwitness.store.registry import load_registry
from wattwitness.store.signed_log import list_alert_log


class _Format(StrEnum):
    """What the plan check can be."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


def list_command(
    alert_id: Annotated[
        str | None, typer.Argument(metavar="[ALERT_ID]", help="Only this one, with its log.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Lifted ones, too.")] = False,
) -> None:
    """Alerts that are announced or in force, times as on the pages; with an id also its log."""
    settings = load_settings()
    alerts, log = run_command(_alerts(settings, alert_id))
    now = datetime.now(UTC)
    if alert_id is not None:
        shown = [a for a in alerts if a.alert_id == alert_id]
    else:
        shown = [a for a in alerts if everything or not _is_lifted(a, now)]
    for alert in shown:
        others = (a.alert_id for a in alerts if a is not alert and overlap(a, alert))
        typer.echo(_line(alert, now, settings.zone, sorted(others)))
    for entry in log:
        when = f"{entry.signature.at.astimezone(settings.zone):%Y-%m-%d %H:%M}"
        typer.echo(f"  {when}  {entry.act.value} by {entry.signature.actor}: ", nl=False)
        typer.echo(entry.signature.reason)
    if not shown:
        typer.echo("no alert is open" if alerts and not everything else "there are no alerts")


def _is_lifted(alert: Alert, now: datetime) -> bool:
    return standing_at(alert, now) is AlertStanding.LIFTED


def _line(alert: Alert, now: datetime, zone: ZoneInfo, others: Sequence[str]) -> str:
    def local(moment: datetime) -> str:
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"

    steps = [(alert.level, alert.response_from)]
    steps += [(c.level, c.response_from) for c in alert.changes]
    course = ", ".join(f"{level.value} from {local(begins)}" for level, begins in steps)
    lift = f", lifted {local(alert.lifted_at)}" if alert.lifted_at else ""
    districts = ";".join(alert.districts) or "all districts"
    standing = standing_at(alert, now).value.replace("_", " ")
    level = level_at(alert, now).value
    told = f"  (overlaps {', '.join(others)})" if others else ""
    return f"{alert.alert_id}  {standing}  {level}  {course}{lift}  {districts}{told}"


async def _alerts(
    settings: Settings, alert_id: str | None
) -> tuple[list[Alert], list[SignedEntry]]:
    async with (
        services(settings, database=True) as found,
        await Database.open(found.dsn, application="alert", zone=settings.zone) as db,
    ):
        await upgrade(db)
        alerts = list((await load_registry(db)).alerts.values())
        if alert_id is None:
            return alerts, []
        if alert_id not in {a.alert_id for a in alerts}:
            raise InputRefusedError(f"there is no alert {alert_id!r}", "see wattwitness alert list")
        return alerts, await list_alert_log(db, alert_id)


def check_command(
    enterprise: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this enterprise; repeatable.")
    ] = None,
    standing: Annotated[
        PlanStanding | None, typer.Option(help="Only what stands so.", show_default=False)
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
    """Check the plans: which measures the meters can verify, which not, and why."""
    try:
        told = format_for(output, None if file_format is None else Format(file_format.value))
        check_target(output)
    except InputRefusedError as refusal:
        raise typer.BadParameter(str(refusal)) from None
    if told is Format.PARQUET:
        raise typer.BadParameter("the plan check is written as json, csv or xlsx")
    records = run_command(_check(load_settings(), frozenset(enterprise or ())))
    counts = Counter(record["standing"] for record in records)
    chosen = [r for r in records if standing is None or r["standing"] == standing.value]
    try:
        with open_output(output) as stream:
            write_records(stream, "plan_check", chosen, told)
    except BrokenPipeError:  # the reader has seen enough, as head does
        raise typer.Exit(1) from None
    said = ", ".join(f"{counts[code.value]} {code.value}" for code in PlanStanding)
    typer.echo(said, err=output is None)


async def _check(settings: Settings, wanted: frozenset[str]) -> list[Record]:
    async with (
        services(settings, database=True) as found,
        await Database.open(found.dsn, application="alert", zone=settings.zone) as db,
    ):
        await upgrade(db)
        registry = await load_registry(db)
        unknown = sorted(wanted - registry.enterprises.keys())
        if unknown:
            raise InputRefusedError(f"no enterprise {unknown[0]!r} in the registry")
        findings = await check_stored_plans(db, registry, local_day(datetime.now(UTC), db.zone))
        return [
            plan_record(f, registry.enterprises[f.enterprise_id])
            for f in findings
            if not wanted or f.enterprise_id in wanted
        ]
