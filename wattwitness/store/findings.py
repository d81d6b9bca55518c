"""Episodes, leads and testability of an enterprise, and the trace of how they changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from wattwitness.domain.early_warnings import EarlyWarning
from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import from_us, to_us
from wattwitness.domain.leads import Lead
from wattwitness.domain.testability import Testability
from wattwitness.domain.verdicts import Verdict
from wattwitness.store.database import Database
from wattwitness.store.day_results import (
    DayResults,
    list_quality,
    list_states,
    load_ends,
    load_facts,
    load_histograms,
    load_spells,
    load_thresholds,
    newest_thresholds,
    replace_day_results,
)
from wattwitness.store.early_warnings import replace_warnings
from wattwitness.store.finding_rows import episode_row, stored_episode
from wattwitness.store.leads import difference, get_lead, list_leads, replace_leads
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements
from wattwitness.store.verdicts import Rejudged, replace_verdicts

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
    "load_ends",
    "load_facts",
    "load_histograms",
    "load_spells",
    "load_thresholds",
    "newest_thresholds",
    "replace_day_results",
    "replace_findings",
]

STILL_GOING_ON = timedelta(hours=1)
"""An episode that ends no earlier than this before the newest data may just not be over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingChange:
    """An episode appeared, changed or vanished when the enterprise was analysed again."""

    changed_at: datetime  # wall clock
    data_until: datetime | None  # how far the data reached then
    episode_id: str
    change: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisProgress:
    """How far the analytics are behind the data."""

    dirty_days: int
    last_analysed_us: int | None  # wall clock


async def replace_findings(
    db: Database,
    enterprise_id: str,
    episodes: Sequence[Episode],
    leads: Sequence[Lead],
    testability: Sequence[Testability],
    analysed_at_us: int,
    data_until_us: int | None = None,
    warnings: Sequence[EarlyWarning] = (),
    verdicts: Sequence[Verdict] = (),
    rejudged: Rejudged | None = None,
    revision: int | None = None,
) -> None:
    """Replace what is known of an enterprise in one transaction, where it differs, with its trace.

    Verdicts stand as they are if the registry is another one by now: they may already be under it,
    and the enterprise is concluded again.

    Args:
        db: the database.
        enterprise_id: of the registry.
        episodes: all of the enterprise.
        leads: likewise.
        testability: likewise.
        analysed_at_us: wall clock, for "when was this last looked at" [µs].
        data_until_us: how far the data reached [µs]; None = not known.
        warnings: likewise; no episodes yet.
        verdicts: likewise, one per alert.
        rejudged: what today's data say of instants judged before; tells late data from time.
        revision: of the registry that this was found with; None = the newest.
    """
    sql = statements("findings")
    analysed_at = from_us(analysed_at_us)
    until = None if data_until_us is None else from_us(data_until_us)
    async with db.transaction() as connection:
        row = await connection.fetchrow(sql["lock_enterprise"], enterprise_id)
        assert row is not None  # noqa: S101 - enterprises are never deleted
        key = row["enterprise_key"]
        before = await _stored_episodes(connection, enterprise_id, key)
        changes = _changes(before, episodes, row["data_until"])
        if changes:
            await connection.executemany(
                sql["insert_change"], [(analysed_at, until, key, *change) for change in changes]
            )
        await _replace_episodes(connection, key, before, episodes)
        await replace_leads(connection, enterprise_id, key, leads)
        await _replace_testability(connection, enterprise_id, key, testability)
        await replace_warnings(connection, enterprise_id, key, warnings)
        # asked with the enterprise locked: whoever judges it by a newer one comes after this
        if revision is None or revision == await connection.fetchval(sql["revision"]):
            await replace_verdicts(connection, key, verdicts, analysed_at, rejudged)
        await connection.execute(sql["note_analysed"], key, analysed_at, until)


async def _stored_episodes(
    connection: Connection, enterprise_id: str, key: int
) -> dict[str, Episode]:
    rows = await connection.fetch(statements("findings")["own_episodes"], key, enterprise_id)
    return {e.episode_id: e for e in map(stored_episode, rows)}


async def _replace_episodes(
    connection: Connection, key: int, before: Mapping[str, Episode], episodes: Sequence[Episode]
) -> None:
    sql = statements("findings")
    gone, new = difference(before, {e.episode_id: e for e in episodes})
    if gone:
        await connection.execute(sql["delete_episodes"], key, gone)
    if new:
        await connection.executemany(sql["insert_episode"], [episode_row(key, e) for e in new])


async def _replace_testability(
    connection: Connection, enterprise_id: str, key: int, testability: Sequence[Testability]
) -> None:
    sql = statements("findings")
    rows = await connection.fetch(sql["own_testability"], key, enterprise_id)
    stored = [Testability(**dict(row)) for row in rows]
    before, after = (
        {(t.kind, t.pairing_id or ""): t for t in them} for them in (stored, testability)
    )
    gone, new = difference(before, after)
    if gone:
        kinds, pairings = [kind for kind, _ in gone], [pairing for _, pairing in gone]
        await connection.execute(sql["delete_testability"], key, kinds, pairings)
    if new:
        await connection.executemany(
            sql["insert_testability"],
            [(key, t.kind, t.pairing_id or "", t.testable, t.why) for t in new],
        )


def _changes(
    before: Mapping[str, Episode], episodes: Sequence[Episode], seen_until: datetime | None
) -> list[tuple[str, str, dict[str, Any] | None, dict[str, Any] | None]]:
    """(episode id, word, before, after) of what is worth a line in the trace."""
    after = {e.episode_id: e for e in episodes}
    found = []
    for episode_id in sorted(before.keys() | after.keys()):
        old, new = before.get(episode_id), after.get(episode_id)
        if old is not None and new is not None and _went_on(old, new, seen_until):
            continue
        was = None if old is None else _summary(old)
        is_ = None if new is None else _summary(new)
        if was != is_:
            word = "appeared" if was is None else "vanished" if is_ is None else "changed"
            found.append((episode_id, word, was, is_))
    return found


def _went_on(old: Episode, new: Episode, seen_until: datetime | None) -> bool:
    """Whether an episode that had not ended when last seen only became longer."""
    if seen_until is None or old.to < seen_until - STILL_GOING_ON:
        return False
    return new.to > old.to and _summary(replace(old, to=new.to)) == _summary(new)


def _summary(episode: Episode) -> dict[str, Any]:
    return {
        "kind": episode.kind,
        "from": episode.from_.isoformat(),
        "to": episode.to.isoformat(),
        "suppressed_by": episode.suppressed_by,
        "rule_version": episode.rule_version,
    }


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
    return [stored_episode(row) for row in rows]


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
    """How many enterprise-days wait, and when (wall clock) one was last finished."""
    async with db.connection() as connection:
        row = await connection.fetchrow(statements("findings")["progress"])
    assert row is not None  # noqa: S101 - a SELECT of two sub-queries gives one row
    last = row["last_analysed_at"]
    return AnalysisProgress(
        dirty_days=row["dirty_days"], last_analysed_us=None if last is None else to_us(last)
    )
