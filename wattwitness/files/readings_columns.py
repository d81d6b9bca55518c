"""One column of a readings file → numpy, vectorised; only what cannot be cast is looked at.

A column is text (CSV, as bytes) or already typed (parquet). What is refused is a value: the
position in the chunk, a code and a reason.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import parse_instant, to_us
from wattwitness.domain.readings import NEVER
from wattwitness.domain.rejects import RejectCode

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_FLAGS: Final = {"": False, "0": False, "1": True}
_US_UTC: Final = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one cell was refused."""

    code: RejectCode
    reason: str
    value: str


@dataclass(frozen=True, slots=True)
class Column:
    """Values of one column (n,), and the problems by position; a refused cell's value is void."""

    values: NDArray[Any]
    problems: Mapping[int, Problem]


def is_text(kind: pa.DataType) -> bool:
    """Whether cells of this Arrow type are text to be parsed."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    strings = pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view
    return any(test(kind) for test in (*strings, pa.types.is_binary, pa.types.is_large_binary))


def cell_text(value: object) -> str:
    """A cell as text for people and for parsing, white space around it removed."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value).strip()


def texts(array: pa.Array) -> tuple[NDArray[np.int64], list[str]]:
    """Text ids as positions (n,) in a list of distinct texts; "" where the cell is empty."""
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    words = [cell_text(value) for value in encoded.dictionary.to_pylist()]
    distinct = list(dict.fromkeys([*words, ""]))
    place = {word: n for n, word in enumerate(distinct)}
    lookup = np.array([place[word] for word in words] + [place[""]], dtype=np.int64)
    indices = pc.fill_null(encoded.indices.cast(pa.int64()), len(words))
    return lookup[indices.to_numpy(zero_copy_only=False)], distinct


def instants(array: pa.Array) -> Column:
    """Timestamps [µs]; NEVER where empty. Typed ones without a zone are UTC (contract §3)."""
    if pa.types.is_timestamp(array.type):
        return Column(_filled(array.cast(pa.timestamp("us"), safe=False).cast(pa.int64())), {})
    cells = _as_strings(array)
    if cells is not None:
        try:
            return Column(_filled(cells.cast(_US_UTC).cast(pa.int64())), {})
        except pa.ArrowInvalid:
            pass
    values = np.full(len(array), NEVER, dtype=np.int64)
    problems: dict[int, Problem] = {}
    for n, text in _cells(array):
        try:
            values[n] = to_us(parse_instant(text))
        except InputRefusedError as refusal:
            code = RejectCode.NO_OFFSET if "no offset" in refusal.message else RejectCode.WRONG_TYPE
            problems[n] = Problem(code, str(refusal), text)
        except OverflowError:
            problems[n] = Problem(RejectCode.WRONG_TYPE, f"{text!r} is beyond the calendar", text)
    return Column(values, problems)


def numbers(array: pa.Array) -> Column:
    """Numbers, NaN where empty. A text such as `nan` or `inf` is refused.

    NaN in a typed column means "not measured", as numpy and polars write it; an infinity is not
    a measured value.
    """
    if not is_text(array.type):
        values = _floats(array.cast(pa.float64(), safe=False))
        problems = {int(n): _infinite(str(values[n])) for n in np.flatnonzero(np.isinf(values))}
        return Column(values, problems)
    cells = _as_strings(array)
    if cells is not None:
        try:
            found = cells.cast(pa.float64())
        except pa.ArrowInvalid:
            pass
        else:
            values = _floats(found)
            if pc.all(pc.is_finite(found)).as_py() is not False:
                return Column(values, {})
    return _numbers_singly(array)


def _numbers_singly(array: pa.Array) -> Column:
    values = np.full(len(array), np.nan)
    problems: dict[int, Problem] = {}
    for n, text in _cells(array):
        number = float(text) if _NUMBER.fullmatch(text) else np.nan
        if np.isfinite(number):
            values[n] = number
        elif text.lower().lstrip("+-") in {"nan", "inf", "infinity"} or np.isinf(number):
            problems[n] = _infinite(text)
        else:
            reason = f"{text!r} is not a number - write it as 12.68, or leave it empty"
            problems[n] = Problem(RejectCode.WRONG_TYPE, reason, text)
    return Column(values, problems)


def _infinite(text: str) -> Problem:
    reason = f"{text!r} is not a finite number - leave empty what was not measured"
    return Problem(RejectCode.IMPOSSIBLE, reason, text)


def flags(array: pa.Array) -> Column:
    """0/1 (or booleans), False where empty."""
    values = np.zeros(len(array), dtype=bool)
    problems: dict[int, Problem] = {}
    if pa.types.is_boolean(array.type):
        return Column(pc.fill_null(array, False).to_numpy(zero_copy_only=False), problems)
    positions, distinct = texts(array)
    for n, word in enumerate(distinct):
        here = positions == n
        if word in _FLAGS:
            values[here] = _FLAGS[word]
        else:
            problem = Problem(RejectCode.WRONG_TYPE, f"{word!r} is neither 0 nor 1", word)
            problems.update(dict.fromkeys(np.flatnonzero(here).tolist(), problem))
    return Column(values, problems)


def _as_strings(array: pa.Array) -> pa.Array | None:
    """Text cells with empty ones as null; None when the bytes are not UTF-8."""
    try:
        cells = array.cast(pa.string())
    except pa.ArrowInvalid:
        return None
    return pc.if_else(pc.equal(cells, ""), None, cells)


def _cells(array: pa.Array) -> Iterator[tuple[int, str]]:
    for n, value in enumerate(array.to_pylist()):
        text = cell_text(value)
        if text:
            yield n, text


def _filled(array: pa.Array) -> NDArray[np.int64]:
    filled: NDArray[np.int64] = array.fill_null(NEVER).to_numpy(zero_copy_only=False)
    return filled


def _floats(array: pa.Array) -> NDArray[np.float64]:
    values: NDArray[np.float64] = array.to_numpy(zero_copy_only=False)
    return values
