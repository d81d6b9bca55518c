"""The form in which a row's counts are written: fewer bits, the same values, nothing to look up.

Two things make counts small for the columnstore, which keeps differences between neighbours:

- *Steps.* A meter that shows 0.1 kW changes by hundreds of watts. Each row says in `form` by which
  power of ten its counts were divided. Steps are learnt from the values themselves; a value that
  is no multiple makes its circuit's step finer from there on. Nothing is ever rounded, and nothing
  depends on a registry that may change.
- *What follows from the same row* is taken off: the phases of one bus from each other, the current
  from power and voltage, the power factor from active and reactive power (P² + Q² = S²; S = 3·U·I
  of a balanced load). What is left is imbalance and last digits. Only additions, products,
  quotients and square roots are used: IEEE 754 rounds those alike everywhere, so `reading_counts`
  in SQL and `restore` here give the same integers. Counts are held as float64, which is exact for
whole numbers of this size and fast to divide.

`form`: bits 0-11 two bits of exponent per kind (p, e, q, u, i, pf), bit 12 = resent. NULL = written
before there were forms: counts as they are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.readings import MEASURANDS, Readings
from wattwitness.store.scales import STORED

Floats = NDArray[np.float64]
Columns = dict[str, Floats]
"""Measurand → whole numbers [n]; 0 where it was not measured."""

KINDS: Final = ("p", "e", "q", "u", "i", "pf")
RESENT: Final = 1 << 12
_KIND: Final = {m: next(k for k, kind in enumerate(KINDS) if m.startswith(kind + "_") or m == kind)
                for m in MEASURANDS}  # fmt: skip
_COARSEST: Final = 3  # a thousand finest steps
_STEPS: Final = 10.0 ** np.arange(_COARSEST + 1)
_FORMS: Final = 1 << 2 * len(KINDS)
_STEPS_OF_FORM: Final = [_STEPS[np.arange(_FORMS) >> 2 * k & 3] for k in range(len(KINDS))]
_MOST: Final = 1e8  # counts; what a prediction may say at most
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "u_b": ("u_a",),
    "u_c": ("u_a", "u_b"),
    "i_a": ("p_kw", "q_kvar", "u_a"),
    "i_b": ("i_a", "u_a", "u_b"),
    "i_c": ("i_a", "i_b", "u_a", "u_b", "u_c"),
    "pf": ("p_kw", "q_kvar"),
}


def needed(columns: Iterable[str]) -> tuple[str, ...]:
    """The measurands that have to be read to restore `columns`, in the usual order."""
    waiting = list(columns)
    found = set(waiting)
    while waiting:
        more = set(_NEEDS.get(waiting.pop(), ())) - found
        found |= more
        waiting += more
    return tuple(name for name in MEASURANDS if name in found)


class Steps:
    """The coarsest steps that held so far, per circuit key and kind; only ever finer.

    Batches may be encoded in several threads at once.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._exponents: NDArray[np.int64] = np.zeros((len(KINDS), 0), dtype=np.int64)

    def learn(self, keys: NDArray[np.int32], counts: Columns) -> tuple[NDArray[np.int64], Columns]:
        """Make steps finer where a count asks for it.

        Args:
            keys: circuit key of each row [n].
            counts: in the finest steps.

        Returns:
            form [n] and the counts in the steps that it names.
        """
        with self._lock:
            self._grow(int(keys.max(initial=-1)) + 1)
            plain = _divided(counts, exponents := self._exponents[:, keys])
            if self._finer(keys, counts, plain):
                plain = _divided(counts, exponents := self._exponents[:, keys])
        shifts = 2 * np.arange(len(KINDS))[:, None]
        return np.bitwise_or.reduce(exponents << shifts, axis=0), plain

    def _finer(self, keys: NDArray[np.int32], counts: Columns, plain: Columns) -> bool:
        """Whether a step had to become finer."""
        found = False
        for name, values in plain.items():
            odd = values != np.rint(values)
            if odd.any():
                exponents = _exponent(counts[name][odd])
                np.minimum.at(self._exponents[_KIND[name]], keys[odd], exponents)
                found = True
        return found

    def _grow(self, size: int) -> None:
        short = size - self._exponents.shape[1]
        if short > 0:
            unknown = np.full((len(KINDS), short), _COARSEST, dtype=np.int64)
            self._exponents = np.concatenate((self._exponents, unknown), axis=1)


def _divided(counts: Columns, exponents: NDArray[np.int64]) -> Columns:
    steps = _STEPS[exponents]
    return {name: values / steps[_KIND[name]] for name, values in counts.items()}


def _exponent(counts: Floats) -> NDArray[np.int64]:
    """The largest exponent whose step divides a count [n]."""
    found = np.zeros(len(counts), dtype=np.int64)
    for exponent in range(1, _COARSEST + 1):
        found[counts % _STEPS[exponent] == 0] = exponent
    return found


def shorten(rows: Readings, steps: Steps) -> tuple[NDArray[np.int64], Columns]:
    """Rows [n] → (form [n], measurand → what is stored); only what was measured in any row."""
    counts = {}
    for name in MEASURANDS:
        missing = np.isnan(rows[name])
        if not missing.all():
            scaled = np.rint(rows[name] * STORED[name][2])
            counts[name] = np.where(missing, 0.0, scaled)
    form, plain = steps.learn(rows["circuit"], counts)
    row = _Row(plain, _steps_of(form))
    stored = {
        name: values - row.expected(name) if name in _NEEDS else values
        for name, values in plain.items()
    }
    return np.where(rows["resent"], form | RESENT, form), stored


def restore(form: NDArray[np.int64], stored: Columns, missing: Mapping[str, NDArray[np.bool_]]
            ) -> Columns:  # fmt: skip
    """What is stored → counts in the finest steps, of the measurands in `stored`.

    Args:
        form: [n], negative = none: counts as they are.
        stored: measurand → values [n], with everything that `needed` names; used up.
        missing: measurand → where it was not measured [n], of those of which some are not.
    """
    written = form >= 0
    every = bool(written.all())
    steps = _steps_of(form if every else np.where(written, form, 0))
    plain: Columns = {}
    row = _Row(plain, steps)
    for name in MEASURANDS:
        if name not in stored:
            continue
        values, absent = stored[name], missing.get(name)
        if name in _NEEDS and not (absent is not None and absent.all()):
            expected = row.expected(name)
            values += expected if every else np.where(written, expected, 0.0)
        if absent is not None:
            values[absent] = 0.0
        plain[name] = values
    return {name: np.multiply(plain[name], steps[_KIND[name]], out=plain[name]) for name in plain}


def _steps_of(form: NDArray[np.int64]) -> list[Floats]:
    """The step of each kind in each row [kinds][n]."""
    chosen = form & (_FORMS - 1)
    return [steps[chosen] for steps in _STEPS_OF_FORM]


@dataclass
class _Row:
    """What the columns of the same rows [n] let one expect of each other, in their steps."""

    plain: Columns  # in their steps, in the usual order; what is absent was nowhere measured
    steps: list[Floats]

    def expected(self, name: str) -> Floats:
        """What one measurand would be if the others told all, whole numbers [n]."""
        if name == "u_b":
            return self._of("u_a")
        if name == "u_c":
            return np.asarray(np.floor((self._of("u_a") + self._of("u_b")) / 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            found = self._quotient(name)
        np.clip(found, -_MOST, _MOST, out=found)
        return np.rint(found, out=found)

    def _quotient(self, name: str) -> Floats:
        u_a, i_a, step = self._of("u_a"), self._of("i_a"), self.steps[_KIND[name]]
        if name == "i_b":
            u_b = self._of("u_b")
            return np.where(u_b > 0, i_a * u_a / u_b, i_a)
        if name == "i_c":
            u_b, u_c, i_b = self._of("u_b"), self._of("u_c"), self._of("i_b")
            return np.where(u_c > 0, (i_a * u_a + i_b * u_b) / (2 * u_c), i_a)
        p_w, s_va = self._apparent
        if name == "pf":
            return np.where(s_va > 0, p_w / s_va * 10_000 / step, 10_000 / step)
        # counts of 0.01 A from VA and 0.1 V: S / (3 · U / 10) · 100
        u_dv = u_a * self.steps[_KIND["u_a"]]
        return np.where(u_dv > 0, s_va / u_dv * 1000 / 3 / step, 0.0)

    @cached_property
    def _apparent(self) -> tuple[Floats, Floats]:
        """Active and apparent power [W, VA]."""
        p_w = self._of("p_kw") * self.steps[_KIND["p_kw"]]
        q_var = self._of("q_kvar") * self.steps[_KIND["q_kvar"]]
        return p_w, np.sqrt(p_w * p_w + q_var * q_var)

    def _of(self, name: str) -> Floats:
        found = self.plain.get(name)
        return np.zeros(len(self.steps[0])) if found is None else found
