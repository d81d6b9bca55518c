"""The judge: what the database holds against what was measured and what was promised of it."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.chaos.book import Book, Message, Row
from benchmarks.chaos.database import PostgresUnderFire
from wattwitness.domain.registry import Circuit
from wattwitness.store.database import Database
from wattwitness.store.readings import read_block
from wattwitness.store.registry import load_registry

_FAR_US: Final = 4_102_444_800_000_000  # 2100
_ASIDE = """
SELECT (SELECT count(*) FROM revisions) AS revisions, (SELECT count(*) FROM rejects) AS rejects,
       (SELECT count(*) FROM parked) AS parked
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Readings; each measured one is told from all others by its value."""

    published: int
    confirmed: int  # told to the gateway as committed
    kept: int  # still in an outbox: the promise does not cover them yet
    stored: int
    lost: int  # neither stored nor in an outbox
    confirmed_but_absent: int
    duplicated: int  # stored more than once, under whatever instant
    wrong: int  # stored, but never measured like that; or proven, but never sent
    revisions: int  # good readings that were noted as something else
    rejected: int
    parked: int

    @property
    def damage(self) -> int:
        """What must be 0."""
        return (
            self.lost
            + self.confirmed_but_absent
            + self.duplicated
            + self.wrong
            + self.revisions
            + self.rejected
            + self.parked
        )

    @property
    def is_clean(self) -> bool:
        """Nothing lost, doubled, made up or put aside, no false proof; and all of it told."""
        return self.damage == 0 and self.kept == 0


@dataclass(frozen=True, slots=True)
class Aside:
    """What is not among the readings."""

    revisions: int = 0
    rejected: int = 0
    parked: int = 0


@dataclass(slots=True)
class Case:
    """All that the judge looks at."""

    books: Sequence[Book]
    kept: dict[str, set[int]] = field(default_factory=dict)  # gateway → n in its outbox
    trust: bool = False  # due is what the broker acknowledged; there are no outboxes
    absent_before: dict[str, set[int]] = field(default_factory=dict)  # by audits: gateway → n
    proofs_of_nothing: int = 0

    def is_due(self, book: Book, n: int) -> bool:
        """Whether message n has to be in the database."""
        if self.trust:
            return n in book.taken
        return n not in self.kept.get(book.gateway_id, ())


def compare(case: Case, rows: Iterable[Row], aside: Aside) -> tuple[Verdict, list[Message]]:
    """Compare every single reading; also returns the messages with damage."""
    stored = Counter((circuit, ts_ms, round(p_kw, 3)) for circuit, ts_ms, p_kw in rows)
    values: Counter[tuple[str, float]] = Counter()
    for (circuit, _, p_kw), n in stored.items():
        values[circuit, p_kw] += n
    measured: set[Row] = set()
    counts: Counter[str] = Counter()
    hurt: list[Message] = []
    for book in case.books:
        audited = case.absent_before.get(book.gateway_id, set())
        for message in book.messages:
            own = message.rows()
            measured.update(own)
            absent = sum(row not in stored for row in own)
            told = message.n in book.told
            due = case.is_due(book, message.n)
            counts["published"] += len(own)
            counts["confirmed"] += told * len(own)
            counts["kept"] += (not case.trust and not due) * len(own)
            counts["lost"] += due * absent
            counts["absent"] += told * (len(own) if message.n in audited else absent)
            doubled = sum(max(0, values[circuit, p_kw] - 1) for circuit, _, p_kw in own)
            if (absent and (due or told)) or doubled or message.n in audited:
                hurt.append(message)
    verdict = Verdict(
        published=counts["published"],
        confirmed=counts["confirmed"],
        kept=counts["kept"],
        stored=stored.total(),
        lost=counts["lost"],
        confirmed_but_absent=counts["absent"],
        duplicated=sum(n - 1 for n in values.values()),
        wrong=sum(n for row, n in stored.items() if row not in measured) + case.proofs_of_nothing,
        revisions=aside.revisions,
        rejected=aside.rejected,
        parked=aside.parked,
    )
    return verdict, hurt


async def judge(database: PostgresUnderFire, case: Case) -> tuple[Verdict, list[Message]]:
    """Compare what the database holds."""
    rows = await _stored(database, lambda _: True)
    (aside,) = await database.ask(_ASIDE)
    return compare(case, rows, Aside(aside["revisions"], aside["rejects"], aside["parked"]))


async def absent_of(database: PostgresUnderFire, book: Book) -> set[int]:
    """Messages of one gateway that it was told are stored, and are not (now).

    Raises:
        StoreUnavailableError: the database cannot be asked.
    """
    told = set(book.told)  # before we look, or it would be unfair
    stored = set(await _stored(database, lambda circuit: circuit.gateway_id == book.gateway_id))
    return {n for n in told if not stored.issuperset(book.messages[n].rows())}


async def _stored(database: PostgresUnderFire, wanted: Callable[[Circuit], bool]) -> list[Row]:
    """What the product reads back, past every proxy."""
    async with await Database.open(database.dsn, application="chaos") as db:
        registry = await load_registry(db)
        names = {
            registry.circuit_keys[circuit.circuit_id]: circuit.circuit_id
            for circuit in registry.circuits.values()
            if wanted(circuit)
        }
        found = await read_block(db, list(names), 0, _FAR_US, ["p_kw"])
    return [
        (names[key], ts_us // 1000, round(p_kw, 3))
        for key, ts_us, p_kw in zip(
            found["circuit"].tolist(), found["ts"].tolist(), found["p_kw"].tolist(), strict=True
        )
    ]


async def count_stored(database: PostgresUnderFire) -> int:
    """Readings in the database."""
    (found,) = await database.ask("SELECT count(*) AS n FROM readings")
    return int(found["n"])
