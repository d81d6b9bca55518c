"""Episodes, leads and testability of an enterprise, and the trace of how they changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import asyncpg

from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import from_us, to_us
from wattwitness.domain.leads import Lead, LeadLevel, Matter
from wattwitness.domain.testability import Testability
from wattwitness.store.database import Database
from wattwitness.store.day_results import (
    DayResults,
    list_quality,
    list_states,
    load_histograms,
    load_spells,
    load_thresholds,
    replace_day_results,
    save_histograms,
)
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements

__all__ = [
    "AnalysisProgress",
    "DayResults",
    "FindingChange",
    "analysis_progress",
    "finding_changes",
    "get_lead",
    "list_episodes",
    "list_leads",
    "list_quality",
    "list_states",
    "list_testability",
    "load_histograms",
    "load_spells",
    "load_thresholds",
    "replace_day_results",
    "replace_findings",
    "save_histograms",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingChange:
    """An episode appeared, changed or vanished when the enterprise was analysed again."""

    changed_at: datetime
    episode_id: str
    change: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisProgress:
    """How far the analytics are behind the data."""

    dirty_days: int
    last_analysed_us: int | None


async def replace_findings(
    db: Database,
    enterprise_id: str,
    episodes: Sequence[Episode],
    leads: Sequence[Lead],
    testability: Sequence[Testability],
    analysed_at_us: int,
) -> None:
    """Replace what is known of an enterprise; differences go to the trace. One transaction."""
    sql = statements("findings")
    async with db.transaction() as connection:
        key = await connection.fetchval(
            "SELECT enterprise_key FROM enterprises WHERE enterprise_id = $1 FOR UPDATE",
            enterprise_id,
        )
        changed_at = from_us(analysed_at_us)
        await _trace(connection, enterprise_id, key, episodes, changed_at)
        for noun in ("episodes", "leads", "testability"):
            await connection.execute(sql[f"clear_{noun}"], key)
        await connection.executemany(
            sql["insert_episode"], [_episode_row(key, e) for e in episodes]
        )
        await connection.executemany(sql["insert_lead"], [_lead_row(key, lead) for lead in leads])
        await connection.executemany(
            sql["insert_testability"],
            [(key, t.kind, t.pairing_id or "", t.testable, t.why) for t in testability],
        )
        await connection.execute(sql["note_analysed"], changed_at)


async def _trace(
    connection: Connection,
    enterprise_id: str,
    key: int,
    episodes: Sequence[Episode],
    changed_at: datetime,
) -> None:
    rows = await connection.fetch(
        statements("findings")["list_episodes"], None, None, [enterprise_id]
    )
    before = {e.episode_id: _summary(e) for e in map(_episode, rows)}
    after = {e.episode_id: _summary(e) for e in episodes}
    changes = []
    for episode_id in sorted(before.keys() | after.keys()):
        old, new = before.get(episode_id), after.get(episode_id)
        if old != new:
            word = "appeared" if old is None else "vanished" if new is None else "changed"
            changes.append((changed_at, key, episode_id, word, old, new))
    await connection.executemany(statements("findings")["insert_change"], changes)


def _summary(episode: Episode) -> dict[str, Any]:
    return {
        "kind": episode.kind,
        "from": episode.from_.isoformat(),
        "to": episode.to.isoformat(),
        "suppressed_by": episode.suppressed_by,
        "rule_version": episode.rule_version,
    }


def _episode_row(key: int, e: Episode) -> tuple[Any, ...]:
    return (
        e.episode_id, key, e.kind, e.from_, e.to, e.detected_at, list(e.circuits), e.pairing_id,
        e.confidence, dict(e.evidence), e.rule_version, e.suppressed_by,
    )  # fmt: skip


def _lead_row(key: int, lead: Lead) -> tuple[Any, ...]:
    return (
        lead.lead_id, key, lead.matter.value, lead.score, lead.confidence, lead.level.value,
        list(lead.kinds), lead.from_, lead.to, list(lead.episodes), dict(lead.reason),
        [dict(doubt) for doubt in lead.doubts], lead.testable, lead.status,
    )  # fmt: skip


def _episode(row: asyncpg.Record) -> Episode:
    return Episode(
        enterprise_id=row["enterprise_id"],
        kind=row["kind"],
        from_=row["from_at"],
        to=row["to_at"],
        detected_at=row["detected_at"],
        circuits=tuple(row["circuits"]),
        pairing_id=row["pairing_id"],
        confidence=row["confidence"],
        evidence=row["evidence"],
        rule_version=row["rule_version"],
        suppressed_by=row["suppressed_by"],
    )


def _lead(row: asyncpg.Record) -> Lead:
    return Lead(
        enterprise_id=row["enterprise_id"],
        matter=Matter(row["matter"]),
        score=row["score"],
        confidence=row["confidence"],
        level=LeadLevel(row["level"]),
        kinds=tuple(row["kinds"]),
        from_=row["from_at"],
        to=row["to_at"],
        episodes=tuple(row["episodes"]),
        reason=row["reason"],
        doubts=tuple(row["doubts"]),
        testable=row["testable"],
        status=row["status"],
    )


def _bounds(from_us_: int | None, to_us_: int | None) -> tuple[datetime | None, datetime | None]:
    return (
        None if from_us_ is None else from_us(from_us_),
        None if to_us_ is None else from_us(to_us_),
    )


async def list_episodes(
    db: Database,
    from_us_: int | None = None,
    to_us_: int | None = None,
    enterprise_ids: Sequence[str] | None = None,
) -> list[Episode]:
    """Episodes that overlap [from, to), by enterprise, time, kind and subject."""
    chosen = None if enterprise_ids is None else list(enterprise_ids)
    async with db.connection() as connection:
        rows = await connection.fetch(
            statements("findings")["list_episodes"], *_bounds(from_us_, to_us_), chosen
        )
    return [_episode(row) for row in rows]


async def list_leads(
    db: Database,
    from_us_: int | None = None,
    to_us_: int | None = None,
    enterprise_ids: Sequence[str] | None = None,
) -> list[Lead]:
    """Leads that overlap [from, to), ranked among all leads; the highest score first."""
    async with db.connection() as connection:
        rows = await connection.fetch(statements("findings")["list_leads"])
    ranked = [replace(_lead(row), rank=n) for n, row in enumerate(rows, 1)]
    start, end = _bounds(from_us_, to_us_)
    return [
        lead
        for lead in ranked
        if (start is None or lead.to > start)
        and (end is None or lead.from_ < end)
        and (enterprise_ids is None or lead.enterprise_id in enterprise_ids)
    ]


async def get_lead(db: Database, lead_id: str) -> Lead | None:
    """One lead with its rank, or None."""
    return next((lead for lead in await list_leads(db) if lead.lead_id == lead_id), None)


async def list_testability(
    db: Database, enterprise_ids: Sequence[str] | None = None
) -> list[Testability]:
    """What can be judged, by enterprise, kind and pairing."""
    chosen = None if enterprise_ids is None else list(enterprise_ids)
    async with db.connection() as connection:
        rows = await connection.fetch(statements("findings")["list_testability"], chosen)
    return [Testability(**dict(row)) for row in rows]


async def finding_changes(db: Database, enterprise_id: str) -> list[FindingChange]:
    """The trace of an enterprise, newest first."""
    async with db.connection() as connection:
        rows = await connection.fetch(statements("findings")["list_changes"], enterprise_id)
    return [FindingChange(**dict(row)) for row in rows]


async def analysis_progress(db: Database) -> AnalysisProgress:
    """How many enterprise-days wait, and when the last one was finished."""
    async with db.connection() as connection:
        row = await connection.fetchrow(statements("findings")["progress"])
    assert row is not None  # noqa: S101 - a SELECT of two sub-queries gives one row
    last = row["last_analysed_at"]
    return AnalysisProgress(
        dirty_days=row["dirty_days"], last_analysed_us=None if last is None else to_us(last)
    )
