"""Interval arithmetic on half-open spells [from, to) in whole seconds since 1970."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gateway_sim.noise import Ints

Spell = tuple[int, int]
"""[from, to) in seconds since 1970, or relative to a local midnight where a docstring says so."""
Mask = NDArray[np.bool_]


def merge(spells: Iterable[Spell], bridge_s: int = 0) -> list[Spell]:
    """Sorted, disjoint spells; gaps of at most `bridge_s` are closed."""
    merged: list[Spell] = []
    for start, end in sorted(spells):
        if end <= start:
            continue
        if merged and start - merged[-1][1] <= bridge_s:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def subtract(spells: Iterable[Spell], cuts: Iterable[Spell]) -> list[Spell]:
    """What remains of `spells` outside all `cuts`; sorted and disjoint."""
    left = merge(spells)
    for cut_from, cut_to in merge(cuts):
        remaining: list[Spell] = []
        for start, end in left:
            if cut_to <= start or end <= cut_from:
                remaining.append((start, end))
                continue
            if start < cut_from:
                remaining.append((start, cut_from))
            if cut_to < end:
                remaining.append((cut_to, end))
        left = remaining
    return left


def clip(spells: Iterable[Spell], from_s: int, to_s: int) -> list[Spell]:
    """The parts of `spells` inside [from_s, to_s)."""
    cut = ((max(start, from_s), min(end, to_s)) for start, end in spells)
    return [(start, end) for start, end in cut if start < end]


def inside(spells: Iterable[Spell], at_s: Ints) -> Mask:
    """Whether each instant (ascending) lies in a spell; bool, shape of `at_s`."""
    mask = np.zeros(at_s.shape, dtype=np.bool_)
    for start, end in spells:
        if end > at_s[0] and start <= at_s[-1]:
            low, high = np.searchsorted(at_s, (start, end))
            mask[low:high] = True
    return mask


def from_mask(mask: Mask, at_s: Ints, step_s: int) -> list[Spell]:
    """The spells in which `mask` holds, each sample standing for [t, t + step)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return [
        (int(at_s[start]), int(at_s[end - 1]) + step_s)
        for start, end in zip(edges[::2], edges[1::2], strict=True)
    ]
