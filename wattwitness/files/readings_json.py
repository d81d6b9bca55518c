"""Readings from JSON: one array of objects, as `export readings` writes it by default.

The array is decoded object by object, so that its size does not matter.
"""

import io
import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np
import pyarrow as pa

from wattwitness.domain.errors import InputRefusedError
from wattwitness.files.encodings import detect_encoding
from wattwitness.files.readings_sources import (
    READING_COLUMNS,
    Batch,
    ReadingsSource,
    short_reason,
)

_BLOCK_CHARS: Final = 1 << 20
_LONGEST_CHARS: Final = 1 << 20  # of one object; beyond it the array is broken, not just cut
_MOST_ROWS: Final = 20_000  # a decoded object takes about 1 kB
_SPACE: Final = re.compile(r"\s*")
_DECODER: Final = json.JSONDecoder()
_REMEDY: Final = "JSON has to be one array of objects, as export readings writes it"


class JsonSource(ReadingsSource):
    """JSON; every column is text afterwards, so that one bad value does not end the file."""

    def __init__(self, path: Path, chunk_rows: int) -> None:
        self._size = max(1, path.stat().st_size)
        with path.open("rb") as file:
            head = file.read(_BLOCK_CHARS)
        encoding = detect_encoding(head, path.name, whole=len(head) < _BLOCK_CHARS)
        self._chunk_rows = min(chunk_rows, _MOST_ROWS)
        self._raw = path.open("rb")
        self._file = io.TextIOWrapper(self._raw, encoding, errors="replace")
        try:
            first = self._first(path.name)
            # what was not measured may be left out, so the first object need not have all
            header = {**first, "p_kw": None} if "circuit_id" in first else first
            super().__init__(path, list(header))
        except InputRefusedError:
            self._file.close()
            raise
        self.columns = READING_COLUMNS
        self._file.seek(0)

    def batches(self) -> Iterator[Batch]:
        """Slices of the array; see `ReadingsSource`."""
        items = _items(self._file)
        done = 0
        error: Exception | None = None
        while error is None:
            some: list[Any] = []
            try:
                some.extend(islice(items, self._chunk_rows))  # keeps what came before an error
            except (ValueError, RecursionError) as failure:
                error = failure
            if not some:
                break
            yield self._batch(some, done)
            done += len(some)
        if error is not None:
            raise InputRefusedError(
                f"{self.path.name} is unreadable after row {done} ({_reason(error)})",
                "export it again; what was read before that row is kept",
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _first(self, name: str) -> Mapping[str, Any]:
        """The first object; one with all columns where the array is empty."""
        try:
            first = next(_items(self._file), dict.fromkeys(READING_COLUMNS))
        except (ValueError, RecursionError) as error:
            raise InputRefusedError(
                f"{name} is not JSON that can be read ({_reason(error)})", _REMEDY
            ) from error
        if not isinstance(first, dict):
            raise InputRefusedError(f"{name} holds no objects", _REMEDY)
        return first

    def _batch(self, items: list[Any], done: int) -> Batch:
        numbers = range(done + 1, done + 1 + len(items))  # the first object is row 1
        good = [(n, item) for n, item in zip(numbers, items, strict=True) if isinstance(item, dict)]
        return Batch(
            columns={
                name: pa.array([_text(item.get(name), name) for _, item in good], pa.string())
                for name in self.columns
            },
            row_numbers=np.array([n for n, _ in good], dtype=np.int64),
            malformed=[
                (n, json.dumps(item, ensure_ascii=False))
                for n, item in zip(numbers, items, strict=True)
                if not isinstance(item, dict)
            ],
            share_done=min(1.0, self._raw.tell() / self._size),
        )


def _items(file: TextIO) -> Iterator[Any]:
    """The items of the array in a file; ValueError where it is none, or breaks off."""
    reader = _Reader(file)
    reader.expect("[")
    if reader.next_mark() == "]":
        reader.expect("]")
    else:
        yield reader.item()
        while reader.next_mark() == ",":
            reader.expect(",")
            yield reader.item()
        reader.expect("]")
    if reader.next_mark():
        raise ValueError("something follows the array")


class _Reader:
    """Takes marks and values off the front of a text of any length."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text = ""
        self._at = 0

    def next_mark(self) -> str:
        """The next character that is not white space; nothing at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def expect(self, mark: str) -> None:
        """Take a mark."""
        found = self.next_mark()
        if found != mark:
            raise ValueError(f"{mark} is missing before {found or 'the end'}")
        self._at += 1

    def item(self) -> Any:
        """Take a value."""
        self.next_mark()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except ValueError:  # broken, or cut by the end of the block
                if len(self._text) - self._at > _LONGEST_CHARS or not self._more():
                    raise
                continue
            if end == len(self._text) and self._more():
                continue  # a number may go on in the next block
            self._at = end
            return value

    def _more(self) -> bool:
        block = self._file.read(_BLOCK_CHARS)
        self._text, self._at = self._text[self._at :] + block, 0
        return bool(block)


def _text(value: Any, column: str) -> str:
    if value is None:
        return ""
    if value is True or value is False:
        return str(int(value)) if column == "resent" else json.dumps(value)
    text = str(value)
    # JSON can write halves of characters, which no other text can
    return text if text.isascii() else text.encode(errors="replace").decode()


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    # the library's line and column count from the start of a block
    return error.msg if isinstance(error, json.JSONDecodeError) else short_reason(error)
