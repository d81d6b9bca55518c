"""`wattwitness alert` against a real database."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from python_calamine import CalamineWorkbook

from wattwitness.cli import main
from wattwitness.domain.registry import (
    AlertLevel,
    Circuit,
    Enterprise,
    Gateway,
    Grade,
    Measure,
    MeasureAction,
    Registry,
    Role,
)
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade
from wattwitness.store.registry import load_registry, save_registry

CITY = Registry(
    enterprises={
        "E1": Enterprise(enterprise_id="E1", name="鑫源", district="历城", grade=Grade.A),
        "E2": Enterprise(enterprise_id="E2", name="华泰", district="章丘", grade=Grade.B),
    },
    gateways={"G": Gateway(gateway_id="G", enterprise_id="E1")},
    circuits={"P": Circuit(circuit_id="P", gateway_id="G", channel="P", role=Role.PRODUCTION)},
    measures=(Measure(enterprise_id="E1", level=AlertLevel.RED, action=MeasureAction.STOP),),
)
DECLARE = (
    "declare", "--level", "orange", "--from", "2026-11-23T00:00:00+08:00", "--issued",
    "2026-11-22T00:00:00+08:00", "--reason", "order 12", "--actor", "Li",
)  # fmt: skip
ID = "20261123-orange"


async def fill(dsn):
    async with await Database.open(dsn) as db:
        await upgrade(db)
        await save_registry(db, CITY)


async def stored(dsn):
    async with await Database.open(dsn) as db:
        return (await load_registry(db)).alerts


@pytest.fixture
def alert(database_url, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WATTWITNESS_DATABASE_URL", database_url)
    monkeypatch.setenv("WATTWITNESS_HOME", str(tmp_path))

    def in_a_loop(coroutine):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, coroutine).result()

    in_a_loop(fill(database_url))

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main(["alert", *arguments])
        return int(left.value.code or 0), capsys.readouterr()

    run.stored = lambda: in_a_loop(stored(database_url))
    return run


def test_an_alert_from_its_declaration_to_its_lift(alert) -> None:
    code, told = alert(*DECLARE, "--district", "历城")
    assert (code, told.out) == (0, f"{ID}: orange, from 2026-11-22T16:00:00Z (by Li)\n")
    change = ("change", ID, "--level", "red", "--reason", "worse", "--actor", "Li")
    assert alert(*change, "--from", "2026-11-24T00:00:00+08:00", "--issued",
                 "2026-11-23T12:00:00+08:00")[0] == 0  # fmt: skip
    assert alert("amend", ID, "--everywhere", "--reason", "all of it")[0] == 0
    code, told = alert("lift", ID, "--at", "2026-11-26T18:00:00+08:00", "--reason", "clean air")
    assert (code, "lifted 2026-11-26T10:00:00Z" in told.out) == (0, True)
    found = alert.stored()[ID]
    assert [p.level.value for p in found.phases()] == ["orange", "red"]
    assert found.districts == ()

    code, told = alert("list", ID)
    lines = told.out.splitlines()
    assert code == 0
    assert "orange from 2026-11-23 00:00, red from 2026-11-24 00:00" in lines[0]
    assert [line.split("  ")[2].split(" by ")[0] for line in lines[1:]] == [
        "lifted", "amended", "changed", "declared",
    ]  # fmt: skip
    assert lines[-1].endswith("declared by Li: order 12")


def test_the_list_tells_open_alerts_and_with_all_the_past(alert) -> None:
    assert alert("list")[1].out == "there are no alerts\n"
    past = ("declare", "--level", "red", "--from", "2020-01-02T00:00:00+08:00", "--reason", "x")
    alert(*past)
    assert "20200102-red  in force  red" in alert("list")[1].out
    alert("lift", "20200102-red", "--at", "2020-01-05T00:00:00+08:00", "--reason", "clean")
    assert alert("list")[1].out == "no alert is open\n"
    assert "20200102-red  lifted  red" in alert("list", "--all")[1].out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("lift", "X", "--reason", "x"), 1, "there is no alert 'X' - see wattwitness alert list"),
        (("list", "X"), 1, "there is no alert 'X'"),
        ((*DECLARE, "--district", "北区"), 1, "no enterprise is in district '北区'"),
        (("declare", "--level", "red", "--from", "tomorrow", "--reason", "x"), 2, "RFC 3339"),
        (("declare", "--level", "red", "--from", "2026-11-23T00:00:00", "--reason", "x"), 2,
         "offset"),
        (("declare", "--level", "blue", "--from", "2026-11-23T00:00:00Z", "--reason", "x"), 2,
         "blue"),
        ((*DECLARE[:-3], " "), 2, "says nothing"),
        (("amend", "X", "--reason", "x", "--not-lifted", "--lifted", "2026-11-23T00:00:00Z"), 2,
         "exclude each other"),
        (("check", "--enterprise", "E9"), 1, "no enterprise 'E9'"),
        (("check", "--format", "xlsx"), 2, "name a file"),
        (("check", "-o", "plans.parquet"), 2, "json, csv or xlsx"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(alert, arguments, code, says) -> None:
    found, told = alert(*arguments)
    assert found == code
    assert says in " ".join(told.err.split())
    if code == 1:
        assert told.err.count("\n") == 1
    assert alert.stored() == {}


def test_the_plan_check_as_json_csv_and_xlsx(alert, tmp_path) -> None:
    code, told = alert("check")
    rows = json.loads(told.out)
    assert code == 0
    assert [(r["enterprise_id"], r["level"], r["standing"], r["why"]) for r in rows] == [
        ("E1", "red", "unverifiable", ["no_data"]),
        ("E2", "orange", "unverifiable", ["no_measure"]),
        ("E2", "red", "unverifiable", ["no_measure"]),
    ]
    assert told.err == "0 verifiable, 0 weak, 3 unverifiable\n"
    assert json.loads(alert("check", "--standing", "weak")[1].out) == []
    code, told = alert("check", "--enterprise", "E1", "--format", "csv")
    line = 'E1,鑫源,历城,,A,red,stop,*,,,,P,unverifiable,no_data,"{""P"": [""no_data""]}"'
    assert told.out.splitlines()[1] == line
    file = tmp_path / "plans.xlsx"
    assert alert("check", "-o", str(file))[1].out == "0 verifiable, 0 weak, 3 unverifiable\n"
    sheet = CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0).to_python()
    assert [row[0] for row in sheet] == ["enterprise_id", "E1", "E2", "E2"]
