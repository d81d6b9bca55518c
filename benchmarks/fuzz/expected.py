"""What has to become of a payload: what the generator knows, because it made it so."""

from dataclasses import dataclass

Counts = tuple[int | None, ...]
"""Values of a reading as whole counts (`world.SCALES`), None = not measured."""


@dataclass(frozen=True, slots=True)
class Good:
    """A reading that has to be stored, or to be recognised as what is stored already."""

    channel: str
    ts_us: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Bad:
    """A reading that has to be refused with one of these codes."""

    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Waits:
    """A reading of a channel that nobody registered."""

    channel: str


Fate = Good | Bad | Waits


@dataclass(frozen=True, slots=True)
class Readings:
    """A message whose readings are judged one by one; `items` are their bytes."""

    fates: tuple[Fate, ...]
    items: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """A message that has to be refused whole, with one of these codes."""

    codes: frozenset[str]
    gateway_id: str | None


@dataclass(frozen=True, slots=True)
class Stranger:
    """A message of a gateway that nobody registered: kept whole, with so many readings."""

    readings: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """A message without readings that is no mistake: a status, an empty list."""


@dataclass(frozen=True, slots=True)
class Anything:
    """Nobody knows what it says; but all of it has to end somewhere.

    `readings` is what Python's own JSON reader counts, None where that cannot read it.
    """

    readings: int | None


Expected = Readings | Whole | Stranger | Nothing | Anything


@dataclass(frozen=True, slots=True)
class Sent:
    """One generated message."""

    kind: str  # how it was made, for the report
    topic: str
    payload: bytes
    gateway_id: str | None
    expected: Expected
