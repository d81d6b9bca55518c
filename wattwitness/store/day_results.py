"""What the analysis of one enterprise and local day yields: states, quality, thresholds, spells."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.facts import DayFact, FactBook
from wattwitness.domain.instants import from_us, to_us
from wattwitness.domain.quality import DayQuality
from wattwitness.domain.spells import ConditionSpell, SpellBook
from wattwitness.domain.states import State, StateSpell, Thresholds
from wattwitness.store.copy_format import PG_EPOCH_US, encode
from wattwitness.store.database import Database
from wattwitness.store.day_packs import (
    fact_book,
    pack_values,
    packed_facts,
    packed_spells,
    spell_book,
)
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements

_LEVELS = (
    "standby_kw",
    "standby_release_kw",
    "running_kw",
    "running_release_kw",
    "running_level_kw",
)
_WRITE_LOCK = 0x5758
_PG_EPOCH = date(2000, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayResults:
    """All records of one enterprise and local day; replaces what was there."""

    states: Sequence[StateSpell] = ()
    quality: Sequence[DayQuality] = ()
    thresholds: Mapping[str, Thresholds] = field(default_factory=dict)  # circuit_id → levels
    spells: Sequence[ConditionSpell] = ()
    facts: Sequence[DayFact] = ()
    end: Sequence[DayFact] = ()  # what the day after has to know; kept for a few days only
    # circuit_id → minutes per power bin [bins]; of circuits that are not named they stay
    histograms: Mapping[str, NDArray[np.integer]] = field(default_factory=dict)


async def replace_day_results(
    db: Database, enterprise_id: str, results: Mapping[date, DayResults], ends_days: int = 0
) -> None:
    """Replace the results of several days of one enterprise in one transaction.

    Results of days whose readings were dropped stay as they are.

    Args:
        db: the database.
        enterprise_id: whose days they are.
        results: by local day.
        ends_days: before the newest of them; the ends of older days go.
    """
    sql = statements("day_results")
    async with db.transaction() as connection:
        row = await connection.fetchrow(sql["take"], enterprise_id, _WRITE_LOCK, db.zone.key)
        assert row is not None  # noqa: S101 - enterprises are never deleted
        enterprise = row["enterprise_key"]
        keys = dict(zip(row["circuits"], row["keys"], strict=True))
        days = sorted(day for day in results if day >= row["first"])
        chosen = {day: results[day] for day in days}
        await connection.execute(sql["clear"], list(keys.values()), enterprise, days, ends_days)
        await _insert_states(connection, keys, chosen)
        await connection.execute(sql["insert"], *_columns(enterprise, keys, chosen))


async def _insert_states(
    connection: Connection, keys: Mapping[str, int], results: Mapping[date, DayResults]
) -> None:
    """State spells are the many rows of a day: by COPY, encoded in one piece."""
    rows = [
        (keys[s.circuit_id], (day - _PG_EPOCH).days, to_us(s.from_), to_us(s.to), s.state)
        for day, found in results.items()
        for s in found.states
    ]
    if not rows:
        return
    values = np.array(rows, dtype=np.int64).T
    layout = (("circuit_key", ">i4"), ("day", ">i4"), ("from_at", ">i8"), ("to_at", ">i8"))
    columns = [(name, kind, own) for (name, kind), own in zip(layout, values[:4], strict=True)]
    columns[2:] = [(name, kind, own - PG_EPOCH_US) for name, kind, own in columns[2:]]
    payload = encode([*columns, ("state", ">i2", values[4])], {})
    buffer: Any = memoryview(payload)  # taken as one, though the stubs do not say so
    await connection.copy_to_table(
        "state_spells",
        source=buffer,
        columns=["circuit_key", "day", "from_at", "to_at", "state"],
        format="binary",
    )


def _columns(
    enterprise: int, keys: Mapping[str, int], results: Mapping[date, DayResults]
) -> list[Any]:
    """Parameters of `insert`: columns of each table, one after the other."""
    quality = [
        (keys[q.circuit_id], day, q.expected, q.received, q.valid, q.in_time)
        for day, found in results.items()
        for q in found.quality
    ]
    thresholds = [
        (keys[circuit], day, *(_or_null(getattr(t, name)) for name in _LEVELS), t.basis)
        for day, found in results.items()
        for circuit, t in found.thresholds.items()
    ]
    facts = {day: packed_facts(found.facts) for day, found in results.items() if found.facts}
    spells = {day: packed_spells(found.spells) for day, found in results.items() if found.spells}
    ends = {day: packed_facts(found.end) for day, found in results.items() if found.end}
    parameters: list[Any] = [enterprise, *_turned(quality, 6), *_turned(thresholds, 8)]
    for packs in (facts, spells, ends):
        rows = [(day, pack.head, pack.numbers) for day, pack in packs.items()]
        parameters += _turned(rows, 3)
    counts = [
        (keys[circuit], day, _sparse(minutes))
        for day, found in results.items()
        for circuit, minutes in found.histograms.items()
    ]
    return parameters + _turned(counts, 3)


def _turned(rows: Sequence[Sequence[Any]], width: int) -> list[Sequence[Any]]:
    """Rows as columns; as many as there are, also of no rows."""
    return list(map(list, zip(*rows, strict=True))) if rows else [[] for _ in range(width)]


def _or_null(value: float) -> float | None:
    return None if math.isnan(value) else value


def _sparse(minutes: NDArray[np.integer]) -> bytes:
    """Bins that are not empty, and their minutes."""
    bins = np.flatnonzero(minutes)
    return np.stack((bins, minutes[bins]), axis=1).astype(">u2").tobytes()


async def load_histograms(
    db: Database, circuit_ids: Sequence[str], first: date, last: date, bins: int = 256
) -> dict[str, list[tuple[date, NDArray[np.int32]]]]:
    """circuit_id → (day, minutes per bin [bins]) of the days in [first, last], oldest first."""
    query = statements("day_results")["load_histograms"]
    async with db.connection() as connection:
        rows = await connection.fetch(query, list(circuit_ids), first, last)
    packed = [row["bins"] for row in rows]
    pairs = np.frombuffer(b"".join(packed), dtype=">u2").reshape(-1, 2)
    number = np.repeat(np.arange(len(rows)), [len(own) // 4 for own in packed])
    dense = np.zeros((len(rows), bins), dtype=np.int32)
    dense[number, pairs[:, 0]] = pairs[:, 1]
    found: dict[str, list[tuple[date, NDArray[np.int32]]]] = {c: [] for c in circuit_ids}
    for (circuit_id, day, _), counts in zip(rows, dense, strict=True):
        found[circuit_id].append((day, counts))
    return found


def _levels(row: Any) -> Thresholds:
    return Thresholds(
        basis=row["basis"], **{n: math.nan if row[n] is None else row[n] for n in _LEVELS}
    )


async def load_thresholds(
    db: Database, circuit_ids: Sequence[str], first: date, last: date
) -> dict[tuple[str, date], Thresholds]:
    """(circuit_id, day) → the levels that the day was judged with."""
    query = statements("day_results")["load_thresholds"]
    async with db.connection() as connection:
        rows = await connection.fetch(query, list(circuit_ids), first, last)
    return {(row["circuit_id"], row["day"]): _levels(row) for row in rows}


async def newest_thresholds(
    db: Database, circuit_ids: Sequence[str], first: date, last: date
) -> dict[str, Thresholds]:
    """circuit_id → the levels of its newest judged day in [first, last]."""
    query = statements("day_results")["newest_thresholds"]
    async with db.connection() as connection:
        rows = await connection.fetch(query, list(circuit_ids), first, last)
    return {row["circuit_id"]: _levels(row) for row in rows}


async def load_spells(db: Database, enterprise_id: str, first: date | None = None) -> SpellBook:
    """All condition spells of an enterprise, or those since a day."""
    query = statements("day_results")["load_spells"]
    async with db.connection() as connection:
        rows = await connection.fetch(query, enterprise_id, first)
    return spell_book(enterprise_id, [(row["head"], row["numbers"]) for row in rows])


async def load_facts(db: Database, enterprise_id: str, first: date | None = None) -> FactBook:
    """All day facts of an enterprise, or those since a day."""
    query = statements("day_results")["load_facts"]
    async with db.connection() as connection:
        rows = await connection.fetch(query, enterprise_id, first)
    return fact_book([(row["day"], row["head"], row["numbers"]) for row in rows])


async def load_ends(
    db: Database, enterprise_id: str, days: Sequence[date]
) -> dict[date, dict[str, NDArray[np.float32]]]:
    """Day → subject → values of its end, of days that are kept and not marked as changed."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            statements("day_results")["load_ends"], enterprise_id, list(days)
        )
    return {row["day"]: pack_values(row["head"], row["numbers"]) for row in rows}


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
