import csv

import pytest

from wattwitness.domain.errors import SetupError
from wattwitness.files.rejected_rows import RejectLog, RowReject


def reject(row: int) -> RowReject:
    return RowReject(
        file="r.csv", row=row, column="ts", code="no_offset", reason="no, offset", value="一"
    )


def test_no_rejects_leave_no_file(tmp_path):
    with RejectLog("r.csv", [tmp_path]) as log:
        log.add([])
    assert (log.path, log.count, list(tmp_path.iterdir())) == (None, 0, [])


def test_the_first_are_remembered_and_all_are_written(tmp_path):
    with RejectLog("r.csv", [tmp_path / "missing", tmp_path], keep=2) as log:
        log.add(reject(n) for n in range(2, 5))
        log.add([reject(9)])
    assert [r.row for r in log.first] == [2, 3]
    assert log.count == 4
    assert log.path == tmp_path / "r.csv.rejected.csv"
    with log.path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["row"] for row in rows] == ["2", "3", "4", "9"]
    assert (rows[0]["reason"], rows[0]["value"]) == ("no, offset", "一")
    assert str(log.first[0]) == "row 2, ts: no, offset"


def test_nowhere_to_write_is_one_line(tmp_path):
    with RejectLog("r.csv", [tmp_path / "missing"]) as log, pytest.raises(SetupError, match="run"):
        log.add([reject(1)])
