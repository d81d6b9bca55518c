"""Randomness that can be asked for at any instant, in any order.

A plant must give the same minute whether it is computed alone, in its day or in a year. Sequential
generators cannot do that, so noise here is a *function* of (key, index): SplitMix64 (Steele, Lea,
Flood 2014) hashes the index under a 64-bit key. Everything is vectorised and pure.
"""

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
TWO_TO_MINUS_53: Final = 1.1102230246251565e-16
SQRT_3: Final = 1.7320508075688772
_LOW_16: Final = np.uint64(0xFFFF)


def key_of(*parts: int | str) -> int:
    """A 64-bit key for a named purpose; independent for different parts."""
    text = "|".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _hash(key: int, index: Ints) -> NDArray[np.uint64]:
    z = index.astype(np.uint64) * _GOLDEN + np.uint64(key)
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))


def uniform(key: int, index: Ints) -> Floats:
    """[0, 1) for each index; shape of `index`."""
    return (_hash(key, index) >> np.uint64(11)).astype(np.float64) * TWO_TO_MINUS_53


def uniform_at(key: int, index: int) -> float:
    """[0, 1) for one index."""
    return float(uniform(key, np.array([index], dtype=np.int64))[0])


def normal(key: int, index: Ints) -> Floats:
    """Mean 0, deviation 1, bounded by ±3.47 (sum of four uniforms; a meter has no wild tails)."""
    bits = _hash(key, index)
    total = np.zeros(index.shape, dtype=np.float64)
    for shift in (0, 16, 32, 48):
        total += ((bits >> np.uint64(shift)) & _LOW_16).astype(np.float64)
    return (total / 65536.0 - 2.0) * SQRT_3


def drift(key: int, at_s: Ints, knot_s: int) -> Floats:
    """A slow wander in [-1, 1]: random knots every `knot_s` seconds, straight lines between.

    Args:
        key: names the purpose.
        at_s: instants [s since 1970], any order, any length.
        knot_s: distance of the knots [s].
    """
    if at_s.size == 0:
        return np.zeros(0)
    first, last = int(at_s.min()) // knot_s, int(at_s.max()) // knot_s + 1
    knots = np.arange(first, last + 1, dtype=np.int64)
    return np.interp(at_s, knots * knot_s, 2.0 * uniform(key, knots) - 1.0)
