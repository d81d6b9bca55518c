"""Otsu's classes on many histograms at once.

Otsu, N. (1979), A threshold selection method from gray-level histograms, IEEE Trans. SMC 9:62-66:
the thresholds that maximise the variance between classes, here for two and three classes, by
exhaustion over all pairs (3,160 of them for 80 positions), vectorised over histograms.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]

_NO_MASS: Final = 1e-300


def _cumulated(weights: Weights) -> tuple[Weights, Weights]:
    position = np.arange(weights.shape[1], dtype=np.float64)
    zero = np.zeros((len(weights), 1))
    mass = np.concatenate((zero, np.cumsum(weights, axis=1)), axis=1)
    moment = np.concatenate((zero, np.cumsum(weights * position, axis=1)), axis=1)
    return mass, moment


def _between(mass: Weights, moment: Weights) -> Weights:
    """A class's part of the between-class variance; 0 for an empty class."""
    part: Weights = moment**2 / np.maximum(mass, _NO_MASS)  # the moment of an empty one is 0
    return part


def two_classes(weights: Weights) -> NDArray[np.intp]:
    """Best split of each histogram.

    Args:
        weights: histograms [n, positions].

    Returns:
        First position of the upper class [n].
    """
    mass, moment = _cumulated(weights)
    lower = _between(mass[:, 1:-1], moment[:, 1:-1])
    upper = _between(mass[:, -1:] - mass[:, 1:-1], moment[:, -1:] - moment[:, 1:-1])
    best: NDArray[np.intp] = np.argmax(lower + upper, axis=1) + 1
    return best


def three_classes(weights: Weights) -> NDArray[np.intp]:
    """Best two splits of each histogram.

    Args:
        weights: histograms [n, positions].

    Returns:
        First positions of the middle and of the upper class [n, 2].
    """
    # split by split in rows: each of the thousands is picked in one piece
    mass, moment = (np.ascontiguousarray(found.T) for found in _cumulated(weights))
    first, second = np.triu_indices(weights.shape[1], k=1)
    keep = first >= 1
    first, second = first[keep], second[keep]
    score = _between(mass, moment)[first]
    score += _between(mass[second] - mass[first], moment[second] - moment[first])
    score += _between(mass[-1] - mass, moment[-1] - moment)[second]
    best = np.argmax(score, axis=0)
    return np.stack((first[best], second[best]), axis=1)
