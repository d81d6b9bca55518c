"""What the analysis of one enterprise and local day yields: states, quality, thresholds, spells."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.facts import DayFact
from wattwitness.domain.instants import from_us
from wattwitness.domain.quality import DayQuality
from wattwitness.domain.spells import ConditionSpell
from wattwitness.domain.states import State, StateSpell, Thresholds
from wattwitness.store.database import Database
from wattwitness.store.mode import Connection
from wattwitness.store.retention import first_analysable
from wattwitness.store.statements import statements

_LEVELS = (
    "standby_kw",
    "standby_release_kw",
    "running_kw",
    "running_release_kw",
    "running_level_kw",
)
_WRITE_LOCK = 0x5758


@dataclass(frozen=True, slots=True, kw_only=True)
class DayResults:
    """All records of one enterprise and local day; replaces what was there."""

    states: Sequence[StateSpell] = ()
    quality: Sequence[DayQuality] = ()
    thresholds: Mapping[str, Thresholds] = field(default_factory=dict)  # circuit_id → levels
    spells: Sequence[ConditionSpell] = ()
    facts: Sequence[DayFact] = ()


async def replace_day_results(
    db: Database, enterprise_id: str, results: Mapping[date, DayResults]
) -> None:
    """Replace the results of several days of one enterprise in one transaction.

    Results of days whose readings were dropped stay as they are.
    """
    sql = statements("day_results")
    async with db.transaction() as connection:
        first = await first_analysable(connection, db.zone)
        days = sorted(day for day in results if first is None or day >= first)
        enterprise, keys = await _keys_of(connection, enterprise_id)
        # analyses take turns (`days.analysing`); whoever writes without it must not interleave
        await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", _WRITE_LOCK, enterprise)
        for noun in ("states", "quality", "thresholds"):
            await connection.execute(sql[f"clear_{noun}"], list(keys.values()), days)
        for noun in ("spells", "facts"):
            await connection.execute(sql[f"clear_{noun}"], enterprise, days)
        for day in days:
            await _insert_day(connection, enterprise, keys, day, results[day])


async def _keys_of(connection: Connection, enterprise_id: str) -> tuple[int, dict[str, int]]:
    enterprise = await connection.fetchval(
        "SELECT enterprise_key FROM enterprises WHERE enterprise_id = $1", enterprise_id
    )
    rows = await connection.fetch(statements("day_results")["circuit_keys"], enterprise)
    return enterprise, {row["circuit_id"]: row["circuit_key"] for row in rows}


async def _insert_day(
    connection: Connection,
    enterprise: int,
    keys: Mapping[str, int],
    day: date,
    results: DayResults,
) -> None:
    await connection.copy_records_to_table(
        "state_spells",
        records=[(keys[s.circuit_id], day, s.from_, s.to, int(s.state)) for s in results.states],
        columns=["circuit_key", "day", "from_at", "to_at", "state"],
    )
    await connection.copy_records_to_table(
        "day_quality",
        records=[
            (keys[q.circuit_id], day, q.expected, q.received, q.valid, q.in_time)
            for q in results.quality
        ],
        columns=["circuit_key", "day", "expected", "received", "valid", "in_time"],
    )
    await connection.copy_records_to_table(
        "day_thresholds",
        records=[
            (keys[circuit], day, *(_or_null(getattr(t, name)) for name in _LEVELS), t.basis)
            for circuit, t in results.thresholds.items()
        ],
        columns=["circuit_key", "day", *_LEVELS, "basis"],
    )
    if results.spells:
        await connection.executemany(
            statements("day_results")["insert_spell"],
            [
                (enterprise, day, s.kind, s.subject, s.from_, s.to, dict(s.sums))
                for s in results.spells
            ],
        )

    await connection.copy_records_to_table(
        "day_facts",
        records=[
            (enterprise, day, f.kind, f.subject, f.values.astype("<f4").tobytes())
            for f in results.facts
        ],
        columns=["enterprise_key", "day", "kind", "subject", "vals"],
    )


def _or_null(value: float) -> float | None:
    return None if math.isnan(value) else value


async def save_histograms(db: Database, day: date, counts: Mapping[str, NDArray[np.int64]]) -> None:
    """Keep the power histograms (circuit_id → counts [bins]) of one local day."""
    async with db.connection() as connection:
        first = await first_analysable(connection, db.zone)
        if first is not None and day < first:
            return  # its readings were dropped: what was counted then stands
        await connection.executemany(
            statements("day_results")["save_histogram"],
            [(circuit, day, values.tolist()) for circuit, values in sorted(counts.items())],
        )


async def load_histograms(
    db: Database, circuit_ids: Sequence[str], first: date, last: date
) -> dict[str, list[tuple[date, NDArray[np.int64]]]]:
    """circuit_id → (day, counts [bins]) of the days in [first, last], oldest first."""
    query = statements("day_results")["load_histograms"]
    async with db.connection() as connection:
        rows = await connection.fetch(query, list(circuit_ids), first, last)
    found: dict[str, list[tuple[date, NDArray[np.int64]]]] = {c: [] for c in circuit_ids}
    for row in rows:
        counts = np.array(row["counts"], dtype=np.int64)
        found[row["circuit_id"]].append((row["day"], counts))
    return found


async def load_thresholds(
    db: Database, circuit_ids: Sequence[str], first: date, last: date
) -> dict[tuple[str, date], Thresholds]:
    """(circuit_id, day) → the levels that the day was judged with."""
    query = statements("day_results")["load_thresholds"]
    async with db.connection() as connection:
        rows = await connection.fetch(query, list(circuit_ids), first, last)
    return {
        (row["circuit_id"], row["day"]): Thresholds(
            basis=row["basis"],
            **{n: math.nan if row[n] is None else row[n] for n in _LEVELS},
        )
        for row in rows
    }


async def load_spells(db: Database, enterprise_id: str) -> list[ConditionSpell]:
    """All condition spells of an enterprise, by kind, subject and time."""
    async with db.connection() as connection:
        rows = await connection.fetch(statements("day_results")["load_spells"], enterprise_id)
    return [
        ConditionSpell(
            enterprise_id=enterprise_id,
            kind=row["kind"],
            subject=row["subject"],
            from_=row["from_at"],
            to=row["to_at"],
            sums=row["sums"],
        )
        for row in rows
    ]


async def load_facts(db: Database, enterprise_id: str) -> list[DayFact]:
    """All day facts of an enterprise, by kind, subject and day."""
    async with db.connection() as connection:
        rows = await connection.fetch(statements("day_results")["load_facts"], enterprise_id)
    return [
        DayFact(
            enterprise_id=enterprise_id,
            day=row["day"],
            kind=row["kind"],
            subject=row["subject"],
            values=np.frombuffer(row["vals"], dtype="<f4"),
        )
        for row in rows
    ]


async def list_states(
    db: Database, circuit_ids: Sequence[str] | None, from_us_: int, to_us_: int
) -> list[StateSpell]:
    """State spells that overlap [from, to); equal neighbours are one spell across midnights."""
    chosen = None if circuit_ids is None else list(circuit_ids)
    query = statements("day_results")["list_states"]
    async with db.connection() as connection:
        rows = await connection.fetch(query, chosen, from_us(from_us_), from_us(to_us_))
    merged: list[tuple[str, datetime, datetime, int]] = []
    for row in rows:
        circuit, start, end, state = row["circuit_id"], row["from_at"], row["to_at"], row["state"]
        if merged and merged[-1][0] == circuit and merged[-1][2:] == (start, state):
            merged[-1] = (circuit, merged[-1][1], end, state)
        else:
            merged.append((circuit, start, end, state))
    return [
        StateSpell(circuit_id=circuit, from_=start, to=end, state=State(state))
        for circuit, start, end, state in merged
    ]


async def list_quality(
    db: Database, circuit_ids: Sequence[str] | None, first: date | None, last: date | None
) -> list[DayQuality]:
    """Quality per circuit and local day, by circuit and day."""
    chosen = None if circuit_ids is None else list(circuit_ids)
    async with db.connection() as connection:
        rows = await connection.fetch(
            statements("day_results")["list_quality"], chosen, first, last
        )
    return [DayQuality(**dict(row)) for row in rows]
