"""Confidence that means something: what a method says of itself → how often it was right.

Each kind - of episode, or of a verdict: `verdict/<action>/<word>` - has a few knots (raw
confidence, probability), learned on the tuning seeds of `benchmarks.truth` by isotonic regression
with a prior (`python -m benchmarks.truth --calibrate --seeds tune` learns the episodes anew, with
`--verdicts` the verdicts). Between knots it is linear, above them level; below them it falls to
nothing, for less than was ever seen is never worth more. A kind that was never found while learning
keeps what it says. The table is data of the product, versioned.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.episodes import Episode
from wattwitness.domain.registry import MeasureAction
from wattwitness.domain.verdicts import VerdictCode

TABLE = "calibration.json"
BEST = 0.99  # nothing electric is ever certain
PRIOR_EPISODES = 8.0  # how many episodes the prior weighs
PRIOR_PRECISION = 0.9
POOLS = 4  # of raw confidences at most, per kind

Knots = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Calibration:
    """A table of knots per kind."""

    version: str
    knots: Mapping[str, Knots] = field(default_factory=dict)

    @cached_property
    def _curves(self) -> Mapping[str, NDArray[np.float64]]:
        """Kind → raw confidences, from nothing, and what each is worth [2, knots + 1]."""
        return {kind: np.array([(0.0, 0.0), *own]).T for kind, own in self.knots.items() if own}

    def probability(self, kind: str, raw: float) -> float:
        """How likely an episode is real.

        Args:
            kind: code of the catalogue.
            raw: what its method says, 0 … 1.
        """
        own = self._curves.get(kind)
        return raw if own is None else round(float(np.interp(raw, *own)), 3)

    def verdict(self, action: MeasureAction, code: VerdictCode, raw: float) -> float:
        """How likely the word on one measure of an order is right."""
        return self.probability(verdict_kind(action, code), raw)

    def applied(self, episodes: Iterable[Episode]) -> list[Episode]:
        """The same episodes with calibrated confidence."""
        return [replace(e, confidence=self.probability(e.kind, e.confidence)) for e in episodes]


def verdict_kind(action: MeasureAction, code: VerdictCode) -> str:
    """The kind under which the table keeps a word on an order."""
    return f"verdict/{action.value}/{code.value}"


UNCALIBRATED = Calibration("none")


def parse(text: str) -> Calibration:
    """A table as it is kept."""
    told = json.loads(text)
    return Calibration(
        told["version"],
        {kind: [(float(a), float(b)) for a, b in knots] for kind, knots in told["knots"].items()},
    )


def formatted(calibration: Calibration) -> str:
    """A table as it is kept, one kind to a line."""
    lines = [
        f"  {json.dumps(kind)}: {json.dumps([list(k) for k in knots])}"
        for kind, knots in sorted(calibration.knots.items())
    ]
    inner = ",\n".join(lines)
    return f'{{"version": {json.dumps(calibration.version)}, "knots": {{\n{inner}\n}}}}\n'


@dataclass(frozen=True, slots=True)
class _Pool:
    """Neighbouring raw confidences that are worth the same."""

    low: float
    high: float
    weight: float
    hits: float

    @property
    def worth(self) -> float:
        return self.hits / self.weight

    def joined(self, other: "_Pool") -> "_Pool":
        """This one and the next higher one."""
        return _Pool(self.low, other.high, self.weight + other.weight, self.hits + other.hits)


def _isotonic(pools: Iterable[_Pool]) -> list[_Pool]:
    """Pool adjacent violators (Ayer et al. 1955), lowest raw confidence first."""
    found: list[_Pool] = []
    for pool in pools:
        found.append(pool)
        while len(found) > 1 and found[-2].worth >= found[-1].worth:
            last = found.pop()
            found[-1] = found[-1].joined(last)
    return found


def learn_kind(predictions: Sequence[tuple[float, bool]]) -> Knots:
    """Knots of one kind.

    Args:
        predictions: (raw confidence, whether the episode was real), at least one.
    """
    said = np.array([raw for raw, _ in predictions], dtype=np.float64)
    right = np.array([ok for _, ok in predictions], dtype=np.float64)
    groups = [g for g in np.array_split(np.unique(said), POOLS) if len(g)]
    # every group leans on the kind's own precision, and that on the prior
    overall = (right.sum() + PRIOR_EPISODES * PRIOR_PRECISION) / (len(said) + PRIOR_EPISODES)
    share = PRIOR_EPISODES / len(groups)
    pools = []
    for group in groups:
        own = right[np.isin(said, group)]
        weight, hits = len(own) + share, float(own.sum()) + share * overall
        pools.append(_Pool(float(group[0]), float(group[-1]), weight, hits))
    edges = [(raw, min(BEST, p.worth)) for p in _isotonic(pools) for raw in (p.low, p.high)]
    return list(dict.fromkeys((round(raw, 3), round(worth, 3)) for raw, worth in edges))


def learn(predictions: Mapping[str, Sequence[tuple[float, bool]]], version: str) -> Calibration:
    """A table from what was found while learning.

    Args:
        predictions: kind → (raw confidence, whether it was real).
        version: goes into the table.
    """
    return Calibration(version, {kind: learn_kind(own) for kind, own in predictions.items() if own})


CALIBRATION = parse(files("analytics").joinpath(TABLE).read_text(encoding="utf-8"))
"""The table of the product."""
