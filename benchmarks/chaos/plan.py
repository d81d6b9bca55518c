"""The plan: which faults, in which order, for how long; a pure function of seed and options."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

FOR_EVER: Final = 0.0  # until the two sides find out by themselves
LONG_FROM: Final = 50  # faults; a run of fewer has no time for the long ones
FROZEN_LONG_S: Final = 61.0  # a collector that is frozen for a minute
_TOGETHER: Final = 0.4  # share of faults that come while another one is on


class Kind(StrEnum):
    """What happens."""

    KILL = "kill -9"
    KILL_TWICE = "kill -9 twice"
    FREEZE = "freeze"
    CUT = "cut"
    HALF_OPEN = "half-open"
    SLOW = "slow"
    LOSE_SESSION = "lose session"
    FILL_DISK = "fill disk"
    REPLAY = "replay all"
    RESTART = "restart"
    JUMP = "clock jumps"


COLLECTOR, BROKER, DATABASE, BACKEND = "collector", "broker", "database", "database backend"
GATEWAY = "gateway"
GATEWAY_LINK, BROKER_LINK, DATABASE_LINK = (
    "gateway - broker",
    "collector - broker",
    "collector - database",
)
LINKS: Final = (GATEWAY_LINK, BROKER_LINK, DATABASE_LINK)
BY_FILE, BY_EXPIRY = "its file is gone", "it expires"
DATA, WAL = "data", "write-ahead log"
BACK, AHEAD = "collector back", "collector ahead"


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of fault: how often (a weight), how long, and what it occupies meanwhile."""

    kind: Kind
    place: str
    weight: int
    shortest_s: float
    longest_s: float
    occupies: frozenset[str]

    @property
    def name(self) -> str:
        """For tables."""
        return f"{self.kind}: {self.place}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One planned fault."""

    number: int  # from 1
    sort: Sort
    wait_s: float  # from everything at work to the fault
    lasts_s: float
    dice: float  # 0 … 1, for what the place leaves open
    together: bool  # with the one before

    @property
    def name(self) -> str:
        """For timelines."""
        return f"#{self.number} {self.sort.name}"


def _sort(
    kind: Kind, place: str, weight: int, shortest_s: float, longest_s: float, *occupies: str
) -> Sort:
    return Sort(kind, place, weight, shortest_s, longest_s, frozenset(occupies))


def _sorts() -> tuple[Sort, ...]:
    found = [
        _sort(Kind.KILL, COLLECTOR, 10, 0, 0, COLLECTOR),
        _sort(Kind.KILL, BROKER, 6, 0.1, 2, BROKER),
        _sort(Kind.KILL, DATABASE, 6, 0.1, 3, DATABASE),
        _sort(Kind.KILL, BACKEND, 4, 0, 0, DATABASE),
        # the pause here is the one from the restart to the second kill
        _sort(Kind.KILL_TWICE, COLLECTOR, 4, 0.1, 1.5, COLLECTOR),
        _sort(Kind.KILL_TWICE, BROKER, 3, 0.01, 0.3, BROKER),
        _sort(Kind.KILL_TWICE, DATABASE, 3, 0.02, 0.5, DATABASE),
        _sort(Kind.FREEZE, COLLECTOR, 5, 0.5, 5, COLLECTOR),
        _sort(Kind.FREEZE, BROKER, 4, 0.5, 4, BROKER),
        _sort(Kind.FREEZE, DATABASE, 4, 0.5, 4, DATABASE),
        _sort(Kind.LOSE_SESSION, BY_FILE, 3, 0.1, 1, BROKER, COLLECTOR),
        _sort(Kind.LOSE_SESSION, BY_EXPIRY, 3, 0, 0, BROKER, COLLECTOR),
        _sort(Kind.FILL_DISK, DATA, 3, 2, 5, DATABASE),
        _sort(Kind.FILL_DISK, WAL, 2, 2, 5, DATABASE),
        _sort(Kind.REPLAY, GATEWAY, 4, 0, 0, GATEWAY),
        _sort(Kind.RESTART, GATEWAY, 5, 0.1, 1, GATEWAY),
        _sort(Kind.JUMP, GATEWAY, 4, 2, 5, GATEWAY),
        _sort(Kind.JUMP, BACK, 3, 1, 4, "clock"),
        _sort(Kind.JUMP, AHEAD, 3, 1, 4, "clock"),
    ]
    for link in LINKS:
        ends = {GATEWAY_LINK: (), BROKER_LINK: (COLLECTOR,), DATABASE_LINK: (COLLECTOR,)}[link]
        found += [
            _sort(Kind.CUT, link, 4, 0, 1.5, link, *ends),
            _sort(Kind.HALF_OPEN, link, 3, 2, 6, link, *ends),
            _sort(Kind.SLOW, link, 3, 2, 5, link, *ends),
        ]
    return tuple(found)


SORTS: Final = _sorts()
# of these, one in a long run is long
_LONG: Final = {
    (Kind.FREEZE, COLLECTOR): FROZEN_LONG_S,
    (Kind.HALF_OPEN, BROKER_LINK): FOR_EVER,
    (Kind.HALF_OPEN, DATABASE_LINK): FOR_EVER,
}


def make_plan(seed: int, count: int, sorts: Sequence[Sort] = SORTS) -> list[Fault]:
    """`count` faults: each sort once as far as they go, the rest by weight, in a random order."""
    chance = random.Random(seed)
    pool = list(sorts)
    chosen: list[Sort] = []
    while pool and len(chosen) < count:
        sort = chance.choices(pool, [s.weight for s in pool])[0]
        pool.remove(sort)
        chosen.append(sort)
    chosen += chance.choices(sorts, [s.weight for s in sorts], k=count - len(chosen))
    chance.shuffle(chosen)
    plan: list[Fault] = []
    lengthened: set[tuple[Kind, str]] = set()
    for number, sort in enumerate(chosen, 1):
        fault = Fault(
            number,
            sort,
            wait_s=chance.uniform(0.0, 1.0),
            lasts_s=chance.uniform(sort.shortest_s, sort.longest_s),
            dice=chance.random(),
            together=False,
        )
        together = chance.random() < _TOGETHER
        what = (sort.kind, sort.place)
        if count >= LONG_FROM and what in _LONG and what not in lengthened:
            lengthened.add(what)
            fault = replace(fault, lasts_s=_LONG[what])
        plan.append(replace(fault, together=together and _may_follow(plan, fault)))
    return plan


def is_long(fault: Fault) -> bool:
    """Whether everything waits for this one."""
    return _LONG.get((fault.sort.kind, fault.sort.place)) == fault.lasts_s


def _may_follow(plan: Sequence[Fault], fault: Fault) -> bool:
    if not plan:
        return False
    before = plan[-1]
    if before.together or is_long(before) or is_long(fault):
        return False
    return not before.sort.occupies & fault.sort.occupies


def groups(plan: Sequence[Fault]) -> list[list[Fault]]:
    """Faults that happen together."""
    found: list[list[Fault]] = []
    for fault in plan:
        if fault.together:
            found[-1].append(fault)
        else:
            found.append([fault])
    return found


def per_sort(plan: Sequence[Fault]) -> Counter[str]:
    """How many of each sort are planned."""
    return Counter(fault.sort.name for fault in plan)
