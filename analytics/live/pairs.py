"""The conditions of `analytics.pairing.condition` for all pairings of a fleet at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from analytics.grid import Power
from analytics.pairing.condition import Condition, treatment_works
from analytics.plants import Plant
from analytics.states.hysteresis import StateGrid
from wattwitness.domain.registry import Pairing
from wattwitness.domain.states import State

_LINES = -1  # one unit per production circuit that runs


@dataclass(frozen=True)
class PairTable:
    """Pairings with circuits on both sides; a member is a row of the fleet."""

    names: tuple[tuple[int, Pairing], ...]  # number of the plant, pairing [pairings]
    production: NDArray[np.intp]  # members, pairing after pairing
    treatment: NDArray[np.intp]
    first_production: NDArray[np.intp]  # where each pairing's members begin [pairings]
    first_treatment: NDArray[np.intp]
    units: NDArray[np.int16]  # [pairings]
    required: NDArray[np.int16]  # units that have to work; _LINES = as many as lines run

    @classmethod
    def of(cls, plants: Sequence[Plant], first: NDArray[np.intp]) -> Self:
        """Of plants whose rows begin at `first`."""
        found = [
            (n, pairing, production, treatment)
            for n, plant in enumerate(plants)
            for pairing in plant.pairings
            if (production := plant.rows(pairing.production))
            and (treatment := plant.rows(pairing.treatment))
        ]
        units = [len(treatment) for *_, treatment in found]
        required = [
            _required(pairing.require, len(treatment)) for _, pairing, _, treatment in found
        ]
        return cls(
            names=tuple((n, pairing) for n, pairing, *_ in found),
            production=_members([first[n] + np.array(p) for n, _, p, _ in found]),
            treatment=_members([first[n] + np.array(t) for n, _, _, t in found]),
            first_production=_starts([len(p) for *_, p, _ in found]),
            first_treatment=_starts(units),
            units=np.array(units, dtype=np.int16),
            required=np.array(required, dtype=np.int16),
        )

    def __len__(self) -> int:
        return len(self.names)

    def conditions(
        self, states: StateGrid, power: Power, level_kw: NDArray[np.float64]
    ) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """`Condition` of "production runs, no unit works", and of "fewer than required do".

        Args:
            states: of the fleet [circuits, minutes].
            power: likewise.
            level_kw: running level per circuit, NaN = not known [circuits].

        Returns:
            Each [pairings, minutes].
        """
        lines, works, unknown = self._counts(states, power, level_kw)
        off = np.full(lines.shape, Condition.OPEN, dtype=np.int8)
        off[(lines > 0) & (works == 0) & (unknown == 0)] = Condition.HOLDS
        off[works > 0] = Condition.LAWFUL
        units, fixed = self.units[:, np.newaxis], self.required[:, np.newaxis]
        required = np.where(fixed == _LINES, np.clip(lines, 1, units), fixed)
        short = np.full(lines.shape, Condition.OPEN, dtype=np.int8)
        short[(lines > 0) & (works > 0) & (works + unknown < required)] = Condition.HOLDS
        short[works >= required] = Condition.LAWFUL
        return off, short

    def _counts(
        self, states: StateGrid, power: Power, level_kw: NDArray[np.float64]
    ) -> tuple[NDArray[np.int16], NDArray[np.int16], NDArray[np.int16]]:
        """Lines that run, units that work, units of which nothing is known."""
        of_units = states[self.treatment]
        works = treatment_works(of_units, power[self.treatment], level_kw[self.treatment])
        unknown = ~works & (of_units == State.UNKNOWN)
        runs = states[self.production] == State.RUNNING
        return (
            _summed(runs, self.first_production),
            _summed(works, self.first_treatment),
            _summed(unknown, self.first_treatment),
        )


def _required(require: str, units: int) -> int:
    if require == "lines":
        return _LINES
    return {"all": units, "any": 1}.get(require) or min(units, int(require))


def _members(parts: list[NDArray[np.intp]]) -> NDArray[np.intp]:
    return np.concatenate(parts).astype(np.intp) if parts else np.zeros(0, dtype=np.intp)


def _starts(sizes: list[int]) -> NDArray[np.intp]:
    return np.concatenate(([0], np.cumsum(sizes[:-1]))).astype(np.intp)[: len(sizes)]


def _summed(mask: NDArray[np.bool_], starts: NDArray[np.intp]) -> NDArray[np.int16]:
    if len(starts) == 0:
        return np.zeros((0, mask.shape[1]), dtype=np.int16)
    return np.add.reduceat(mask, starts, axis=0, dtype=np.int16)
