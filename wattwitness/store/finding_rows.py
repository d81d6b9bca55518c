"""Findings as rows of their tables, and back."""

from dataclasses import asdict
from typing import Any

import asyncpg

from wattwitness.domain.episodes import Episode
from wattwitness.domain.leads import ChronicPair, Lead, LeadLevel, Matter


def episode_row(key: int, e: Episode) -> tuple[Any, ...]:
    """Parameters of `insert_episode`."""
    return (
        e.episode_id, key, e.kind, e.from_, e.to, e.detected_at, list(e.circuits), e.pairing_id,
        e.confidence, dict(e.evidence), e.rule_version, e.suppressed_by,
    )  # fmt: skip


def lead_row(key: int, lead: Lead) -> tuple[Any, ...]:
    """Parameters of `insert_lead`."""
    return (
        lead.lead_id, key, lead.matter.value, lead.score, lead.confidence, lead.level.value,
        list(lead.kinds), lead.from_, lead.to, list(lead.episodes), dict(lead.reason),
        [dict(doubt) for doubt in lead.doubts], lead.testable, lead.status, lead.newest_from,
        [asdict(pair) for pair in lead.registration_check],
    )  # fmt: skip


def stored_episode(row: asyncpg.Record) -> Episode:
    """A row of `list_episodes`."""
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


def stored_lead(row: asyncpg.Record) -> Lead:
    """A row of `list_leads`; its rank is not known."""
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
        newest_from=row["newest_from"],
        registration_check=tuple(ChronicPair(**pair) for pair in row["registration_check"]),
    )
