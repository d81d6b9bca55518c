"""What is exported from a real PostgreSQL can be imported again, and stores nothing."""

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from wattwitness.cli import main
from wattwitness.store.database import Database

HEADERS = {
    "leads": "lead_id,enterprise_id,rank,",
    "episodes": "episode_id,enterprise_id,kind,from,to,detected_at,circuits,",
    "states": "circuit_id,from,to,state",
    "quality": "circuit_id,day,expected,received,valid,transmission_rate,",
    "testability": "enterprise_id,kind,pairing_id,testable,why",
    "verdicts": "alert_id,enterprise_id,verdict,confidence,as_of,measures,",
    "readings": "circuit_id,ts,p_kw,e_kwh,q_kvar,u_a,u_b,u_c,i_a,i_b,i_c,pf,received_at,resent",
}
READINGS = (
    "circuit_id,ts,p_kw,e_kwh,u_a,pf,received_at,resent\n"
    "C1,2025-01-01T00:00:00Z,12.68,3.17,229.1,0.9312,2025-01-01T00:00:05.25Z,0\n"
    "C1,2025-01-01T00:15:00Z,16,7.17,,,,1\n"
    "C2,2025-01-01T00:00:00Z,0.1,,,,,\n"
)


@dataclass(frozen=True)
class Result:
    returncode: int
    stdout: str
    stderr: str


class Program:
    """The `wattwitness` program in a folder of its own, on a fresh database, in this process."""

    def __init__(self, folder: Path, captured: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._captured = captured

    def __call__(self, *arguments: str) -> Result:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        return Result(int(left.value.code or 0), *self._captured.readouterr())

    def done(self, *arguments: str) -> str:
        result = self(*arguments)
        assert (result.returncode, result.stderr) == (0, ""), result
        return result.stdout

    def refused(self, *arguments: str, code: int = 1) -> str:
        result = self(*arguments)
        assert result.returncode == code, result
        return result.stderr


@pytest.fixture
def program(home, database_url, tmp_path, monkeypatch, capfd) -> Program:
    monkeypatch.setenv("WATTWITNESS_DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)
    registry = tmp_path / "registry"
    registry.mkdir()
    (registry / "enterprises.csv").write_text("enterprise_id,name\nE1,One\nE2,Two\n")
    (registry / "gateways.csv").write_text("gateway_id,enterprise_id\nG1,E1\nG2,E2\n")
    (registry / "circuits.csv").write_text(
        "circuit_id,gateway_id,channel,role\nC1,G1,P1,production\nC2,G2,P1,production\n"
    )
    (tmp_path / "r.csv").write_text(READINGS)
    return Program(tmp_path, capfd)


def test_import_export_import(program):
    told = program.done("import", "registry", "registry")
    assert "circuits.csv: 2 read, 2 stored, 0 already there, 0 rejected" in told
    told = program.done("import", "readings", "r.csv")
    assert told == "r.csv: 3 read, 3 stored, 0 already there, 0 rejected\n"
    for ending in ("csv", "parquet", "xlsx", "json"):
        assert program.done("export", "readings", "-o", f"out.{ending}") == (
            f"out.{ending}: 3 readings\n"
        )
        again = program.done("import", "readings", f"out.{ending}")
        assert again == f"out.{ending}: 3 read, 0 stored, 3 already there, 0 rejected\n"
    lines = program.done("export", "readings", "--format", "csv").splitlines()
    assert lines[1] == (
        "C1,2025-01-01T00:00:00.000000Z,12.68,3.17,,229.1,,,,,,0.9312,2025-01-01T00:00:05Z,0"
    ).replace(".000000Z", "Z", 1)
    assert len(lines) == 4
    selected = program.done(
        "export", "readings", "--format", "csv", "--enterprise", "E1",
        "--from", "2025-01-01T08:00:00+08:00", "--to", "2025-01-01T08:15:00+08:00",
    ).splitlines()  # fmt: skip
    assert len(selected) == 2
    for name, header in HEADERS.items():
        assert program.done("export", name, "--format", "csv").startswith(header)
        if name != "readings":
            assert program.done("export", name) == "[]\n"


def test_every_refusal_is_one_line_with_its_exit_code(program):
    program.done("import", "registry", "registry")
    one_line = [
        program.refused("import", "registry", "nowhere"),
        program.refused("import", "readings", "nowhere.csv"),
        program.refused("import", "readings", "registry"),
        program.refused("import", "readings", "registry/circuits.csv"),
        program.refused("export", "leads", "--enterprise", "E9"),
        program.refused("export", "leads", "-o", "no/such/folder.json"),
        program.refused("export", "readings", "-o", "/dev/full"),
        program.refused("export", "readings", "-o", "/dev/full", "--format", "xlsx"),
    ]
    for line in one_line:
        assert line.startswith("wattwitness: ")
        assert line.count("\n") == 1
    assert "has no offset" in program.refused("export", "leads", "--from", "2025-01-01", code=2)
    program.refused("export", "leads", "--format", "pdf", code=2)
    assert "is not text" in program.refused("export", "leads", "--format", "parquet", code=2)
    belied = ("-o", "leads.parquet", "--format", "csv")
    assert "ends in .parquet, and --format says csv" in program.refused(
        "export", "leads", *belied, code=2
    )
    unknown = program.refused("export", "leads", "-o", "leads.pdf", code=2)
    assert "no format is known by the ending" in unknown
    assert not list(program.folder.glob("leads.*"))
    backwards = ("--from", "2025-01-02T00:00:00Z", "--to", "2025-01-01T00:00:00Z")
    assert "--to is not after --from" in program.refused("export", "leads", *backwards, code=2)


def test_one_bad_file_does_not_take_the_others_with_it(program):
    program.done("import", "registry", "registry")
    result = program("import", "readings", "nowhere.csv", "r.csv", "--json")
    assert result.returncode == 1
    assert result.stderr == "wattwitness: nowhere.csv: No such file or directory - check the path\n"
    assert '"stored": 3' in result.stdout


def test_rejected_rows_alone_are_no_failure(program):
    program.done("import", "registry", "registry")
    (program.folder / "r.csv").write_text("circuit_id,ts,p_kw\nC1,2025-01-01T00:00:00,1\n")
    told = program.done("import", "readings", "r.csv")
    assert "1 read, 0 stored, 0 already there, 1 rejected" in told
    assert "row 2, ts: timestamp '2025-01-01T00:00:00' has no offset" in told
    assert (program.folder / "r.csv.rejected.csv").exists()


def test_files_of_one_name_have_a_list_of_rejects_each(program):
    program.done("import", "registry", "registry")
    own = program.folder / "r.csv.rejected.csv"
    own.write_text("a file of the user's\n")
    for folder in ("a", "b"):
        (program.folder / folder).mkdir()
        text = f"circuit_id,ts,p_kw\n{folder},2025-01-01T00:00:00Z,1\n"
        (program.folder / folder / "r.csv").write_text(text)
    for _ in range(2):
        told = program.done("import", "readings", "a/r.csv", "b/r.csv")
        assert "rejected.2.csv" in told
        assert "rejected.3.csv" in told
    assert own.read_text() == "a file of the user's\n"
    lists = sorted(program.folder.glob("*.rejected.*csv"))
    assert [path.read_text().splitlines()[1].split(",")[0] for path in lists[:2]] == [
        "a/r.csv", "b/r.csv",
    ]  # fmt: skip
    assert len(lists) == 3


def test_a_full_standard_output_is_one_line(program):
    command = [sys.executable, "-m", "wattwitness", "export", "readings"]
    program.done("import", "registry", "registry")
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            command, env=os.environ, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert result.returncode == 1
    assert result.stderr.startswith("wattwitness: standard output cannot be written (No space left")
    assert result.stderr.count("\n") == 1


async def full_from_2025_01_02_on(database_url):
    async with await Database.open(database_url) as db, db.connection() as connection:
        await connection.execute(
            "CREATE FUNCTION fill_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF NEW.ts >= '2025-01-02' THEN RAISE EXCEPTION 'could not extend file'"
            " USING ERRCODE = 'disk_full'; END IF; RETURN NEW; END $$"
        )
        await connection.execute(
            "CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON latest"
            " FOR EACH ROW EXECUTE FUNCTION fill_up()"
        )


def test_a_database_that_fills_up_is_a_report_and_one_line(program, database_url):
    program.done("import", "registry", "registry")
    asyncio.run(full_from_2025_01_02_on(database_url))
    (program.folder / "s.csv").write_text(
        "circuit_id,ts,p_kw\nC1,2025-01-01T00:00:00,1\nC1,2025-01-03T00:00:00Z,1\n"
    )
    command = [sys.executable, "-m", "wattwitness", "import", "readings", "r.csv", "s.csv", "r.csv"]
    result = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stdout == "r.csv: 3 read, 3 stored, 0 already there, 0 rejected\n"
    assert result.stderr.startswith("wattwitness: s.csv was not finished: the database is full")
    assert "0 of its rows were stored, and repeating the import goes on" in result.stderr
    assert result.stderr.count("\n") == 1


def test_help_names_every_format(program):
    told = program.done("import", "readings", "--help")
    assert all(ending in told for ending in (".csv", ".csv.gz", ".parquet", ".json", ".xlsx"))
    assert "one CSV" in program.done("import", "registry", "--help")


def test_a_database_that_is_not_there_is_one_line(program, monkeypatch):
    monkeypatch.setenv("WATTWITNESS_DATABASE_URL", "postgresql://127.0.0.1:1/none")
    for arguments in (("import", "readings", "r.csv"), ("export", "leads")):
        line = program.refused(*arguments)
        assert "cannot be reached" in line
        assert line.count("\n") == 1


def test_the_program_itself_in_a_pipe(program):
    program.done("import", "registry", "registry")
    command = [sys.executable, "-m", "wattwitness", "import", "readings", "r.csv", "nowhere.csv"]
    result = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stdout == "r.csv: 3 read, 3 stored, 0 already there, 0 rejected\n"
    assert result.stderr == "wattwitness: nowhere.csv: No such file or directory - check the path\n"
