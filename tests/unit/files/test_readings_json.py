"""Readings as JSON: one array of objects, of any length, decoded piece by piece."""

import json
from pathlib import Path

import numpy as np
import pytest

from wattwitness.domain.errors import InputRefusedError
from wattwitness.files import readings_json
from wattwitness.files.readings_files import ReadingsChunk, read_chunks, read_header

TS = "2026-01-01T00:00:00Z"


def json_file(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "r.json"
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("indent", [None, 2])
def test_objects_are_rows_and_what_is_left_out_is_not_measured(tmp_path, encoding, indent):
    records = [
        {"circuit_id": "一号窑", "ts": "2026-01-01T08:00:00+08:00", "e_kwh": 3},
        {"circuit_id": "C1", "ts": TS, "p_kw": 12.68, "e_kwh": None, "resent": True, "x": 1},
    ]
    text = json.dumps(records, ensure_ascii=False, indent=indent)
    (chunk,) = read_chunks(json_file(tmp_path, text, encoding))
    assert chunk.rejects == ()
    assert [chunk.circuits[c] for c in chunk.rows["circuit"]] == ["一号窑", "C1"]
    np.testing.assert_array_equal(chunk.rows["p_kw"], [np.nan, 12.68])
    np.testing.assert_array_equal(chunk.rows["e_kwh"], [3.0, np.nan])
    assert chunk.rows["ts"][0] == chunk.rows["ts"][1]
    assert chunk.rows["resent"].tolist() == [False, True]
    assert chunk.row_numbers.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("item", "column", "code"),
    [
        ('{"circuit_id": "C1", "ts": "2026-01-01T00:00:00", "p_kw": 1}', "ts", "no_offset"),
        (f'{{"circuit_id": "C1", "ts": "{TS}", "p_kw": "x"}}', "p_kw", "wrong_type"),
        (f'{{"circuit_id": "C1", "ts": "{TS}", "p_kw": true}}', "p_kw", "wrong_type"),
        (f'{{"circuit_id": "C1", "ts": "{TS}", "p_kw": [1]}}', "p_kw", "wrong_type"),
        (f'{{"circuit_id": "C1", "ts": "{TS}", "p_kw": NaN}}', "p_kw", "impossible"),
        (f'{{"circuit_id": "C1", "ts": "{TS}", "p_kw": 1e999}}', "p_kw", "impossible"),
        (f'{{"circuit_id": "C1", "ts": "{TS}", "resent": 2, "p_kw": 1}}', "resent", "wrong_type"),
        (f'{{"circuit_id": "C1", "ts": "{TS}"}}', "p_kw", "no_value"),
        (f'{{"ts": "{TS}", "p_kw": 1}}', "circuit_id", "malformed"),
        (f'{{"circuit_id": "C1", "ts": "{TS}\\ud800", "p_kw": 1}}', "ts", "wrong_type"),
        ("17", "", "malformed"),
    ],
)
def test_one_broken_object_is_one_reject_and_takes_nothing_with_it(tmp_path, item, column, code):
    good = f'{{"circuit_id": "C1", "ts": "{TS}", "p_kw": 1.5}}'
    (chunk,) = read_chunks(json_file(tmp_path, f"[{good}, {item}, {good}]"))
    assert [(r.row, r.column, r.code) for r in chunk.rejects] == [(2, column, code)]
    assert chunk.row_numbers.tolist() == [1, 3]
    assert chunk.rows_read == 3


@pytest.mark.parametrize("block_chars", [1, 7, 1 << 20])
def test_the_size_of_a_block_does_not_matter(tmp_path, monkeypatch, block_chars):
    monkeypatch.setattr(readings_json, "_BLOCK_CHARS", block_chars)
    records = [{"circuit_id": f"C{n}", "ts": TS, "p_kw": n * 12.5} for n in range(50)]
    chunks = list(read_chunks(json_file(tmp_path, json.dumps(records)), 20))
    assert np.concatenate([c.rows["p_kw"] for c in chunks]).tolist() == [
        n * 12.5 for n in range(50)
    ]
    assert chunks[-1].share_done == 1.0


@pytest.mark.parametrize("ending", ["", ", nonsense", "]]", "] 5"])
def test_what_came_before_an_error_is_kept(tmp_path, ending):
    record = json.dumps({"circuit_id": "C1", "ts": TS, "p_kw": 1})
    path = json_file(tmp_path, f"[{record}, {record}{ending}")
    kept: list[ReadingsChunk] = []
    with pytest.raises(InputRefusedError, match=r"unreadable after row 2 \(.*row is kept"):
        kept.extend(read_chunks(path))  # extends by what came before the error
    assert sum(len(chunk.rows) for chunk in kept) == 2


def test_unknown_columns_are_told_and_an_empty_array_holds_no_readings(tmp_path):
    path = json_file(
        tmp_path, f'[{{"circuit_id": "C1", "ts": "{TS}", "p_kw": 1, "colour": "red"}}]'
    )
    assert read_header(path).unknown_columns == ("colour",)
    assert list(read_chunks(json_file(tmp_path, " [ ]\n"))) == []
