"""Readings out of the store into files whose import stores nothing new."""

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
from numpy.typing import NDArray

from wattwitness.domain.instants import US_PER_SECOND
from wattwitness.domain.readings import MEASURANDS, NEVER, Readings
from wattwitness.files.outputs import Format
from wattwitness.files.readings_sources import READING_COLUMNS
from wattwitness.files.workbooks import Workbook

_INSTANT: Final = pa.timestamp("us", tz="UTC")
_TYPES: Final[Mapping[str, pa.DataType]] = {
    "circuit_id": pa.string(),
    "ts": _INSTANT,
    **dict.fromkeys(MEASURANDS, pa.float64()),
    "received_at": _INSTANT,
    "resent": pa.bool_(),
}
_SCHEMA: Final = pa.schema([pa.field(name, _TYPES[name]) for name in READING_COLUMNS])
_TEXT_TYPES: Final = {"ts": pa.string(), "received_at": pa.string(), "resent": pa.int8()}
_TEXT_SCHEMA: Final = pa.schema(
    [pa.field(name, _TEXT_TYPES.get(name, _TYPES[name])) for name in READING_COLUMNS]
)


async def export_readings(
    stream: BinaryIO,
    blocks: AsyncIterator[Readings],
    circuit_ids: Mapping[int, str],
    file_format: Format,
) -> int:
    """Write readings as they come, in bounded memory; returns how many.

    Args:
        stream: where to write.
        blocks: readings with registry keys.
        circuit_ids: registry key → circuit id.
        file_format: the format.

    Raises:
        InputRefusedError: more than an .xlsx sheet can hold.
    """
    count = 0
    with _WRITERS[file_format](stream) as writer:
        async for rows in blocks:
            writer.write(rows, _ids(rows, circuit_ids))
            count += len(rows)
    return count


class _Writer(ABC):
    """Takes blocks; leaving the context ends the file."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abandon()

    def abandon(self) -> None:  # noqa: B027 - most writers hold nothing but the stream
        """Let go after an error: what is written is of no use, and is not made to look whole."""

    @abstractmethod
    def write(self, rows: Readings, ids: pa.Array) -> None:
        """Append a block."""

    @abstractmethod
    def close(self) -> None:
        """End the file."""


class _Parquet(_Writer):
    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)
        self._writer = pa_parquet.ParquetWriter(stream, _SCHEMA, compression="zstd")

    def write(self, rows: Readings, ids: pa.Array) -> None:
        self._writer.write_table(_table(rows, ids))

    def close(self) -> None:
        self._writer.close()

    def abandon(self) -> None:
        with suppress(OSError):
            self._writer.close()


class _Csv(_Writer):
    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)
        stream.write((",".join(READING_COLUMNS) + "\n").encode())

    def write(self, rows: Readings, ids: pa.Array) -> None:
        table = _text_table(rows, ids)
        quiet = pa_csv.WriteOptions(include_header=False, quoting_style="none")
        careful = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
        marks = pc.match_substring_regex(ids, '[,"\n\r]')
        plain = pc.any(marks).as_py() is not True
        pa_csv.write_csv(table, self._stream, quiet if plain else careful)

    def close(self) -> None:
        """Nothing follows the last row."""


class _Json(_Writer):
    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)
        self._before = b"[\n"

    def write(self, rows: Readings, ids: pa.Array) -> None:
        records = _text_table(rows, ids).to_pylist()
        lines = [json.dumps(r | {"resent": bool(r["resent"])}, ensure_ascii=False) for r in records]
        self._stream.write(self._before + ",\n".join(lines).encode())
        self._before = b",\n"

    def close(self) -> None:
        self._stream.write(b"[]\n" if self._before == b"[\n" else b"\n]\n")


class _Xlsx(_Writer):
    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)
        self._workbook = Workbook(stream, "readings", READING_COLUMNS)

    def write(self, rows: Readings, ids: pa.Array) -> None:
        columns: Sequence[list[Any]] = [c.to_pylist() for c in _text_table(rows, ids).columns]
        self._workbook.write(zip(*columns, strict=True))

    def close(self) -> None:
        self._workbook.close()

    def abandon(self) -> None:
        self._workbook.abandon()


_WRITERS: Final[Mapping[Format, type[_Writer]]] = {
    Format.JSON: _Json,
    Format.CSV: _Csv,
    Format.XLSX: _Xlsx,
    Format.PARQUET: _Parquet,
}


def _ids(rows: Readings, circuit_ids: Mapping[int, str]) -> pa.Array:
    keys, places = np.unique(rows["circuit"], return_inverse=True)
    names = pa.array([circuit_ids[int(key)] for key in keys], pa.string())
    return names.take(pa.array(places))


def _table(rows: Readings, ids: pa.Array) -> pa.Table:
    return pa.Table.from_arrays(
        [
            ids,
            _instants(rows["ts"]),
            *(pa.array(_column(rows, name), from_pandas=True) for name in MEASURANDS),
            _instants(rows["received_at"]),
            pa.array(_column(rows, "resent")),
        ],
        schema=_SCHEMA,
    )


def _text_table(rows: Readings, ids: pa.Array) -> pa.Table:
    """The same with timestamps as RFC 3339 text and flags as 0/1."""
    table = _table(rows, ids)
    texts = {
        "ts": _instant_texts(rows["ts"]),
        "received_at": _instant_texts(rows["received_at"]),
        "resent": table["resent"].cast(pa.int8()),
    }
    columns = [texts.get(name, table[name]) for name in READING_COLUMNS]
    return pa.Table.from_arrays(columns, schema=_TEXT_SCHEMA)


def _column(rows: Readings, name: str) -> NDArray[Any]:
    return np.ascontiguousarray(rows[name])


def _instants(us: NDArray[np.int64]) -> pa.Array:
    return pa.array(np.ascontiguousarray(us), mask=us == NEVER).cast(_INSTANT)


def _instant_texts(us: NDArray[np.int64]) -> pa.Array:
    """RFC 3339 in UTC, without a fraction where no row of the block has one."""
    absent = us == NEVER
    if absent.all():
        return pa.nulls(len(us), pa.string())
    known = np.where(absent, 0, us)
    instants: NDArray[np.datetime64] = known.astype("datetime64[us]")
    texts = np.datetime_as_string(instants, unit="us" if (known % US_PER_SECOND).any() else "s")
    return pa.array(np.char.add(texts, "Z"), pa.string(), mask=absent)
