"""Readings from CSV (also gzipped), streamed in blocks by Arrow."""

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from wattwitness.domain.errors import InputRefusedError
from wattwitness.files.encodings import detect_encoding
from wattwitness.files.readings_sources import Batch, ReadingsSource, short_reason

_SNIFF_BYTES: Final = 1 << 20
_BYTES_PER_ROW: Final = 64  # of a typical row; only sizes the blocks
_ROW_HANDLED: Final = "skip"
_LONGEST_LINE_BYTES: Final = 1 << 26  # what is longer is no line, and not held back


class _Utf8(io.RawIOBase):
    """A stream as valid UTF-8, line by line as far as it can be read.

    What cannot be decoded becomes U+FFFD, and its row a reject. A stream that breaks off ends with
    its last whole line; `torn` says why. Arrow reads ahead: an error told at once would overtake
    the rows before it, and a number cut in the middle is another number.
    """

    def __init__(self, stream: Any, encoding: str) -> None:
        super().__init__()
        self.torn: Exception | None = None
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._lines = b""  # whole ones, ready to be read
        self._rest = b""  # the beginning of one that may not be whole
        self._ended = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._lines and not self._ended:
            self._take(size)
        end = len(self._lines) if size < 0 else size
        found, self._lines = self._lines[:end], self._lines[end:]
        return found

    def _take(self, size: int) -> None:
        try:
            data = self._stream.read(size if size > 0 else None)
        except (pa.ArrowInvalid, OSError) as error:
            self.torn, self._ended = error, True
            return
        self._ended = not data
        text = self._rest + self._decoder.decode(data, final=not data).encode()
        cut = len(text)
        if data and cut < _LONGEST_LINE_BYTES:
            cut = 1 + max(text.rfind(b"\n"), text.rfind(b"\r"))
        self._lines, self._rest = text[:cut], text[cut:]

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


class CsvSource(ReadingsSource):
    """CSV, read in blocks; all columns as bytes, so that one bad cell does not end the file."""

    def __init__(self, path: Path, chunk_rows: int, *, gzipped: bool) -> None:
        head, whole = _head(path, gzipped=gzipped)
        encoding = detect_encoding(head, path.name, whole=whole)
        lines = head.decode(encoding, "replace").splitlines() or [""]
        header = tuple(name.strip() for name in next(csv.reader(lines[:1]), []))
        separators = "separate the columns by commas" if header and _one_cell(header) else ""
        super().__init__(path, header, separators)
        self._header = header
        self._raw = pa.OSFile(str(path), "rb")
        stream = pa.CompressedInputStream(self._raw, "gzip") if gzipped else self._raw
        self._text = _Utf8(stream, encoding)
        self._stream = pa.PythonFile(self._text, mode="r")
        self._malformed: list[tuple[int, str]] = []
        self._block_bytes = max(1 << 16, min(1 << 26, chunk_rows * _BYTES_PER_ROW))

    def batches(self) -> Iterator[Batch]:
        """Blocks of rows; see `ReadingsSource`."""
        first_row = 2  # the header is row 1
        size = max(1, self._raw.size())
        try:
            for batch in self._reader():
                rows, last, malformed = self._row_numbers(first_row, batch.num_rows)
                first_row = last + 1
                yield Batch(
                    columns=dict(zip(batch.schema.names, batch.columns, strict=True)),
                    row_numbers=rows,
                    malformed=malformed,
                    share_done=min(1.0, self._raw.tell() / size),
                )
            if self._malformed:  # what stood after the last good row
                yield self._only_malformed()
        except (pa.ArrowInvalid, OSError) as error:
            if "Empty CSV file" not in str(error):
                raise self._unreadable(first_row - 1, error) from error
        if self._text.torn is not None:
            raise self._unreadable(first_row - 1, self._text.torn) from self._text.torn

    def _unreadable(self, row: int, error: Exception) -> InputRefusedError:
        return InputRefusedError(
            f"{self.path.name} is unreadable after row {row} ({short_reason(error)})",
            "get the whole file again; what was read before that row is kept",
        )

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        self._raw.close()

    def _reader(self) -> Any:
        # column names of our own: a header may hold the same unknown name twice
        names = [
            name if name in self.columns else f"unknown {n}" for n, name in enumerate(self._header)
        ]
        return pa_csv.open_csv(
            self._stream,
            read_options=pa_csv.ReadOptions(
                use_threads=False,  # only then are bad rows told by number
                column_names=names,
                skip_rows=1,
                block_size=self._block_bytes,
            ),
            parse_options=pa_csv.ParseOptions(
                ignore_empty_lines=False, invalid_row_handler=self._note_malformed
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(self.columns, pa.binary()),
                include_columns=list(self.columns),
                strings_can_be_null=False,
            ),
        )

    def _note_malformed(self, row: Any) -> str:
        if row.text.strip():
            self._malformed.append((row.number, row.text))
        else:
            self._malformed.append((row.number, ""))
        return _ROW_HANDLED

    def _row_numbers(
        self, first: int, count: int
    ) -> tuple[NDArray[np.int64], int, list[tuple[int, str]]]:
        """File rows of `count` good rows that follow each other but for the malformed ones."""
        taken: list[tuple[int, str]] = []
        last = first + count - 1
        while self._malformed and self._malformed[0][0] <= last:
            taken.append(self._malformed.pop(0))
            last += 1
        rows = np.arange(first, last + 1, dtype=np.int64)
        rows = rows[~np.isin(rows, [row for row, _ in taken])]
        return rows, last, [(row, text) for row, text in taken if text]

    def _only_malformed(self) -> Batch:
        malformed = [(row, text) for row, text in self._malformed if text]
        self._malformed.clear()
        return Batch(
            columns={name: pa.array([], pa.binary()) for name in self.columns},
            row_numbers=np.empty(0, dtype=np.int64),
            malformed=malformed,
            share_done=1.0,
        )


def _head(path: Path, *, gzipped: bool) -> tuple[bytes, bool]:
    """The first bytes of the text, and whether that is all of it."""
    head = b""
    try:
        with gzip.open(path) if gzipped else path.open("rb") as file:
            while len(head) < _SNIFF_BYTES and (data := file.read1(_SNIFF_BYTES - len(head))):
                head += data
    except (OSError, EOFError, zlib.error) as error:
        if not head:  # a file that is torn further down is of use up to there
            raise InputRefusedError(
                f"{path.name} is not a whole gzip file ({short_reason(error)})",
                "get the file again",
            ) from error
        return head, False
    return head, len(head) < _SNIFF_BYTES


def _one_cell(header: Sequence[str]) -> bool:
    return len(header) == 1 and any(mark in header[0] for mark in ";\t|")
