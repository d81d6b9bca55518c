"""Declarations (报备): what lies inside an accepted one is kept, but suppressed.

A stretch is cut at the edges of the declarations that cover its subject. Each part is then judged
on its own: declaring a window can shorten or suppress an episode, never create one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.episodes.joining import Stretch, cut
from wattwitness.domain.registry import Declaration, DeclarationStatus, Pairing


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a stretch, and the declaration that explains it."""

    stretch: Stretch
    declaration: Declaration | None


def covers_pairing(declaration: Declaration, pairing: Pairing) -> bool:
    """Whether a declaration explains idle treatment of a pairing.

    It does if it names all units of the treatment (a repair) or all production circuits (a trial
    run, a stop).
    """
    return all(declaration.covers(c) for c in pairing.treatment) or all(
        declaration.covers(c) for c in pairing.production
    )


def _piece(stretch: Stretch, from_: datetime, to: datetime) -> Stretch | None:
    parts = tuple(p for s in stretch.spells if (p := cut(s, from_, to)) is not None)
    return Stretch(parts) if parts else None


def split(stretch: Stretch, pairing: Pairing, declarations: Sequence[Declaration]) -> list[Part]:
    """Cut a stretch at the declarations that cover its pairing, oldest part first.

    Args:
        stretch: of one pairing.
        pairing: that one.
        declarations: of the enterprise, any status.
    """
    valid = sorted(
        (
            d
            for d in declarations
            if d.status is DeclarationStatus.ACCEPTED and covers_pairing(d, pairing)
        ),
        key=lambda d: (d.from_, d.to, d.declaration_id),
    )
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
