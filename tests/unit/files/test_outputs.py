import os
import stat
import threading
from pathlib import Path

import pytest

from wattwitness.domain.errors import InputRefusedError, SetupError
from wattwitness.files.outputs import Format, check_target, format_for, open_output
from wattwitness.files.record_files import write_records


@pytest.mark.parametrize(
    ("path", "words"),
    [(".", "is a folder"), ("no/such.json", "does not exist - create it first")],
)
def test_a_place_that_cannot_take_it_is_one_line(tmp_path, path, words):
    with pytest.raises(InputRefusedError, match=words):
        check_target(tmp_path / path)


@pytest.mark.parametrize(
    ("name", "told", "found"),
    [
        (None, None, Format.JSON),
        (None, Format.CSV, Format.CSV),
        ("a.PARQUET", None, Format.PARQUET),
        ("a.csv", Format.CSV, Format.CSV),
        ("a.txt", Format.CSV, Format.CSV),
        ("a", None, Format.JSON),
    ],
)
def test_the_format_is_told_or_read_off_the_name(name, told, found):
    assert format_for(name and Path(name), told) is found


@pytest.mark.parametrize(
    ("name", "told", "words"),
    [
        ("a.parquet", Format.CSV, "ends in .parquet, and --format says csv"),
        ("a.txt", None, "no format is known by the ending of a.txt"),
        (None, Format.XLSX, "name a file: -o export.xlsx"),
        (None, Format.PARQUET, "name a file: -o export.parquet"),
    ],
)
def test_a_name_that_belies_the_format_is_refused(name, told, words):
    with pytest.raises(InputRefusedError, match=words):
        format_for(name and Path(name), told)


@pytest.mark.parametrize("file_format", list(Format))
def test_a_full_device_is_one_line_and_stays_a_device(tmp_path, file_format):
    device = tmp_path / "full"
    device.symlink_to("/dev/full")
    records = [{"circuit_id": "C", "from": "2025-01-01T00:00:00Z", "to": None, "state": "off"}]
    with pytest.raises(SetupError, match="No space left on device"), open_output(device) as stream:
        write_records(stream, "states", records * 50_000, file_format)
    assert device.is_symlink()
    assert stat.S_ISCHR(device.stat().st_mode)
    assert [p.name for p in tmp_path.iterdir()] == ["full"]


def test_a_pipe_is_written_as_it_comes(tmp_path):
    pipe, heard = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()))
    reader.start()
    with open_output(pipe) as stream:
        stream.write(b"new")
    reader.join(10)
    assert heard == [b"new"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_its_target_is_replaced(tmp_path, there):
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "out.json", tmp_path / "link.json"
    if there:
        target.write_text("old")
    link.symlink_to(target)
    check_target(link)
    with open_output(link) as stream:
        stream.write(b"new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "out.json"
    path.write_text("old")

    def half_way() -> None:
        with open_output(path) as stream:
            stream.write(b"new")
            assert path.read_text() == "old"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_way()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]
    with open_output(path) as stream:
        stream.write(b"new")
    assert path.read_text() == "new"


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(SetupError, match="cannot be written"), open_output(tmp_path / "a" / "b"):
        pass
