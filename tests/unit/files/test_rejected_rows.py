import csv
from pathlib import Path

import pytest

from wattwitness.domain.errors import SetupError
from wattwitness.files.rejected_rows import RejectLog, RowReject


def reject(row: int) -> RowReject:
    return RowReject(
        file="r.csv", row=row, column="ts", code="no_offset", reason="no, offset", value="一"
    )


def test_no_rejects_leave_no_file(tmp_path):
    with RejectLog("r.csv", [tmp_path], "a/r.csv") as log:
        log.add([])
    assert (log.path, log.count, list(tmp_path.iterdir())) == (None, 0, [])


def test_the_first_are_remembered_and_all_are_written(tmp_path):
    with RejectLog("r.csv", [tmp_path / "missing", tmp_path], "a/r.csv", keep=2) as log:
        log.add(reject(n) for n in range(2, 5))
        log.add([reject(9)])
    assert [r.row for r in log.first] == [2, 3]
    assert log.count == 4
    assert log.path == tmp_path / "r.csv.rejected.csv"
    with log.path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["row"] for row in rows] == ["2", "3", "4", "9"]
    assert (rows[0]["reason"], rows[0]["value"]) == ("no, offset", "一")
    assert {row["file"] for row in rows} == {"a/r.csv"}
    assert str(log.first[0]) == "row 2, ts: no, offset"


def test_nowhere_to_write_is_one_line(tmp_path):
    with (
        RejectLog("r.csv", [tmp_path / "missing"], "a/r.csv") as log,
        pytest.raises(SetupError, match="run"),
    ):
        log.add([reject(1)])


def written(folder, source, *rows):
    with RejectLog("r.csv", [folder], source) as log:
        log.add(reject(n) for n in rows)
    return log.path.name


def test_lists_of_two_files_with_one_name_stand_side_by_side(tmp_path):
    for _ in range(2):  # and the same files again write over their own lists
        assert written(tmp_path, "a/r.csv", 2) == "r.csv.rejected.csv"
        assert written(tmp_path, "b/r.csv", 3) == "r.csv.rejected.2.csv"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("content", [b"", b"mine\n", b"\xff\xfe", b"file,row\na/r.csv,1\n"])
def test_a_file_of_the_users_is_never_written_over(tmp_path, content):
    own = tmp_path / "r.csv.rejected.csv"
    own.write_bytes(content)
    (tmp_path / "r.csv.rejected.2.csv").mkdir()
    assert written(tmp_path, "a/r.csv", 2) == "r.csv.rejected.3.csv"
    assert own.read_bytes() == content


def test_a_disk_that_is_full_at_the_end_is_one_line(tmp_path):
    log = RejectLog("r", [tmp_path], "r")
    log.add([reject(1)])
    log._file.close()
    log._file = Path("/dev/full").open("w")  # noqa: SIM115 - the log closes it
    log.add([reject(2)])
    with pytest.raises(SetupError, match="No space left"):
        log.__exit__(None, None, None)
