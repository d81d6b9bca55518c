"""One thing broken in a readings file → one code, one row, one line."""

import gzip
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import to_us
from wattwitness.domain.readings import NEVER
from wattwitness.files.readings_files import ReadingsChunk, read_chunks, read_header

T0 = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = "circuit_id,ts,p_kw,e_kwh,u_a,pf,received_at,resent"
GOOD = "C1,2026-01-01T08:00:00+08:00,12.68,3.17,229.1,0.93,2026-01-01T00:00:05Z,1"


def whole(path: Path, chunk_rows: int = 100_000) -> ReadingsChunk:
    chunks = list(read_chunks(path, chunk_rows))
    assert len(chunks) == 1
    return chunks[0]


def csv_file(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "r.csv"
    path.write_text("\n".join((header, *lines, "")), encoding="utf-8")
    return path


def test_a_row_is_read_to_the_last_digit(tmp_path):
    chunk = whole(csv_file(tmp_path, GOOD))
    row = chunk.rows[0]
    assert chunk.circuits[row["circuit"]] == "C1"
    assert row["ts"] == to_us(T0)
    assert row["received_at"] == to_us(T0) + 5_000_000
    assert (row["p_kw"], row["e_kwh"], row["u_a"], row["pf"]) == (12.68, 3.17, 229.1, 0.93)
    assert np.isnan(row["q_kvar"])
    assert row["resent"]
    assert chunk.row_numbers.tolist() == [2]
    assert (chunk.rows_read, chunk.rejects) == (1, ())


def test_empty_cells_are_not_measured(tmp_path):
    row = whole(csv_file(tmp_path, "C1,2026-01-01T00:00:00Z,,5,,,,")).rows[0]
    assert np.isnan(row["p_kw"])
    assert row["received_at"] == NEVER
    assert not row["resent"]


@pytest.mark.parametrize(
    ("line", "column", "code", "words"),
    [
        ("C1,2026-01-01T08:00:00,1,,,,,", "ts", "no_offset", "append the offset"),
        ("C1,yesterday,1,,,,,", "ts", "wrong_type", "is not a timestamp"),
        ("C1,2026-02-30T00:00:00Z,1,,,,,", "ts", "wrong_type", "is not a timestamp"),
        ("C1,,1,,,,,", "ts", "malformed", "ts is empty"),
        (",2026-01-01T00:00:00Z,1,,,,,", "circuit_id", "malformed", "circuit_id is empty"),
        ("C1,2026-01-01T00:00:00Z,,,229,,,", "p_kw", "no_value", "neither p_kw nor e_kwh"),
        ("C1,2026-01-01T00:00:00Z,x,,,,,", "p_kw", "wrong_type", "is not a number"),
        ("C1,2026-01-01T00:00:00Z,1_0,,,,,", "p_kw", "wrong_type", "is not a number"),
        ("C1,2026-01-01T00:00:00Z,1,12%,,,,", "e_kwh", "wrong_type", "is not a number"),
        ("C1,2026-01-01T00:00:00Z,nan,,,,,", "p_kw", "impossible", "not a finite number"),
        ("C1,2026-01-01T00:00:00Z,-Infinity,,,,,", "p_kw", "impossible", "not a finite number"),
        ("C1,2026-01-01T00:00:00Z,1e999,,,,,", "p_kw", "impossible", "not a finite number"),
        ("C1,2026-01-01T00:00:00Z,1,,,,2026-01-01T00:00:00,", "received_at", "no_offset", "offset"),
        ("C1,2026-01-01T00:00:00Z,1,,,,,yes", "resent", "wrong_type", "neither 0 nor 1"),
        ("C1,2026-01-01T00:00:00Z,1", "", "malformed", "number of cells"),
        ("C1,2026-01-01T00:00:00Z,1,,,,,,9", "", "malformed", "number of cells"),
    ],
)
def test_one_broken_cell_is_one_reject_and_takes_nothing_with_it(
    tmp_path, line, column, code, words
):
    chunk = whole(csv_file(tmp_path, GOOD, line, GOOD))
    (reject,) = chunk.rejects
    assert (reject.row, reject.column, reject.code) == (3, column, code)
    assert words in reject.reason
    assert chunk.row_numbers.tolist() == [2, 4]
    assert chunk.rows_read == 3


def test_white_space_signs_and_spellings_of_an_instant_are_taken(tmp_path):
    lines = [
        " C1 , 2026-01-01T00:00:00Z , +1.50 ,,,,,0",
        "C1,2026-01-01 00:00:00.5+00:00,.5,,,,,",
        "C1,2026-01-01T00:00:00.1234567Z,1e1,,,,,",
    ]
    chunk = whole(csv_file(tmp_path, *lines))
    assert chunk.rejects == ()
    assert chunk.rows["p_kw"].tolist() == [1.5, 0.5, 10.0]
    assert (chunk.rows["ts"] - to_us(T0)).tolist() == [0, 500_000, 123_456]


def test_rows_keep_their_numbers_past_blank_and_malformed_ones(tmp_path):
    chunk = whole(csv_file(tmp_path, GOOD, "", "C1", ",,,,,,,", GOOD, "C1", GOOD, "", ",,,,,,,"))
    assert chunk.row_numbers.tolist() == [2, 6, 8]
    assert [reject.row for reject in chunk.rejects] == [4, 7]
    assert chunk.rows_read == 5


def test_a_malformed_last_row_is_told(tmp_path):
    chunks = list(read_chunks(csv_file(tmp_path, GOOD, "C1,2")))
    assert [r.row for chunk in chunks for r in chunk.rejects] == [3]


def test_a_file_of_many_blocks_is_read_whole_and_in_order(tmp_path):
    lines = [
        f"C{n % 7},{(T0 + timedelta(minutes=n)).isoformat()},{n / 100},,,,," for n in range(20_000)
    ]
    lines[12_345] = "C1,2026"
    chunks = list(read_chunks(csv_file(tmp_path, *lines), chunk_rows=1000))
    assert len(chunks) > 3
    numbers = np.concatenate([chunk.row_numbers for chunk in chunks])
    assert numbers.tolist() == [n + 2 for n in range(20_000) if n != 12_345]
    values = np.concatenate([chunk.rows["p_kw"] for chunk in chunks])
    assert (values == (numbers - 2) / 100).all()
    assert [r.row for chunk in chunks for r in chunk.rejects] == [12_347]
    shares = [chunk.share_done for chunk in chunks]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("packed", [False, True])
def test_chinese_ids_in_every_encoding_packed_or_not(tmp_path, encoding, packed):
    text = f"{HEADER},备注\n" + GOOD.replace("C1", "一号窑") + ",正常\n一号窑,坏\n"
    data = text.encode(encoding)
    path = tmp_path / ("r.csv.gz" if packed else "r.csv")
    path.write_bytes(gzip.compress(data) if packed else data)
    chunk, *more = read_chunks(path)
    assert chunk.circuits[chunk.rows["circuit"][0]] == "一号窑"
    assert read_header(path).unknown_columns == ("备注",)
    rejects = [reject for part in (chunk, *more) for reject in part.rejects]
    assert [(r.row, r.value) for r in rejects] == [(3, "一号窑,坏")]


def test_bytes_of_no_encoding_far_down_refuse_only_their_rows(tmp_path):
    path = tmp_path / "r.csv"
    filler = f"{GOOD}\n".encode() * 20_000  # beyond what the encoding is judged by
    path.write_bytes(f"{HEADER}\n".encode() + filler + b"C\xff\xfe,2\n" + filler)
    chunks = list(read_chunks(path))
    assert sum(len(chunk.rows) for chunk in chunks) == 40_000
    assert [r.row for chunk in chunks for r in chunk.rejects] == [20_002]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"circuit_id,p_kw\nC1,1\n", "has no column ts - found: circuit_id, p_kw"),
        (b"ts,p_kw\n", "has no column circuit_id"),
        (b"circuit_id,ts,u_a\n", "neither a column p_kw nor e_kwh"),
        (b"circuit_id,ts,p_kw,p_kw\n", "has the column p_kw twice"),
        (b"circuit_id;ts;p_kw\n", "separate the columns by commas"),
        ("circuit_id,ts,p_kw\n".encode("utf-16"), "is UTF-16"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a text file"),
        (b"PK\x03\x04rubbish", "not an .xlsx workbook"),
        (b"PAR1rubbish", "not a whole parquet file"),
        (b"\x1f\x8brubbish", "not a whole gzip file"),
        (b"circuit_id,ts,p_kw\n\xff\xff\xff", "neither UTF-8 nor GB18030"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(tmp_path, content, words):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(InputRefusedError) as refusal:
        read_header(path)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("fake.xlsx", b"circuit_id,ts,p_kw\n", "fake.xlsx is not an .xlsx workbook"),
        ("fake.csv.gz", b"circuit_id,ts,p_kw\n", "fake.csv.gz is not a gzip file - name it .csv"),
        ("file.txt", b"Dear all,\nhello\n", "file.txt is no readings file"),
        ("x.json", b"circuit_id,ts,p_kw\n", "x.json is not JSON that can be read"),
        ("x.json", b'{"circuit_id": "C1"}', "JSON has to be one array of objects"),
        ("x.json", b"[1, 2]", "JSON has to be one array of objects"),
        ("leads.json", b'[{"lead_id": "L1"}]', "leads.json is no readings file"),
        ("x.json", b'[{"circuit_id": "C1"}]', "x.json has no column ts"),
        ("x.json", b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_name_that_belies_the_content_is_told(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputRefusedError) as refusal:
        read_header(path)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["nothing.csv", "."])
def test_what_is_not_there_or_is_a_folder(tmp_path, name):
    with pytest.raises(InputRefusedError, match="check the path"):
        read_header(tmp_path / name)


def test_a_header_alone_holds_no_readings(tmp_path):
    assert sum(chunk.rows_read for chunk in read_chunks(csv_file(tmp_path))) == 0


def test_a_torn_gzip_keeps_what_came_before(tmp_path):
    lines = "\n".join(
        f"C1,{(T0 + timedelta(minutes=n)).isoformat()},{n * 0.37}" for n in range(60_000)
    )
    data = gzip.compress(f"circuit_id,ts,p_kw\n{lines}\n".encode())
    path = tmp_path / "torn.csv.gz"
    path.write_bytes(data[: len(data) * 3 // 4])
    chunks = read_chunks(path, 1000)
    kept: list[ReadingsChunk] = []
    with pytest.raises(InputRefusedError, match="what was read before that row is kept"):
        kept.extend(chunks)  # extends by what came before the error
    assert sum(len(chunk.rows) for chunk in kept) > 10_000


INSTANTS = [
    pa.array([T0], pa.timestamp("s", tz="UTC")),
    pa.array([T0], pa.timestamp("ms", tz="Asia/Shanghai")),
    pa.array([T0], pa.timestamp("us", tz="UTC")),
    pa.array([T0], pa.timestamp("ns", tz="+08:00")),
    pa.array([T0.replace(tzinfo=None)], pa.timestamp("us")),  # no zone: UTC by contract
    pa.array(["2026-01-01T08:00:00+08:00"]),
    pa.array(["2026-01-01T00:00:00Z"], pa.large_string()),
    pa.array(["2026-01-01T00:00:00Z"]).dictionary_encode(),
]


@pytest.mark.parametrize("ts", INSTANTS, ids=lambda a: str(a.type))
def test_parquet_takes_every_kind_of_instant(tmp_path, ts):
    path = tmp_path / "r.parquet"
    pq.write_table(pa.table({"circuit_id": ["C1"], "ts": ts, "p_kw": [1.5]}), path)
    chunk = whole(path)
    assert chunk.rejects == ()
    assert chunk.rows["ts"].tolist() == [to_us(T0)]


def test_parquet_takes_many_types_and_nan_as_not_measured(tmp_path):
    path = tmp_path / "r.parquet"
    table = pa.table(
        {
            "circuit_id": pa.array(["C1", "C2", "C1"]).dictionary_encode(),
            "ts": pa.array([T0] * 3, pa.timestamp("us", tz="UTC")),
            "p_kw": pa.array([1, None, 3], pa.int32()),
            "e_kwh": pa.array([float("nan"), 2.5, float("inf")]),
            "u_a": pa.array(["229.1", "", None]),
            "q_kvar": pa.nulls(3),
            "resent": pa.array([True, None, False]),
            "colour": pa.array(["red"] * 3),
        }
    )
    pq.write_table(table, path)
    chunk = whole(path)
    assert [chunk.circuits[c] for c in chunk.rows["circuit"]] == ["C1", "C2"]
    np.testing.assert_array_equal(chunk.rows["p_kw"], [1.0, np.nan])
    np.testing.assert_array_equal(chunk.rows["e_kwh"], [np.nan, 2.5])
    assert chunk.rows["resent"].tolist() == [True, False]
    assert [(r.row, r.column, r.code) for r in chunk.rejects] == [(3, "e_kwh", "impossible")]
    assert read_header(path).unknown_columns == ("colour",)


def test_parquet_refuses_text_without_offset_by_row(tmp_path):
    path = tmp_path / "r.parquet"
    ts = ["2026-01-01T00:00:00Z", "2026-01-01T00:01:00"]
    pq.write_table(pa.table({"circuit_id": ["C1"] * 2, "ts": ts, "p_kw": [1.0, 2.0]}), path)
    chunk = whole(path)
    assert [(r.row, r.code) for r in chunk.rejects] == [(2, "no_offset")]


@pytest.mark.parametrize(
    ("column", "values", "wanted"),
    [
        ("ts", pa.array([1767225600000]), "a timestamp, or RFC 3339 text with offset"),
        ("ts", pa.array([T0.date()]), "a timestamp, or RFC 3339 text with offset"),
        ("circuit_id", pa.array([1]), "text"),
        ("p_kw", pa.array([[1.0]]), "a number"),
        ("p_kw", pa.array([True]), "a number"),
        ("resent", pa.array([0.5]), "0/1 or a boolean"),
    ],
)
def test_parquet_of_a_wrong_type_is_refused(tmp_path, column, values, wanted):
    columns = {"circuit_id": pa.array(["C1"]), "ts": pa.array([T0]), "p_kw": pa.array([1.0])}
    path = tmp_path / "r.parquet"
    pq.write_table(pa.table(columns | {column: values}), path)
    with pytest.raises(InputRefusedError) as refusal:
        read_header(path)
    assert f"column {column} is" in str(refusal.value)
    assert str(refusal.value).endswith(f"it has to be {wanted}")


def test_a_workbook_is_read_and_its_dates_are_refused(tmp_path):
    path = tmp_path / "r.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("readings")
        sheet.write_row(0, 0, ["circuit_id", "ts", "p_kw"])
        sheet.write_row(1, 0, ["C1", "2026-01-01T08:00:00+08:00", 12.68])
        sheet.write_row(2, 0, ["C1"])
        local = datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=8))).replace(tzinfo=None)
        sheet.write_datetime(2, 1, local, book.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
        sheet.write_number(2, 2, 1)
        book.add_worksheet("notes").write_string(0, 0, "anything")
    chunk = whole(path)
    assert chunk.rows["p_kw"].tolist() == [12.68]
    assert [(r.row, r.column, r.code) for r in chunk.rejects] == [(3, "ts", "no_offset")]


def test_a_workbook_without_a_readings_sheet_is_refused(tmp_path):
    path = tmp_path / "r.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("a").write_string(0, 0, "x")
        book.add_worksheet("b").write_string(0, 0, "x")
    with pytest.raises(InputRefusedError, match="has no sheet readings"):
        read_header(path)
