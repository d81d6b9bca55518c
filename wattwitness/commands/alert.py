"""`wattwitness alert`: declare, change, lift and amend alerts; list them; check the plans."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer

from wattwitness.commands.alert_assess import ASSESS, assess_command
from wattwitness.commands.alert_lists import check_command, list_command
from wattwitness.domain.alerts import Signature
from wattwitness.domain.instants import format_instant
from wattwitness.domain.registry import Alert, AlertChange, AlertLevel
from wattwitness.runtime.lifecycle import run_command
from wattwitness.runtime.options import instant_option, user_name
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import load_settings
from wattwitness.store.alerts import amend_alert, change_alert, declare_alert, lift_alert
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Heavy-pollution alerts: declare, change, lift, list; check the plans beforehand.",
)
_DECLARE = """Declare an alert. Several may be open at once; nothing is ever deleted.

\b
Examples:
  wattwitness alert declare --level orange --from 2026-11-23T00:00:00+08:00 \\
      --reason "city order 12"
  wattwitness alert declare --level red --from 2026-11-23T08:00:00+08:00 \\
      --district Licheng --district Zhangqiu --reason "forecast" --actor Li
"""
_CHANGE = """Raise or lower the level of an alert in course.

\b
Example:
  wattwitness alert change 20261123-orange --level red \\
      --from 2026-11-24T00:00:00+08:00 --reason "city order 13"
"""
_LIFT = """Lift an alert, now or at an announced time.

\b
Example:
  wattwitness alert lift 20261123-orange --at 2026-11-26T18:00:00+08:00 --reason "air is clean"
"""
_AMEND = """Correct what was declared wrongly; what it was stays in the log.

\b
Example:
  wattwitness alert amend 20261123-orange --from 2026-11-23T06:00:00+08:00 --reason "typing error"
"""
_Id = Annotated[str, typer.Argument(metavar="ALERT_ID", help="See wattwitness alert list.")]
_Reason = Annotated[str, typer.Option(help="Why, or by which order; kept in the log.")]
_Actor = Annotated[
    str | None, typer.Option(metavar="NAME", help="Who does it; default: the user's name.")
]
_Issued = Annotated[
    datetime | None,
    typer.Option("--issued", metavar="TS", parser=instant_option, help="Default: now."),
]
_Districts = Annotated[
    list[str] | None, typer.Option("--district", metavar="NAME", help="Repeatable; default: all.")
]
_Work = Callable[[Database, Signature], Awaitable[Alert]]


def _signature(reason: str, actor: str | None) -> Signature:
    if not reason.strip():
        raise typer.BadParameter("--reason says nothing")
    named = (actor or user_name()).strip() or user_name()
    return Signature(actor=named, reason=reason.strip(), at=datetime.now(UTC))


@asynccontextmanager
async def _database() -> AsyncIterator[Database]:
    settings = load_settings()
    async with (
        services(settings, database=True) as found,
        await Database.open(found.dsn, application="alert", zone=settings.zone) as db,
    ):
        await upgrade(db)
        yield db


def _do(work: _Work, sign: Signature) -> None:
    async def in_database() -> Alert:
        async with _database() as db:
            return await work(db, sign)

    alert = run_command(in_database())
    parts = [
        f"{alert.alert_id}: {alert.level.value}",
        f"from {format_instant(alert.response_from)}",
    ]
    parts += [f"{c.level.value} from {format_instant(c.response_from)}" for c in alert.changes]
    if alert.lifted_at is not None:
        parts.append(f"lifted {format_instant(alert.lifted_at)}")
    typer.echo(", ".join(parts) + f" (by {sign.actor})")


@app.command("declare", help=_DECLARE)
def declare_command(
    level: Annotated[AlertLevel, typer.Option(help="The level it begins with.")],
    from_: Annotated[
        datetime,
        typer.Option("--from", metavar="TS", parser=instant_option, help="Response from then on."),
    ],
    reason: _Reason,
    issued: _Issued = None,
    district: _Districts = None,
    alert_id: Annotated[
        str, typer.Option("--id", metavar="ID", help="Default: day and level, as 20261123-orange.")
    ] = "",
    actor: _Actor = None,
) -> None:
    """Declare an alert."""
    sign = _signature(reason, actor)
    alert = Alert(
        alert_id=alert_id.strip(),
        level=level,
        # an alert that is entered late was not issued after its response
        issued_at=issued or min(sign.at, from_),
        response_from=from_,
        districts=tuple(dict.fromkeys(district or ())),
    )
    _do(lambda db, signed: declare_alert(db, alert, signed), sign)


@app.command("change", help=_CHANGE)
def change_command(
    alert_id: _Id,
    level: Annotated[AlertLevel, typer.Option(help="The level that it gets.")],
    reason: _Reason,
    from_: Annotated[
        datetime | None,
        typer.Option("--from", metavar="TS", parser=instant_option, help="Default: at once."),
    ] = None,
    issued: _Issued = None,
    actor: _Actor = None,
) -> None:
    """Raise or lower the level."""
    sign = _signature(reason, actor)
    begins = from_ or issued or sign.at
    change = AlertChange(
        level=level, issued_at=issued or min(sign.at, begins), response_from=begins
    )
    _do(lambda db, signed: change_alert(db, alert_id, change, signed), sign)


@app.command("lift", help=_LIFT)
def lift_command(
    alert_id: _Id,
    reason: _Reason,
    at: Annotated[
        datetime | None, typer.Option(metavar="TS", parser=instant_option, help="Default: now.")
    ] = None,
    actor: _Actor = None,
) -> None:
    """Lift an alert."""
    sign = _signature(reason, actor)
    _do(lambda db, signed: lift_alert(db, alert_id, at or signed.at, signed), sign)


@app.command("amend", help=_AMEND)
def amend_command(
    alert_id: _Id,
    reason: _Reason,
    level: Annotated[AlertLevel | None, typer.Option(help="The level it began with.")] = None,
    issued: Annotated[
        datetime | None, typer.Option(metavar="TS", parser=instant_option, help="When issued.")
    ] = None,
    from_: Annotated[
        datetime | None,
        typer.Option("--from", metavar="TS", parser=instant_option, help="Response from then on."),
    ] = None,
    lifted: Annotated[
        datetime | None, typer.Option(metavar="TS", parser=instant_option, help="When lifted.")
    ] = None,
    district: Annotated[
        list[str] | None, typer.Option("--district", metavar="NAME", help="Its districts, all.")
    ] = None,
    actor: _Actor = None,
    *,
    not_lifted: Annotated[bool, typer.Option("--not-lifted", help="Take the lift back.")] = False,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="All districts.")] = False,
) -> None:
    """Correct an alert."""
    if not_lifted and lifted is not None:
        raise typer.BadParameter("--lifted and --not-lifted exclude each other")
    districts: list[str] | None = [] if everywhere else district or None

    async def amend(db: Database, sign: Signature) -> Alert:
        return await amend_alert(
            db,
            alert_id,
            sign,
            level=level,
            issued_at=issued,
            response_from=from_,
            lifted_at=lifted,
            not_lifted=not_lifted,
            districts=districts,
        )

    _do(amend, _signature(reason, actor))


app.command("list")(list_command)
app.command("check")(check_command)
app.command("assess", help=ASSESS)(assess_command)
