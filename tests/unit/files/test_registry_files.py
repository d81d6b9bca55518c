"""One thing broken in a registry → one reject with file, row, column and reason."""

from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
import xlsxwriter

from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.registry import Grade, MeasureAction, Registry
from wattwitness.files.registry_files import RegistryFiles, read_registry

SHEETS = {
    "enterprises": [
        "enterprise_id,name,grade,positive_list,verified_from,verified_to",
        "E1,济南一厂,B-,1,2026-01-01T00:00:00+08:00,2026-02-01T00:00:00+08:00",
        "E2,Second,,,,",
    ],
    "gateways": ["gateway_id,enterprise_id,interval_s", "G1,E1,60", "G2,E2,"],
    "circuits": [
        "circuit_id,gateway_id,channel,role,line,parent_circuit_id",
        "E1-M,G1,M1,main,,",
        "E1-P,G1,P1,production,L1,E1-M",
        "E1-T1,G1,T1,treatment,,E1-M",
        "E1-T2,G1,T2,treatment,,E1-M",
        "E2-P,G2,P1,production,,",
    ],
    "pairings": ["pairing_id,production,treatment,require", "A,E1-P,E1-T1; E1-T2,1"],
    "measures": [
        "enterprise_id,level,action,scope,limit_pct,hours",
        "E1,orange,limit,L1,50,",
        "E1,red,hours,E1-P,,22:00-06:00",
        "E1,yellow,stop,,,",
    ],
    "alerts": [
        "alert_id,level,issued_at,response_from,lifted_at,districts",
        "A1,red,2026-01-01T00:00:00Z,2026-01-02T00:00:00Z,,历下;市中",
    ],
    "alert_changes": [
        "alert_id,level,issued_at,response_from",
        "A1,yellow,2026-01-04T00:00:00Z,2026-01-05T00:00:00Z",
        "A1,orange,2026-01-03T00:00:00Z,2026-01-03T06:00:00Z",
    ],
    "declarations": [
        "enterprise_id,from,to,reason,circuits,status",
        "E1,2026-01-01T00:00:00Z,2026-01-02T00:00:00Z,maintenance,E1-T1,filed",
        "E1,2026-01-01T00:00:00Z,2026-01-02T00:00:00Z,maintenance,E1-T2,",
    ],
    "inspections": [
        "enterprise_id,from,to",
        "E1,2026-01-01T00:00:00Z,2026-01-01T02:00:00Z",
    ],
}


def folder_of(folder: Path, sheets: dict[str, list[str]], encoding: str = "utf-8") -> Path:
    for noun, lines in sheets.items():
        (folder / f"{noun}.csv").write_text("\n".join([*lines, ""]), encoding=encoding)
    return folder


def workbook_of(path: Path, sheets: dict[str, list[str]]) -> Path:
    with xlsxwriter.Workbook(path, {"strings_to_numbers": True}) as book:
        for noun, lines in sheets.items():
            sheet = book.add_worksheet(noun)
            for row, line in enumerate(lines):
                for column, cell in enumerate(line.split(",")):
                    sheet.write(row, column, cell)
    return path


def rejects_of(found: RegistryFiles) -> list[tuple[str, int, str]]:
    return [(r.file, r.row, r.column) for report in found.reports for r in report.rejects]


def test_a_whole_registry(tmp_path):
    found = read_registry(folder_of(tmp_path, SHEETS), Registry())
    registry = found.registry
    assert rejects_of(found) == []
    assert [(r.noun, r.rows_read, r.error) for r in found.reports] == [
        (noun, len(lines) - 1, "") for noun, lines in SHEETS.items()
    ]
    one = registry.enterprises["E1"]
    assert (one.name, one.grade, one.positive_list) == ("济南一厂", Grade.B_MINUS, True)
    assert one.verified_from == datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert registry.gateways["G2"].interval_s == 60
    assert registry.circuits["E1-P"].parent_circuit_id == "E1-M"
    assert registry.circuits["E1-P"].register_resolution_kwh == 0.01
    assert registry.pairings["A"].treatment == ("E1-T1", "E1-T2")
    assert registry.measures[1].hours == (time(22), time(6))
    assert registry.measures[2].action is MeasureAction.STOP
    assert registry.measures[2].scope == ("*",)
    assert registry.alerts["A1"].districts == ("历下", "市中")
    changes = registry.alerts["A1"].changes
    assert [(c.level.value, c.response_from.day) for c in changes] == [("orange", 3), ("yellow", 5)]
    assert len(registry.declarations) == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_every_encoding_gives_the_same_registry(tmp_path, encoding):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plain = read_registry(folder_of(tmp_path / "a", SHEETS), Registry())
    other = read_registry(folder_of(tmp_path / "b", SHEETS, encoding), Registry())
    assert other.registry == plain.registry


def test_a_workbook_gives_the_same_registry(tmp_path):
    plain = read_registry(folder_of(tmp_path, SHEETS), Registry())
    book = workbook_of(tmp_path / "registry.xlsx", SHEETS | {"notes": ["anything"]})
    found = read_registry(book, Registry())
    assert rejects_of(found) == []
    assert found.registry == plain.registry
    assert found.left_alone == ("notes",)


BROKEN = [
    ("enterprises", ",Nameless,,,,", "enterprise_id", "enterprise_id is empty"),
    ("enterprises", "E3,,,,,", "name", "name is empty"),
    ("enterprises", "E1,Again,,,,", "enterprise_id", "the same enterprise_id as in row 2"),
    ("enterprises", "E3,X,b,,,", "grade", "is not one of A, B, B-, C, D, leading, none"),
    ("enterprises", "E3,X,,yes,,", "positive_list", "neither 0 nor 1"),
    ("enterprises", "E3,X,,,2026-01-01,", "verified_from", "has no offset - append the offset"),
    ("enterprises", "E3,X,,,2026-01-01T00:00:00Z,", "verified_to", "are given together"),
    ("enterprises", "E;3,X,,,,", "enterprise_id", "cannot be an id"),
    ("gateways", "G3,E9,60", "enterprise_id", "no enterprise 'E9'"),
    ("gateways", "G/3,E1,60", "gateway_id", "cannot be a gateway id"),
    ("gateways", "G3,E1,0", "interval_s", "not a whole number from 1 to 86400"),
    ("gateways", "G3,E1,1.5", "interval_s", "not a whole number"),
    ("circuits", "X,G9,C,main,,", "gateway_id", "no gateway 'G9'"),
    ("circuits", "X,G1,P1,main,,", "channel", "channel 'P1' of G1 belongs to circuit E1-P"),
    ("circuits", "X,G1,C,fan,,", "role", "is not one of main, production"),
    ("circuits", "X,G1,C,main,,E9-M", "parent_circuit_id", "no circuit 'E9-M'"),
    ("circuits", "X,G1,C,main,,X", "parent_circuit_id", "metered under itself"),
    ("circuits", "X,G2,C,main,,E1-M", "parent_circuit_id", "belongs to another enterprise"),
    ("pairings", "B,E1-P,E2-P,", "treatment", "belongs to another enterprise"),
    ("pairings", "B,E1-P,NONE,", "treatment", "no circuit 'NONE'"),
    ("pairings", "B,E1-P,E1-P,", "treatment", "production and treatment at once"),
    ("pairings", "B,;,E1-T1,", "production", "names no circuit"),
    ("pairings", "B,E1-P,E1-T1,2", "require", "2 units are required, 1 are named"),
    ("pairings", "B,E1-P,E1-T1,most", "require", "not one of all, any, lines"),
    ("measures", "E1,red,limit,*,,", "limit_pct", "a limit needs limit_pct"),
    ("measures", "E1,red,limit,*,120,", "limit_pct", "out of bounds"),
    ("measures", "E1,red,hours,*,,", "hours", "hours needs the span"),
    ("measures", "E1,red,hours,*,,25:00-06:00", "hours", "not a span of hours"),
    ("measures", "E1,red,hours,*,,morning", "hours", "not a span of hours"),
    ("measures", "E1,purple,stop,*,,", "level", "is not one of yellow, orange, red"),
    ("measures", "E1,red,stop,L9,,", "scope", "neither a circuit nor a line of E1"),
    ("measures", "E1,yellow,stop,*,,", "enterprise_id", "the same enterprise_id, level, action"),
    ("alerts", "A2,red,2026-01-01T00:00:00,2026-01-02T00:00:00Z,,", "issued_at", "no offset"),
    (
        "alerts",
        "A2,red,2026-01-02T00:00:00Z,2026-01-02T00:00:00Z,2026-01-01T00:00:00Z,",
        "lifted_at",
        "lifted_at is not after issued_at",
    ),
    (
        "alerts",
        "A2,red,2026-01-01T00:00:00Z,2026-01-02T00:00:00Z,2026-01-01T00:00:00Z,",
        "lifted_at",
        "lifted_at is not after issued_at",
    ),
    (
        "alerts",
        "A2,red,2026-01-02T00:00:00Z,2026-01-01T00:00:00Z,2026-01-03T00:00:00Z,",
        "response_from",
        "response_from is before issued_at",
    ),
    (
        "alert_changes",
        "A9,red,2026-01-03T00:00:00Z,2026-01-03T00:00:00Z",
        "alert_id",
        "no alert 'A9' - add it to alerts first",
    ),
    (
        "alert_changes",
        "A1,red,2026-01-03T12:00:00Z,2026-01-03T11:00:00Z",
        "response_from",
        "response_from is before issued_at",
    ),
    (
        "alert_changes",
        "A1,red,2025-12-31T00:00:00Z,2026-01-03T11:00:00Z",
        "issued_at",
        "issued before the alert",
    ),
    (
        "alert_changes",
        "A1,red,2026-01-01T12:00:00Z,2026-01-01T12:00:00Z",
        "response_from",
        "begins before the alert does",
    ),
    (
        "alert_changes",
        "A1,red,2026-01-03T00:00:00Z,2026-01-09T00:00:00Z",
        "alert_id",
        "the same alert_id, issued_at as in row 3",
    ),
    ("declarations", "E1,2026-01-02T00:00:00Z,2026-01-01T00:00:00Z,trial,,", "to", "not after"),
    (
        "declarations",
        "E1,2026-01-02T00:00:00Z,2026-01-03T00:00:00Z,trial,E2-P,",
        "circuits",
        "another enterprise",
    ),
    (
        "declarations",
        "E1,2026-01-02T00:00:00Z,2026-01-03T00:00:00Z,fun,,",
        "reason",
        "is not one of maintenance",
    ),
    ("inspections", "E9,2026-01-02T00:00:00Z,2026-01-03T00:00:00Z", "enterprise_id", "'E9'"),
    ("inspections", "E1,2026-01-02T00:00:00Z,2026-01-03T00:00:00Z,x", "", "more cells"),
]


@pytest.mark.parametrize(("noun", "line", "column", "words"), BROKEN, ids=lambda v: str(v)[:30])
def test_one_broken_row_is_one_reject_and_takes_nothing_with_it(
    tmp_path, noun, line, column, words
):
    good = read_registry(folder_of(tmp_path, SHEETS), Registry())
    row = len(SHEETS[noun]) + 1
    found = read_registry(folder_of(tmp_path, SHEETS | {noun: [*SHEETS[noun], line]}), Registry())
    assert rejects_of(found) == [(f"{noun}.csv", row, column)]
    (reject,) = (r for report in found.reports for r in report.rejects)
    assert words in reject.reason
    assert found.registry == good.registry


def test_a_refused_reference_is_told_as_it_stands_in_the_file(tmp_path):
    sheets = SHEETS | {
        "gateways": [*SHEETS["gateways"], "G3,E9,60", "G1,E2,60"],
        "pairings": [*SHEETS["pairings"], "B,E1-P,E1-T1; NONE,"],
    }
    found = read_registry(folder_of(tmp_path, sheets), Registry())
    told = {(r.row, r.column): r.value for report in found.reports for r in report.rejects}
    assert told == {
        (4, "enterprise_id"): "E9",
        (5, "gateway_id"): "G1",
        (3, "treatment"): "E1-T1; NONE",
    }


def test_a_refused_row_takes_with_it_what_refers_to_it(tmp_path):
    sheets = SHEETS | {"enterprises": ["enterprise_id,name", "E1,", "E2,Second"]}
    found = read_registry(folder_of(tmp_path, sheets), Registry())
    assert set(found.registry.enterprises) == {"E2"}
    assert set(found.registry.circuits) == {"E2-P"}
    assert found.registry.pairings == {}
    assert found.registry.measures == ()


def test_a_cycle_of_meters_is_refused_and_nothing_else(tmp_path):
    lines = ["circuit_id,gateway_id,channel,role,parent_circuit_id"]
    lines += ["A,G1,a,main,B", "B,G1,b,main,C", "C,G1,c,main,A", "D,G1,d,main,"]
    sheets = {"enterprises": SHEETS["enterprises"], "gateways": SHEETS["gateways"]}
    found = read_registry(folder_of(tmp_path, sheets | {"circuits": lines}), Registry())
    assert [row for _, row, _ in rejects_of(found)] == [2, 3, 4]
    assert set(found.registry.circuits) == {"D"}


def test_one_file_alone_may_refer_to_what_is_stored(tmp_path):
    known = read_registry(folder_of(tmp_path, SHEETS), Registry()).registry
    alone = tmp_path / "pairings.csv"
    alone.write_text("pairing_id,production,treatment\nB,E1-P,E1-T2\n")
    assert set(read_registry(alone, known).registry.pairings) == {"B"}
    assert rejects_of(read_registry(alone, Registry())) == [("pairings.csv", 2, "production")]


def test_a_stored_channel_is_not_taken_by_another_circuit(tmp_path):
    known = read_registry(folder_of(tmp_path, SHEETS), Registry()).registry
    alone = tmp_path / "circuits.csv"
    alone.write_text("circuit_id,gateway_id,channel,role\nNEW,G1,P1,production\n")
    assert rejects_of(read_registry(alone, known)) == [("circuits.csv", 2, "channel")]
    swapped = "E1-T1,G1,T2,treatment\nE1-T2,G1,T1,treatment\n"
    alone.write_text(f"circuit_id,gateway_id,channel,role\n{swapped}")
    assert rejects_of(read_registry(alone, known)) == []


def test_changes_alone_refer_to_a_stored_alert_and_may_not_follow_its_lift(tmp_path):
    stored = read_registry(folder_of(tmp_path, SHEETS), Registry()).registry
    alert = replace(stored.alerts["A1"], lifted_at=datetime(2026, 1, 4, tzinfo=UTC))
    known = replace(stored, alerts={"A1": alert})
    found = read_registry(tmp_path / "alert_changes.csv", known)
    assert rejects_of(found) == [("alert_changes.csv", 2, "issued_at")]
    assert [c.level.value for c in found.registry.alerts["A1"].changes] == ["orange"]
    assert found.registry.alerts["A1"].lifted_at == alert.lifted_at


def test_columns_that_a_file_does_not_have_keep_what_is_stored(tmp_path):
    known = read_registry(folder_of(tmp_path, SHEETS), Registry()).registry
    alone = tmp_path / "enterprises.csv"
    alone.write_text("enterprise_id,name,positive_list\nE1,Renamed,\n")
    one = read_registry(alone, known).registry.enterprises["E1"]
    assert (one.name, one.grade) == ("Renamed", Grade.B_MINUS)
    assert not one.positive_list  # the column is there, and empty


def test_unknown_columns_and_files_are_told(tmp_path):
    folder_of(tmp_path, {"enterprises": ["enterprise_id,name,colour", "E1,One,red"]})
    (tmp_path / "other.csv").write_text("a\n")
    found = read_registry(tmp_path, Registry())
    assert found.reports[0].unknown_columns == ("colour",)
    assert found.left_alone == ("other.csv",)


def test_a_missing_column_refuses_that_file_only(tmp_path):
    sheets = SHEETS | {"alerts": ["alert_id,level", "A1,red"]}
    found = read_registry(folder_of(tmp_path, sheets), Registry())
    (error,) = [report.error for report in found.reports if report.error]
    assert error == (
        "alerts.csv has no column issued_at and no column response_from"
        " - add it; found: alert_id, level"
    )
    assert found.registry.alerts == {}
    assert len(found.registry.circuits) == 5


def test_spreadsheet_dates_and_rounded_numbers_are_refused(tmp_path):
    path = tmp_path / "r.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("enterprises")
        sheet.write_row(0, 0, ["enterprise_id", "name", "credit_code", "verified_from"])
        sheet.write_row(1, 0, ["E1", "One", 913701001234567890])
        sheet.write_row(2, 0, ["E2", "Two", 12.0])
        sheet.write_row(3, 0, ["E3", "Three"])
        sheet.write_datetime(3, 3, datetime(2026, 1, 1), book.add_format({"num_format": "d/m/yy"}))  # noqa: DTZ001
    found = read_registry(path, Registry())
    assert rejects_of(found) == [
        ("r.xlsx[enterprises]", 2, "credit_code"),
        ("r.xlsx[enterprises]", 4, "verified_from"),
    ]
    assert all("format the cell as text" in r.reason for r in found.reports[0].rejects)
    assert found.registry.enterprises["E2"].credit_code == "12"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (".", b"", "has none of the registry files"),
        ("missing", None, "does not exist"),
        ("plants.csv", b"a\n", "is not a registry file"),
        ("registry.xlsx", b"rubbish", "is not an .xlsx workbook"),
    ],
)
def test_no_registry_at_all_is_one_line(tmp_path, name, content, words):
    path = tmp_path / name
    if content:
        path.write_bytes(content)
    with pytest.raises(InputRefusedError) as refusal:
        read_registry(path, Registry())
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no header row"),
        (b"\n\n", "no header row"),
        ("alert_id,level\n".encode("utf-16"), "UTF-16"),
        (b"alert_id;level;issued_at\n", "separate columns by commas"),
        (b"alert_id,level,level\n", "has the column level twice"),
        (b'alert_id,level\n"A1,red\n', "is not CSV"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path, content, words):
    path = tmp_path / "alerts.csv"
    path.write_bytes(content)
    (report,) = read_registry(path, Registry()).reports
    assert words in report.error
    assert "\n" not in report.error
