"""`wattwitness decide` against a real database."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from wattwitness.cli import main
from wattwitness.domain.instants import to_us
from wattwitness.domain.leads import Lead, LeadLevel, Matter
from wattwitness.domain.registry import Enterprise, Registry
from wattwitness.store.database import Database
from wattwitness.store.decisions import list_decisions
from wattwitness.store.findings import get_lead, replace_findings
from wattwitness.store.migrations import upgrade
from wattwitness.store.registry import save_registry

T0 = datetime(2026, 11, 2, tzinfo=UTC)
LEAD = Lead(
    enterprise_id="E1", matter=Matter.TREATMENT, score=0.7, confidence=0.9, level=LeadLevel.HIGH,
    kinds=("treatment_off",), from_=T0, to=T0 + timedelta(hours=1), newest_from=T0,
    episodes=("E-1",), reason={"zh": "停运", "en": "off"},
)  # fmt: skip


async def fill(dsn):
    async with await Database.open(dsn) as db:
        await upgrade(db)
        await save_registry(
            db, Registry(enterprises={"E1": Enterprise(enterprise_id="E1", name="厂")})
        )
        await replace_findings(db, "E1", [], [LEAD], [], to_us(T0))


async def stored(dsn):
    async with await Database.open(dsn) as db:
        return await get_lead(db, LEAD.lead_id), await list_decisions(db)


@pytest.fixture
def decide(database_url, tmp_path, monkeypatch, capsys, in_a_loop):
    monkeypatch.setenv("WATTWITNESS_DATABASE_URL", database_url)
    monkeypatch.setenv("WATTWITNESS_HOME", str(tmp_path))
    in_a_loop(fill(database_url))

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main(["decide", *arguments])
        return int(left.value.code or 0), capsys.readouterr()

    run.stored = lambda: in_a_loop(stored(database_url))
    return run


@pytest.fixture
def in_a_loop():
    """Run a coroutine from a test that may itself be inside a loop."""

    def work(coroutine):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, coroutine).result()

    return work


def test_a_decision_and_its_undoing_are_both_kept(decide) -> None:
    code, told = decide(LEAD.lead_id, "dismissed", "--reason", "a moved meter", "--actor", "Li")
    assert code == 0
    assert told.out == f"{LEAD.lead_id}: dismissed by Li (no. 1)\n"
    lead, _ = decide.stored()
    assert lead.status == "dismissed"
    assert decide(LEAD.lead_id, "not_yet", "--reason", "wrong fan")[0] == 0
    lead, decisions = decide.stored()
    assert lead.status == "open"
    assert [d.reason for d in decisions] == ["a moved meter", "wrong fan"]
    assert decisions[1].actor


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["L-none", "confirmed", "--reason", "x"], 1, "there is no lead 'L-none'"),
        ([LEAD.lead_id, "guilty", "--reason", "x"], 2, "guilty"),
        ([LEAD.lead_id, "confirmed", "--reason", " "], 2, "says nothing"),
        ([LEAD.lead_id, "confirmed"], 2, "--reason"),
    ],
)
def test_what_cannot_be_decided_is_refused(decide, arguments, code, says) -> None:
    found, told = decide(*arguments)
    assert found == code
    assert says in told.err
    assert decide.stored()[1] == []
