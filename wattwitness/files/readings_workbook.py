"""Readings from an .xlsx workbook: its sheet `readings`, or its only sheet.

A sheet ends at about a million rows, so it is read whole.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from wattwitness.domain.errors import InputRefusedError
from wattwitness.files.readings_sources import Batch, ReadingsSource
from wattwitness.files.sheets import Sheet, read_workbook

SHEET = "readings"


class WorkbookSource(ReadingsSource):
    """Cells as text, as their user reads them; a spreadsheet's dates have no offset."""

    def __init__(self, path: Path, chunk_rows: int) -> None:
        sheets = read_workbook(path)
        self._sheet = _chosen(path, sheets)
        self._chunk_rows = chunk_rows
        super().__init__(path, self._sheet.header)

    def batches(self) -> Iterator[Batch]:
        """Slices of the sheet; see `ReadingsSource`."""
        rows = self._sheet.rows
        malformed = list(self._sheet.malformed.items())
        for start in range(0, max(1, len(rows)), self._chunk_rows):
            part = rows[start : start + self._chunk_rows]
            yield Batch(
                columns={
                    name: pa.array([row.cells[name] for row in part], pa.string())
                    for name in self.columns
                },
                row_numbers=np.array([row.number for row in part], dtype=np.int64),
                malformed=malformed if start == 0 else (),
                share_done=min(1.0, (start + len(part)) / max(1, len(rows))),
            )

    def close(self) -> None:
        """Nothing is open."""


def _chosen(path: Path, sheets: dict[str, Sheet]) -> Sheet:
    if SHEET in sheets:
        return sheets[SHEET]
    if len(sheets) != 1:
        found = ", ".join(sheets) or "nothing"
        raise InputRefusedError(
            f"{path.name} has no sheet {SHEET} (found {found})", f"name the sheet {SHEET}"
        )
    return next(iter(sheets.values()))
