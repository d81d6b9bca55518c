"""Leads of all enterprises together: ranked, with what decisions say about them.

The table holds what the analytics found. Status, rank and recalibrated confidence follow from it
and from the decisions whenever leads are read, so that a decision shows at once and an analysis
that is run again changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from wattwitness.domain.decisions import Decision, last_of, status_after
from wattwitness.domain.instants import from_us
from wattwitness.domain.leads import Lead, LeadLevel
from wattwitness.domain.recalibration import Curve, recalibrated
from wattwitness.store.database import Database
from wattwitness.store.decisions import fetch_decisions, fetch_recalibrations
from wattwitness.store.finding_rows import lead_row, stored_lead
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def difference(
    before: Mapping[_Key, _Value], after: Mapping[_Key, _Value]
) -> tuple[list[_Key], list[_Value]]:
    """Keys to delete and values to insert, to get from one to the other."""
    gone = [key for key, value in before.items() if after.get(key) != value]
    new = [value for key, value in after.items() if before.get(key) != value]
    return gone, new


async def replace_leads(
    connection: Connection, enterprise_id: str, key: int, leads: Sequence[Lead]
) -> None:
    """The leads of an enterprise as the analytics found them, within the caller's transaction."""
    sql = statements("findings")
    rows = await connection.fetch(sql["own_leads"], key, enterprise_id)
    before = {lead.lead_id: lead for lead in map(stored_lead, rows)}
    gone, new = difference(before, {lead.lead_id: lead for lead in leads})
    if gone:
        await connection.execute(sql["delete_leads"], key, gone)
    if new:
        await connection.executemany(sql["insert_lead"], [lead_row(key, lead) for lead in new])


def settled(lead: Lead, decision: Decision | None, curve: Curve) -> Lead:
    """A lead with what decisions say: its status, and what its confidence is worth."""
    status = status_after(decision, lead.newest_from)
    return recalibrated(replace(lead, status=status.value), curve)


def ranked(leads: Sequence[Lead]) -> list[Lead]:
    """Leads that are open before those that are decided, by score; the first has rank 1."""
    order = sorted(leads, key=lambda x: (not x.is_open, -x.score, x.enterprise_id, x.matter.value))
    return [replace(lead, rank=n) for n, lead in enumerate(order, 1)]


async def _standing(connection: Connection) -> tuple[dict[str, Decision], Curve]:
    decisions = last_of(await fetch_decisions(connection))
    held = await fetch_recalibrations(connection, 1)
    return decisions, held[0].curve if held else Curve()


async def list_leads(
    db: Database,
    from_us_: int | None = None,
    to_us_: int | None = None,
    enterprise_ids: Sequence[str] | None = None,
) -> list[Lead]:
    """Leads that overlap [from, to), ranked among all leads; the highest score first."""
    async with db.connection() as connection:
        rows = await connection.fetch(statements("findings")["list_leads"], None)
        decisions, curve = await _standing(connection)
    found = [stored_lead(row) for row in rows]
    everything = ranked([settled(x, decisions.get(x.lead_id), curve) for x in found])
    start: datetime | None = None if from_us_ is None else from_us(from_us_)
    end: datetime | None = None if to_us_ is None else from_us(to_us_)
    return [
        lead
        for lead in everything
        if (start is None or lead.to > start)
        and (end is None or lead.from_ < end)
        and (enterprise_ids is None or lead.enterprise_id in enterprise_ids)
    ]


async def get_lead(db: Database, lead_id: str) -> Lead | None:
    """One lead with its rank, or None."""
    return next((lead for lead in await list_leads(db) if lead.lead_id == lead_id), None)


async def lead_counts(db: Database) -> Mapping[LeadLevel, int]:
    """Leads per level that somebody still has to look at, every level present."""
    found = dict.fromkeys(LeadLevel, 0)
    for lead in await list_leads(db):
        found[lead.level] += lead.is_open
    return found
