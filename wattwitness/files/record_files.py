"""Exported records into JSON, CSV, .xlsx and parquet."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import date
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pa_parquet

from wattwitness.domain.instants import parse_instant
from wattwitness.files.outputs import Format
from wattwitness.files.record_columns import RECORD_COLUMNS, Columns, Kind
from wattwitness.files.records import Record
from wattwitness.files.workbooks import Workbook

_TYPES: Final = {
    Kind.TEXT: pa.string(),
    Kind.NUMBER: pa.float64(),
    Kind.WHOLE: pa.int64(),
    Kind.FLAG: pa.bool_(),
    Kind.INSTANT: pa.timestamp("us", tz="UTC"),
    Kind.DAY: pa.date32(),
    Kind.IDS: pa.list_(pa.string()),
    Kind.NESTED: pa.string(),
}


def write_records(
    stream: BinaryIO, name: str, records: Sequence[Record], file_format: Format
) -> None:
    """Write records of one kind (`leads`, `episodes`, …).

    JSON: one array. CSV and .xlsx: ids joined by `;`, nested objects as JSON text, 0/1 for flags.
    Parquet: typed columns, nested objects as JSON text.

    Raises:
        InputRefusedError: more than an .xlsx sheet can hold.
    """
    columns = RECORD_COLUMNS[name]
    if file_format is Format.JSON:
        _write_json(stream, records)
    elif file_format is Format.CSV:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(_flat(record, columns) for record in records)
        stream.write(text.getvalue().encode())
    elif file_format is Format.XLSX:
        with Workbook(stream, name, tuple(columns)) as workbook:
            workbook.write(_flat(record, columns) for record in records)
    else:
        pa_parquet.write_table(_table(records, columns), stream)


def _write_json(stream: BinaryIO, records: Sequence[Record]) -> None:
    lines = (json.dumps(record, ensure_ascii=False, allow_nan=False) for record in records)
    body = ",\n".join(lines)
    stream.write(f"[\n{body}\n]\n".encode() if body else b"[]\n")


def _flat(record: Record, columns: Columns) -> list[Any]:
    return [_flat_value(record[name], kind) for name, kind in columns.items()]


def _flat_value(value: Any, kind: Kind) -> Any:
    if value is None:
        return None
    if kind is Kind.IDS:
        return ";".join(value)
    if kind is Kind.NESTED:
        return _json_text(value)
    return int(value) if kind is Kind.FLAG else value


def _table(records: Sequence[Record], columns: Columns) -> pa.Table:
    fields = [pa.field(name, _TYPES[kind]) for name, kind in columns.items()]
    arrays = [
        pa.array([_typed(record[name], kind) for record in records], _TYPES[kind])
        for name, kind in columns.items()
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _typed(value: Any, kind: Kind) -> Any:
    if value is None:
        return None
    if kind is Kind.INSTANT:
        return parse_instant(value)
    if kind is Kind.DAY:
        return date.fromisoformat(value)
    return _json_text(value) if kind is Kind.NESTED else value


def _json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True)
