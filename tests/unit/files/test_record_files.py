"""Exported records carry exactly the contract's names, in every format."""

import csv
import io
import json
from datetime import UTC, date, datetime

import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from wattwitness.domain.episodes import Episode
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.leads import Lead, LeadLevel, Matter
from wattwitness.domain.quality import DayQuality
from wattwitness.domain.registry import AlertLevel, MeasureAction
from wattwitness.domain.states import State, StateSpell
from wattwitness.domain.testability import Testability
from wattwitness.domain.verdicts import MeasureVerdict, Verdict, VerdictCode
from wattwitness.files import records, workbooks
from wattwitness.files.outputs import Format
from wattwitness.files.record_columns import RECORD_COLUMNS
from wattwitness.files.record_files import write_records

T0 = datetime(2026, 1, 1, tzinfo=UTC)
T1 = datetime(2026, 1, 1, 1, 30, 0, 500_000, tzinfo=UTC)
EPISODE = Episode(
    enterprise_id="=E1",
    kind="treatment_off",
    from_=T0,
    to=T1,
    detected_at=T1,
    circuits=("P1", "T1"),
    pairing_id=None,
    confidence=0.9,
    evidence={"power": {"value": float("nan"), "unit": "kW"}},
    rule_version="1",
)
LEAD = Lead(
    enterprise_id="E1",
    matter=Matter.TREATMENT,
    score=0.5,
    confidence=0.25,
    level=LeadLevel.HIGH,
    kinds=("treatment_off",),
    from_=T0,
    to=T1,
    episodes=("E-1", "E-2"),
    reason={"zh": "停运", "en": "off"},
    rank=1,
)
STATE = StateSpell(circuit_id="P1", from_=T0, to=T1, state=State.STANDBY)
QUALITY = DayQuality(
    circuit_id="P1", day=date(2026, 1, 1), expected=4, received=2, valid=1, in_time=None
)
UNTESTABLE = Testability(
    enterprise_id="E1", kind="treatment_off", pairing_id="", testable=False, why="no_meter"
)
VERDICT = Verdict(
    alert_id="A1",
    enterprise_id="E1",
    level=AlertLevel.ORANGE,
    verdict=VerdictCode.PARTIAL,
    confidence=0.9,
    as_of=T1,
    measures=(
        MeasureVerdict(
            action=MeasureAction.LIMIT,
            scope=("P1", "P2"),
            level=AlertLevel.ORANGE,
            circuits=("P1", "P2"),
            verdict=VerdictCode.PARTIAL,
            confidence=0.9,
            from_=T0,
            to=T1,
            running_minutes=None,
            allowed_minutes=None,
            usual_minutes=None,
            energy_kwh=12.5,
            baseline_kwh=20.0,
            interval_kwh=(18.0, 22.0),
            missed_share=0.25,
            coverage=1.0,
        ),
    ),
)
ALL = {
    "episodes": records.episode_record(EPISODE),
    "leads": records.lead_record(LEAD),
    "states": records.state_record(STATE),
    "verdicts": records.verdict_record(VERDICT),
    "quality": records.quality_record(QUALITY),
    "testability": records.testability_record(UNTESTABLE),
}


def written(name: str, file_format: Format) -> bytes:
    stream = io.BytesIO()
    write_records(stream, name, [ALL[name]], file_format)
    return stream.getvalue()


@pytest.mark.parametrize("name", sorted(ALL))
def test_records_have_the_columns_that_are_declared(name):
    assert list(ALL[name]) == list(RECORD_COLUMNS[name])


def test_records_are_as_the_contract_writes_them():
    episode = ALL["episodes"]
    assert episode["from"] == "2026-01-01T00:00:00Z"
    assert episode["to"] == "2026-01-01T01:30:00.500000Z"
    assert episode["evidence"] == {"power": {"value": None, "unit": "kW"}}
    assert episode["episode_id"].startswith("E-")
    assert ALL["leads"]["reason"] == {"zh": "停运", "en": "off"}
    assert ALL["states"]["state"] == "standby"
    assert ALL["testability"]["pairing_id"] is None
    quality = ALL["quality"]
    rates = ("transmission_rate", "validity_rate", "effective_rate", "effective_rate_in_time")
    assert [quality[rate] for rate in rates] == [0.5, 0.5, 0.25, None]


@pytest.mark.parametrize("name", sorted(ALL))
def test_json_is_the_records_themselves(name):
    assert json.loads(written(name, Format.JSON)) == [ALL[name]]


def test_no_records_are_an_empty_array():
    stream = io.BytesIO()
    write_records(stream, "leads", [], Format.JSON)
    assert json.loads(stream.getvalue()) == []


def test_csv_joins_ids_and_writes_objects_as_json():
    (row,) = csv.DictReader(io.StringIO(written("leads", Format.CSV).decode()))
    assert row["episodes"] == "E-1;E-2"
    assert json.loads(row["reason"]) == LEAD.reason
    assert row["testable"] == "1"
    (row,) = csv.DictReader(io.StringIO(written("episodes", Format.CSV).decode()))
    assert (row["circuits"], row["pairing_id"]) == ("P1;T1", "")


def test_xlsx_keeps_what_looks_like_a_formula_as_text():
    data = io.BytesIO(written("episodes", Format.XLSX))
    header, row = CalamineWorkbook.from_filelike(data).get_sheet_by_name("episodes").to_python()
    assert header == list(RECORD_COLUMNS["episodes"])
    assert row[1] == "=E1"
    assert row[8] == 0.9


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_formula_marks_are_quoted_in_the_sheet_itself(text):
    import zipfile  # noqa: PLC0415 - the only user

    stream = io.BytesIO()
    with workbooks.Workbook(stream, "s", ("a",)) as workbook:
        workbook.write([(text,)])
    archive = zipfile.ZipFile(stream)
    assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
    assert b'quotePrefix="1"' in archive.read("xl/styles.xml")


def test_xlsx_refuses_what_it_cannot_hold(monkeypatch):
    monkeypatch.setattr(workbooks, "MAX_ROWS", 3)
    with workbooks.Workbook(io.BytesIO(), "s", ("a",)) as workbook:
        workbook.write([(1,), (2,)])
        with pytest.raises(InputRefusedError, match="export as csv or parquet"):
            workbook.write([(3,)])
        with pytest.raises(InputRefusedError, match="too long for a cell"):
            workbook._write_cell(0, "x" * 40_000)


def test_parquet_is_typed():
    table = pq.read_table(io.BytesIO(written("episodes", Format.PARQUET)))
    assert str(table.schema.field("from").type) == "timestamp[us, tz=UTC]"
    assert table["circuits"].to_pylist() == [["P1", "T1"]]
    assert table["to"].to_pylist() == [T1]
    table = pq.read_table(io.BytesIO(written("quality", Format.PARQUET)))
    assert table["day"].to_pylist() == [date(2026, 1, 1)]


def test_a_verdict_begins_with_the_contracts_names():
    told = ALL["verdicts"]
    assert list(told)[:6] == [
        "alert_id", "enterprise_id", "verdict", "confidence", "as_of", "measures",
    ]  # fmt: skip
    (measure,) = told["measures"]
    assert list(measure)[:9] == [
        "action", "scope", "verdict", "running_minutes", "allowed_minutes", "energy_kwh",
        "baseline_kwh", "interval_kwh", "coverage",
    ]  # fmt: skip
    assert measure["scope"] == "P1;P2"
    assert measure["interval_kwh"] == [18.0, 22.0]
