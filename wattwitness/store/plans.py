"""Plans of enterprises: measures saved and removed, signed; and what their meters can carry."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from wattwitness.domain.alerts import Act, Signature, refused
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.plan_check import LEAST_DAYS, MeterHistory, PlanFinding, check_plans
from wattwitness.domain.plans import complaint_of_measure, unknown_part
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
            sql, [document], Act.SAVED.value, sign.actor, sign.reason, sign.at
        )
        if not saved:
            raise InputRefusedError("the plan has this measure already", "nothing was changed")
        await concluded_again(connection, [row["enterprise_key"] for row in saved])


async def _check(db: Database, measure: Measure) -> None:
    registry = await load_registry(db)
    if measure.enterprise_id not in registry.enterprises:
        raise InputRefusedError("there is no enterprise {name!r}", name=measure.enterprise_id)
    own = registry.circuits_of(measure.enterprise_id)
    circuits, lines = {c.circuit_id for c in own}, {c.line for c in own if c.line}
    complaint = complaint_of_measure(measure)
    if complaint is not None:
        raise refused(complaint)
    part = unknown_part(measure, circuits, lines)
    if part is not None:
        raise InputRefusedError(
            "{part!r} is neither a circuit nor a line of {name!r}",
            "write circuit ids, a line, or *",
            part=part,
            name=measure.enterprise_id,
        )


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
