"""Officers' decisions about leads, and the recalibration that follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from wattwitness.domain.decisions import Decision, Outcome, labelled
from wattwitness.domain.leads import Lead
from wattwitness.domain.recalibration import Curve, curve_of
from wattwitness.store.database import Database
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalibration:
    """A change of what a confidence is worth, and since when."""

    at: datetime  # wall clock
    curve: Curve


def _decision(row: asyncpg.Record) -> Decision:
    return Decision(
        decision_id=row["decision_id"],
        lead_id=row["lead_id"],
        enterprise_id=row["enterprise_id"],
        outcome=Outcome(row["outcome"]),
        reason=row["reason"],
        actor=row["actor"],
        at=row["decided_at"],
        score=row["score"],
        confidence=row["confidence"],
        raw_confidence=row["raw_confidence"],
        episodes=tuple(row["episodes"]),
        lead_to=row["lead_to"],
    )


async def fetch_decisions(connection: Connection, lead_id: str | None = None) -> list[Decision]:
    """Decisions in the order in which they were taken, on a connection of the caller."""
    rows = await connection.fetch(statements("decisions")["list_decisions"], lead_id)
    return [_decision(row) for row in rows]


async def list_decisions(db: Database, lead_id: str | None = None) -> list[Decision]:
    """Decisions in the order in which they were taken; about one lead or all."""
    async with db.connection() as connection:
        return await fetch_decisions(connection, lead_id)


async def fetch_recalibrations(connection: Connection, most: int) -> list[Recalibration]:
    """Recalibrations, the newest (which holds) first."""
    rows = await connection.fetch(statements("decisions")["list_recalibrations"], most)
    return [
        Recalibration(
            at=row["recalibrated_at"],
            curve=Curve(row["decisions"], tuple((x, y) for x, y in row["points"])),
        )
        for row in rows
    ]


async def list_recalibrations(db: Database, most: int = 50) -> list[Recalibration]:
    """Recalibrations, the newest (which holds) first."""
    async with db.connection() as connection:
        return await fetch_recalibrations(connection, most)


async def save_decision(
    db: Database, lead: Lead, outcome: Outcome, reason: str, actor: str, at: datetime
) -> Decision:
    """Keep a decision about a lead as it is listed now; the curve follows. One transaction.

    Args:
        db: the database.
        lead: as it was shown.
        outcome: what was found.
        reason: why; not empty.
        actor: who says so.
        at: wall clock.
    """
    sql = statements("decisions")
    raw = lead.confidence if lead.confidence_before is None else lead.confidence_before
    async with db.transaction() as connection:
        await connection.execute(sql["lock_decisions"])
        number = await connection.fetchval(
            sql["insert_decision"],
            lead.lead_id, lead.enterprise_id, outcome.value, reason, actor, at, lead.score,
            lead.confidence, raw, list(lead.episodes), lead.to,
        )  # fmt: skip
        decisions = await fetch_decisions(connection)
        await _recalibrate(connection, decisions, at)
    return next(d for d in decisions if d.decision_id == number)


async def _recalibrate(connection: Connection, decisions: Sequence[Decision], at: datetime) -> None:
    curve = curve_of(labelled(decisions))
    held = await fetch_recalibrations(connection, 1)
    if curve.points != (held[0].curve.points if held else ()):
        await connection.execute(
            statements("decisions")["insert_recalibration"],
            at,
            curve.decisions,
            [list(point) for point in curve.points],
        )
