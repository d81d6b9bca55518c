"""`wattwitness decide`: what an officer found out about a lead."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from wattwitness.domain.decisions import Decision, Outcome
from wattwitness.domain.errors import InputRefusedError
from wattwitness.runtime.lifecycle import run_command
from wattwitness.runtime.options import user_name
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings, load_settings
from wattwitness.store.database import Database
from wattwitness.store.decisions import save_decision
from wattwitness.store.leads import get_lead
from wattwitness.store.migrations import upgrade

app = typer.Typer(rich_markup_mode=None)


@app.callback(
    invoke_without_command=True,  # one command, whose options may follow its arguments
    context_settings={"allow_interspersed_args": True},
    subcommand_metavar="",
)
def decide(
    lead_id: Annotated[str, typer.Argument(metavar="LEAD_ID")],
    outcome: Annotated[
        Outcome, typer.Argument(help="not_yet takes an earlier decision back.", show_default=False)
    ],
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.")],
    actor: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who decides; default: the user's name.")
    ] = None,
) -> None:
    """Confirm or dismiss a lead, or take that back; nothing is deleted."""
    if not reason.strip():
        raise typer.BadParameter("--reason says nothing")
    work = _decide(
        load_settings(), lead_id, outcome, reason.strip(), (actor or user_name()).strip()
    )
    found = run_command(work)
    typer.echo(f"{found.lead_id}: {found.outcome.value} by {found.actor} (no. {found.decision_id})")


async def _decide(
    settings: Settings, lead_id: str, outcome: Outcome, reason: str, actor: str
) -> Decision:
    async with (
        services(settings, database=True) as found,
        await Database.open(found.dsn, application="decide", zone=settings.zone) as db,
    ):
        await upgrade(db)
        lead = await get_lead(db, lead_id)
        if lead is None:
            raise InputRefusedError(
                f"there is no lead {lead_id!r}", "see wattwitness export leads for the ids"
            )
        return await save_decision(db, lead, outcome, reason, actor, datetime.now(UTC))
