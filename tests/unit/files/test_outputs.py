import pytest

from wattwitness.domain.errors import InputRefusedError, SetupError
from wattwitness.files.outputs import Format, check_target, open_output


@pytest.mark.parametrize(
    ("path", "file_format", "words"),
    [
        (None, Format.XLSX, "name a file: -o export.xlsx"),
        (None, Format.PARQUET, "name a file: -o export.parquet"),
        (".", Format.JSON, "is a folder"),
        ("no/such.json", Format.JSON, "does not exist - create it first"),
    ],
)
def test_a_place_that_cannot_take_it_is_one_line(tmp_path, path, file_format, words):
    with pytest.raises(InputRefusedError, match=words):
        check_target(path and tmp_path / path, file_format)


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
