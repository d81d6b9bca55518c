"""Plans of enterprises: measures saved and removed, signed; and what their meters can carry."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from wattwitness.domain.alerts import Signature, refused
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.plan_check import LEAST_DAYS, MeterHistory, PlanFinding, check_plans
from wattwitness.domain.plans import (
    PlanAct,
    PlanEntry,
    complaint_of_measure,
    complaint_of_scope,
)
from wattwitness.domain.registry import Measure, Registry
from wattwitness.store.database import Database
from wattwitness.store.registry import concluded_again, load_registry
from wattwitness.store.registry_rows import measure_document
from wattwitness.store.statements import statements

LOOK_BACK_DAYS: Final = 60
"""How far back days with readings count as history [d]."""


async def save_measure(db: Database, measure: Measure, sign: Signature) -> None:
    """Add a measure, or change the numbers of the one with its level, action and scope.

    Raises:
        InputRefusedError: it cannot be, or it stands so already.
    """
    await _check(db, measure)
    sql = statements("registry")["save_measures"]
    document = measure_document(measure)
    async with db.transaction() as connection:
        saved = await connection.fetch(
            sql, [document], PlanAct.SAVED.value, sign.actor, sign.reason, sign.at
        )
        if not saved:
            raise InputRefusedError("the plan has this measure already", "nothing was changed")
        await concluded_again(connection, [row["enterprise_key"] for row in saved])


async def _check(db: Database, measure: Measure) -> None:
    registry = await load_registry(db)
    if measure.enterprise_id not in registry.enterprises:
        raise InputRefusedError(f"there is no enterprise {measure.enterprise_id!r}")
    own = registry.circuits_of(measure.enterprise_id)
    circuits, lines = {c.circuit_id for c in own}, {c.line for c in own if c.line}
    complaint = complaint_of_measure(measure) or complaint_of_scope(measure, circuits, lines)
    if complaint is not None:
        raise refused(complaint)


async def remove_measure(db: Database, measure: Measure, sign: Signature) -> None:
    """Take a measure (by level, action and scope) out of a plan; the log keeps what it was.

    Raises:
        InputRefusedError: the plan has no such measure.
    """
    async with db.transaction() as connection:
        removed = await connection.fetch(
            statements("plans")["remove_measure"],
            measure.enterprise_id, measure.level.value, measure.action.value, list(measure.scope),
            sign.actor, sign.reason, sign.at,
        )  # fmt: skip
        if not removed:
            raise InputRefusedError("the plan has no such measure", "see its list")
        await concluded_again(connection, [row["enterprise_key"] for row in removed])


async def list_plan_log(
    db: Database, enterprise_id: str | None = None, most: int = 200
) -> list[PlanEntry]:
    """What was done to one plan or to all, the newest first."""
    async with db.connection() as connection:
        rows = await connection.fetch(statements("plans")["list_log"], enterprise_id, most)
    return [
        PlanEntry(
            entry_id=row["entry_id"],
            enterprise_id=row["enterprise_id"],
            act=PlanAct(row["act"]),
            signature=Signature(actor=row["actor"], reason=row["reason"], at=row["at"]),
            before=row["before"],
            after=row["after"],
        )
        for row in rows
    ]


async def meter_histories(
    db: Database, first: date, enterprise_ids: Sequence[str] | None = None
) -> Mapping[str, MeterHistory]:
    """Circuit id → what is known of its past; days are counted from `first` on, to LEAST_DAYS."""
    chosen = None if enterprise_ids is None else list(enterprise_ids)
    async with db.connection() as connection:
        rows = await connection.fetch(statements("plans")["meter_days"], first, chosen, LEAST_DAYS)
    return {
        row["circuit_id"]: MeterHistory(
            days=row["days"],
            running_kw=row["running_level_kw"],
            unresolvable=row["basis"] == "unresolvable",
        )
        for row in rows
    }


async def without_registers(db: Database) -> frozenset[str]:
    """Enterprises of which no energy register is read."""
    async with db.connection() as connection:
        rows = await connection.fetch(statements("plans")["registers"])
    return frozenset(row["enterprise_id"] for row in rows)


async def check_stored_plans(
    db: Database, registry: Registry, today: date, enterprise_ids: Sequence[str] | None = None
) -> list[PlanFinding]:
    """The plan check with what is known of the meters up to a local day; of these or of all."""
    first = today - timedelta(days=LOOK_BACK_DAYS)
    histories = await meter_histories(db, first, enterprise_ids)
    return check_plans(registry, histories, await without_registers(db), enterprise_ids)
