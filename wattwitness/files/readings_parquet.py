"""Readings from parquet, in record batches."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from wattwitness.domain.errors import InputRefusedError
from wattwitness.files.readings_columns import is_text
from wattwitness.files.readings_sources import Batch, ReadingsSource, short_reason

_TIMES: Final = ("ts", "received_at")


class ParquetSource(ReadingsSource):
    """Parquet; timestamps in any unit and zone (none = UTC), or RFC 3339 text."""

    def __init__(self, path: Path, chunk_rows: int) -> None:
        try:
            self._file = pa_parquet.ParquetFile(path, memory_map=True)
        except (pa.ArrowException, OSError) as error:
            raise InputRefusedError(
                f"{path.name} is not a whole parquet file ({short_reason(error)})",
                "write or copy it again, or give it as .csv",
            ) from error
        self._chunk_rows = chunk_rows
        schema = self._file.schema_arrow
        try:
            super().__init__(path, schema.names)
            for name in self.columns:
                _check_type(path.name, name, schema.field(name).type)
        except InputRefusedError:
            self._file.close()
            raise

    def batches(self) -> Iterator[Batch]:
        """Record batches; see `ReadingsSource`."""
        total = max(1, self._file.metadata.num_rows)
        done = 0
        try:
            for batch in self._file.iter_batches(self._chunk_rows, columns=list(self.columns)):
                yield Batch(
                    columns=dict(zip(batch.schema.names, batch.columns, strict=True)),
                    row_numbers=np.arange(done + 1, done + 1 + batch.num_rows, dtype=np.int64),
                    malformed=(),
                    share_done=(done + batch.num_rows) / total,
                )
                done += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise InputRefusedError(
                f"{self.path.name} is unreadable after row {done} ({short_reason(error)})",
                "write or copy it again; what was read before that row is kept",
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _check_type(file: str, name: str, kind: pa.DataType) -> None:
    types = pa.types
    numeric = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    if name in _TIMES:
        fits, wanted = types.is_timestamp(kind), "a timestamp, or RFC 3339 text with offset"
    elif name == "circuit_id":
        fits, wanted = False, "text"
    elif name == "resent":
        fits, wanted = types.is_boolean(kind) or types.is_integer(kind), "0/1 or a boolean"
    else:
        fits, wanted = numeric, "a number"
    if not (fits or is_text(kind) or types.is_null(kind)):
        raise InputRefusedError(f"{file}: column {name} is {kind}", f"it has to be {wanted}")
