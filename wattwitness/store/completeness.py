"""Completeness (有效传输率) of gateways over several days, summed in the database."""

from dataclasses import dataclass
from datetime import date

from wattwitness.store.database import Database
from wattwitness.store.statements import statements


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """Counts of readings; `timed` = expected ones of circuits whose receipt times are known."""

    expected: int = 0
    valid: int = 0
    in_time: int = 0
    timed: int = 0

    @property
    def effective_rate(self) -> float | None:
        """Valid ÷ expected, resends included; None when nothing was expected."""
        return self.valid / self.expected if self.expected else None

    @property
    def effective_rate_in_time(self) -> float | None:
        """The same without what came late; None when receipt is not known."""
        return self.in_time / self.timed if self.timed else None

    def __add__(self, other: "Completeness") -> "Completeness":
        return Completeness(
            expected=self.expected + other.expected,
            valid=self.valid + other.valid,
            in_time=self.in_time + other.in_time,
            timed=self.timed + other.timed,
        )


async def gateway_completeness(db: Database, first: date, last: date) -> dict[str, Completeness]:
    """Gateway id → completeness over the local days `first` … `last`, both included."""
    async with db.connection() as connection:
        rows = await connection.fetch(statements("completeness")["by_gateway"], first, last)
    return {
        row["gateway_id"]: Completeness(
            expected=row["expected"],
            valid=row["valid"],
            in_time=row["in_time"] or 0,
            timed=row["timed"],
        )
        for row in rows
    }
