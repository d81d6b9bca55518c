"""Declarations (报备): what lies inside an accepted one is kept, but suppressed.

A stretch is cut at the edges of the declarations that cover its subject. Each part is then judged
on its own: declaring a window can shorten or suppress an episode, never create one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.episodes.joining import Stretch, cut
from analytics.plants import Plant
from wattwitness.domain.instants import from_us, to_us
from wattwitness.domain.registry import Declaration, DeclarationStatus, Pairing


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a stretch, and the declaration that explains it."""

    stretch: Stretch
    declaration: Declaration | None


def covers_pairing(declaration: Declaration, pairing: Pairing, *, any_unit: bool = False) -> bool:
    """Whether a declaration explains idle treatment of a pairing.

    It does if it names all units of the treatment (a repair) or all production circuits (a trial
    run, a stop). One unit that is repaired explains that one is missing (`any_unit`).
    """
    enough = any if any_unit else all
    return enough(declaration.covers(c) for c in pairing.treatment) or all(
        declaration.covers(c) for c in pairing.production
    )


def _piece(stretch: Stretch, from_: datetime, to: datetime) -> Stretch | None:
    parts = tuple(p for s in stretch.spells if (p := cut(s, from_, to)) is not None)
    return Stretch(parts) if parts else None


def split(
    stretch: Stretch,
    pairing: Pairing,
    declarations: Sequence[Declaration],
    *,
    any_unit: bool = False,
) -> list[Part]:
    """Cut a stretch at the declarations that cover its pairing, oldest part first.

    Args:
        stretch: of one pairing.
        pairing: that one.
        declarations: of the enterprise, any status.
        any_unit: whether one named unit of the treatment is enough.
    """
    valid = sorted(
        (
            d
            for d in declarations
            if d.status is DeclarationStatus.ACCEPTED
            and covers_pairing(d, pairing, any_unit=any_unit)
        ),
        key=lambda d: (d.from_, d.to, d.declaration_id),
    )
    if not valid:
        return [Part(stretch, None)]
    parts: list[Part] = []
    begin = stretch.from_
    for declaration in valid:
        if declaration.to <= begin or declaration.from_ >= stretch.to:
            continue
        pieces = (
            (_piece(stretch, begin, max(begin, declaration.from_)), None),
            (_piece(stretch, max(begin, declaration.from_), declaration.to), declaration),
        )
        parts += [Part(piece, why) for piece, why in pieces if piece is not None]
        begin = max(begin, declaration.to)
    rest = _piece(stretch, begin, stretch.to)
    if rest is not None:
        parts.append(Part(rest, None))
    return parts


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a time, and the declaration that explains it."""

    from_: datetime
    to: datetime
    declaration_id: str | None

    @property
    def minutes(self) -> float:
        """Its length [min]."""
        return (self.to - self.from_).total_seconds() / 60.0


def accepted(plant: Plant, covers: Callable[[Declaration], bool]) -> list[Declaration]:
    """The accepted declarations of a plant that cover something, in a fixed order."""
    return sorted(
        (d for d in plant.declarations if d.status is DeclarationStatus.ACCEPTED and covers(d)),
        key=lambda d: (d.from_, d.to, d.declaration_id),
    )


def windows(valid: Sequence[Declaration], from_: datetime, to: datetime) -> list[Window]:
    """A time, cut at the edges of declarations, oldest part first.

    Args:
        valid: from `accepted`.
        from_: when it begins.
        to: when it ends.
    """
    parts: list[Window] = []
    begin = from_
    for declaration in valid:
        if declaration.to <= begin or declaration.from_ >= to:
            continue
        if declaration.from_ > begin:
            parts.append(Window(begin, declaration.from_, None))
        begin = max(begin, declaration.from_)
        parts.append(Window(begin, min(declaration.to, to), declaration.declaration_id))
        begin = min(declaration.to, to)
    if begin < to:
        parts.append(Window(begin, to, None))
    return parts


def covers_unit(declaration: Declaration, pairing: Pairing, circuit_id: str) -> bool:
    """Whether a declaration explains how one unit of a pairing works (its repair, a trial run)."""
    return declaration.covers(circuit_id) or covers_pairing(declaration, pairing)


@dataclass(frozen=True, slots=True)
class BlockPart:
    """Blocks of a finding on one side of a declaration's edge."""

    blocks: NDArray[np.intp]  # positions among the blocks of the finding
    from_: datetime
    to: datetime
    declaration_id: str | None


def block_parts(
    valid: Sequence[Declaration], begins_us: NDArray[np.int64], length_us: int
) -> list[BlockPart]:
    """Blocks of a finding, cut at declarations; a block that one touches counts as declared.

    Args:
        valid: from `accepted`.
        begins_us: start of each block, ascending [n].
        length_us: of a block.

    Returns:
        Parts, oldest first, those inside cut to the declaration.
    """
    owner = np.full(len(begins_us), -1)
    for n, declaration in reversed(list(enumerate(valid))):
        touched = begins_us < to_us(declaration.to)
        owner[touched & (begins_us + length_us > to_us(declaration.from_))] = n
    cuts = np.flatnonzero(np.diff(owner)) + 1
    parts = []
    for blocks in np.split(np.arange(len(owner)), cuts):
        first, last = from_us(int(begins_us[blocks[0]])), from_us(int(begins_us[blocks[-1]]))
        last += timedelta(microseconds=length_us)
        n = int(owner[blocks[0]])
        if n < 0:
            parts.append(BlockPart(blocks, first, last, None))
            continue
        inside = valid[n]
        parts.append(
            BlockPart(blocks, max(first, inside.from_), min(last, inside.to), inside.declaration_id)
        )
    return parts
