"""F1 of states, minute by minute, where the analytics said anything at all."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.states import State

_CLASSES = (State.OFF, State.STANDBY, State.RUNNING)


def _zeros() -> NDArray[np.int64]:
    return np.zeros((4, 4), dtype=np.int64)


@dataclass
class StateScore:
    """A confusion matrix that grows: rows are the truth, columns what was said."""

    counts: NDArray[np.int64] = field(default_factory=_zeros)

    def add(self, truth: NDArray[np.int8], said: NDArray[np.int8]) -> None:
        """Count minutes in; unknown minutes on either side are left out of the F1."""
        flat = truth.astype(np.int64) * 4 + said.astype(np.int64)
        self.counts += np.bincount(flat.ravel(), minlength=16).reshape(4, 4)

    def f1(self, state: State) -> float | None:
        """F1 of one state; None where it never truly occurs."""
        known = self.counts[1:, 1:]
        place = int(state) - 1
        total = known[place].sum() + known[:, place].sum()
        return float(2 * known[place, place] / total) if known[place].sum() else None

    @property
    def macro_f1(self) -> float | None:
        """Mean F1 of the three states."""
        found = [f for s in _CLASSES if (f := self.f1(s)) is not None]
        return float(np.mean(found)) if found else None

    @property
    def said_share(self) -> float | None:
        """Share of minutes with a known truth about which something was said."""
        total = self.counts[1:].sum()
        return float(self.counts[1:, 1:].sum() / total) if total else None


def pooled_states(scores: Iterable[StateScore]) -> StateScore:
    """Minutes of several scores together."""
    return StateScore(sum((score.counts for score in scores), _zeros()))
