"""Alerts, plans and calls on a real PostgreSQL: what is done is signed, and reaches no further."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from wattwitness.domain.alerts import Signature
from wattwitness.domain.call_notes import CallNote
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import to_us
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.registry import (
    Alert,
    AlertChange,
    AlertLevel,
    Circuit,
    Declaration,
    DeclarationReason,
    DeclarationStatus,
    Enterprise,
    Gateway,
    Inspection,
    Measure,
    MeasureAction,
    Registry,
    Role,
)
from wattwitness.files.registry_import import import_registry
from wattwitness.store.alerts import (
    amend_alert,
    change_alert,
    declare_alert,
    get_alert,
    lift_alert,
)
from wattwitness.store.call_notes import add_call_note, list_call_notes
from wattwitness.store.days import clear_dirty, take_dirty
from wattwitness.store.plans import (
    check_stored_plans,
    remove_measure,
    save_measure,
)
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, registry_revision, save_registry
from wattwitness.store.signed_log import list_alert_log, list_plan_log

HOUR = timedelta(hours=1)
DAY = 24 * HOUR
T0 = datetime(2026, 11, 2, 16, tzinfo=UTC)  # midnight in Shanghai
FIRST = date(2026, 11, 3)
SIGN = Signature(actor="Li", reason="city order 12", at=T0)
ALERT = Alert(
    alert_id="", level=AlertLevel.ORANGE, issued_at=T0, response_from=T0 + DAY, districts=("N",)
)  # fmt: skip
RED = AlertChange(
    level=AlertLevel.RED, issued_at=T0 + 30 * HOUR, response_from=T0 + 36 * HOUR
)  # fmt: skip
STOP = Measure(enterprise_id="E1", level=AlertLevel.RED, action=MeasureAction.STOP)
CITY = Registry(
    enterprises={
        e: Enterprise(enterprise_id=e, name=e, district=d) for e, d in (("E1", "N"), ("E2", "S"))
    },
    gateways={g: Gateway(gateway_id=g, enterprise_id="E" + g[1]) for g in ("G1", "G2")},
    circuits={
        c: Circuit(circuit_id=c, gateway_id="G" + c[1], channel="P", role=Role.PRODUCTION, line="L")
        for c in ("P1", "P2")
    },
)
DATA_DAYS = (0, 1, 2, 3, 6, 9)


@pytest.fixture
async def city(any_db):
    """Two plants with readings on some days, and nothing to analyse."""
    db = any_db
    await save_registry(db, CITY)
    keys = (await load_registry(db)).circuit_keys
    for n in DATA_DAYS:
        rows = empty_readings(2)
        rows["circuit"] = [keys["P1"], keys["P2"]]
        rows["ts"], rows["p_kw"] = to_us(T0 + n * DAY + HOUR), 1.0
        await write_batch(db, IngestBatch(rows=rows))
    await clean(db)
    return db


async def clean(db):
    await clear_dirty(db, await take_dirty(db))


async def dirty(db):
    """Enterprise → numbers of its marked days; forgets them."""
    found: dict[str, list[int]] = {}
    for mark in await take_dirty(db):
        found.setdefault(mark.enterprise_id, []).append((mark.day - FIRST).days)
    await clean(db)
    return {e: sorted(days) for e, days in found.items()}


async def test_the_life_of_an_alert_stands_in_its_log(city):
    alert = await declare_alert(city, ALERT, SIGN)
    assert alert.alert_id == "20261104-orange"
    later = replace(SIGN, actor="Wang", at=T0 + 30 * HOUR)
    await change_alert(city, alert.alert_id, RED, later)
    await amend_alert(city, alert.alert_id, SIGN, districts=["N", "S"], issued_at=T0 - HOUR)
    lifted = await lift_alert(city, alert.alert_id, T0 + 4 * DAY, SIGN)
    stored = await get_alert(city, alert.alert_id)
    assert stored == lifted == (await load_registry(city)).alerts[alert.alert_id]
    assert stored is not None
    assert [p.level.value for p in stored.phases()] == ["orange", "red"]
    log = await list_alert_log(city, alert.alert_id)
    assert [entry.act.value for entry in log] == ["lifted", "amended", "changed", "declared"]
    assert log[2].signature == later
    assert (log[1].before or {})["districts"] == ["N"]
    assert log[1].after["districts"] == ["N", "S"]
    assert log[-1].before is None


async def test_ids_come_from_day_and_level_and_are_never_taken_twice(city):
    ids = [(await declare_alert(city, ALERT, SIGN)).alert_id for _ in range(3)]
    assert ids == ["20261104-orange", "20261104-orange-2", "20261104-orange-3"]
    with pytest.raises(InputRefusedError, match="already"):
        await declare_alert(city, replace(ALERT, alert_id=ids[0]), SIGN)


async def test_an_alert_is_called_off_before_its_response(city):
    alert = await declare_alert(city, ALERT, SIGN)
    with pytest.raises(InputRefusedError, match="not after issued_at"):
        await lift_alert(city, alert.alert_id, T0, SIGN)
    await lift_alert(city, alert.alert_id, T0 + HOUR, SIGN)
    stored = (await load_registry(city)).alerts[alert.alert_id]
    assert (stored.lifted_at, stored.phases()) == (T0 + HOUR, ())


async def test_two_people_at_once_lift_it_once(city):
    alert = await declare_alert(city, ALERT, SIGN)
    lifts = [lift_alert(city, alert.alert_id, T0 + n * DAY, SIGN) for n in (2, 3)]
    done = await asyncio.gather(*lifts, return_exceptions=True)
    assert sorted(type(d).__name__ for d in done) == ["Alert", "InputRefusedError"]
    assert len(await list_alert_log(city, alert.alert_id)) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"response_from": T0 - HOUR}, "before issued_at"),
        ({"lifted_at": T0}, "not after issued_at"),
        ({"districts": ("W",)}, "no enterprise is in district 'W'"),
    ],
)
async def test_a_declaration_that_cannot_be_leaves_nothing(city, change, words):
    revision = await registry_revision(city)
    with pytest.raises(InputRefusedError, match=words) as refused:
        await declare_alert(city, replace(ALERT, **change), SIGN)
    assert "\n" not in str(refused.value)
    assert await registry_revision(city) == revision
    assert await list_alert_log(city) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"issued_at": T0 - HOUR}, "issued before the alert"),
        ({"response_from": T0 + 23 * HOUR, "issued_at": T0}, "begins before the alert"),
        ({"level": AlertLevel.ORANGE}, "this level then already"),
        ({"response_from": T0 + 99 * HOUR}, "lifted before that"),
    ],
)
async def test_a_change_that_cannot_be_is_refused(city, change, words):
    alert = await declare_alert(city, replace(ALERT, lifted_at=T0 + 96 * HOUR), SIGN)
    with pytest.raises(InputRefusedError, match=words):
        await change_alert(city, alert.alert_id, replace(RED, **change), SIGN)
    assert (await get_alert(city, alert.alert_id)) == alert


async def test_the_same_issue_corrects_a_change(city):
    alert = await declare_alert(city, ALERT, SIGN)
    await change_alert(city, alert.alert_id, RED, SIGN)
    later = replace(RED, response_from=T0 + 40 * HOUR)
    changed = await change_alert(city, alert.alert_id, later, SIGN)
    assert changed.changes == (later,)
    with pytest.raises(InputRefusedError, match="so already"):
        await change_alert(city, alert.alert_id, later, SIGN)


async def test_an_amendment_leaves_changes_inside_and_takes_a_lift_back(city):
    alert = await declare_alert(city, ALERT, SIGN)
    await change_alert(city, alert.alert_id, RED, SIGN)
    with pytest.raises(InputRefusedError, match="begins before the alert"):
        await amend_alert(city, alert.alert_id, SIGN, response_from=T0 + 37 * HOUR)
    await lift_alert(city, alert.alert_id, T0 + 3 * DAY, SIGN)
    open_again = await amend_alert(city, alert.alert_id, SIGN, not_lifted=True)
    assert open_again.lifted_at is None
    with pytest.raises(InputRefusedError, match="no alert 'X'"):
        await amend_alert(city, "X", SIGN, not_lifted=True)


async def test_alerts_measures_and_inspections_mark_one_day_of_whom_they_concern(city):
    alert = await declare_alert(city, ALERT, SIGN)
    assert await dirty(city) == {"E1": [9]}
    await change_alert(city, alert.alert_id, RED, SIGN)
    assert await dirty(city) == {"E1": [9]}
    await amend_alert(city, alert.alert_id, SIGN, districts=["S"])
    assert await dirty(city) == {"E1": [9], "E2": [9]}, "whoever it leaves is concluded, too"
    await lift_alert(city, alert.alert_id, T0 + 4 * DAY, SIGN)
    assert await dirty(city) == {"E2": [9]}
    await save_registry(city, Registry(measures=(STOP,)))
    assert await dirty(city) == {"E1": [9]}
    visit = Inspection(enterprise_id="E2", from_=T0, to=T0 + HOUR)
    await save_registry(city, Registry(inspections=(visit,)))
    assert await dirty(city) == {"E2": [9]}


async def test_a_declaration_marks_the_days_it_touches_and_those_it_left(city):
    it = Declaration(
        enterprise_id="E1",
        from_=T0 + 2 * DAY + HOUR,
        to=T0 + 2 * DAY + 2 * HOUR,
        reason=DeclarationReason.STOP,
    )
    await save_registry(city, Registry(declarations=(it,)))
    # a day on either side, the first one after (it judges the silence before it), the newest
    assert await dirty(city) == {"E1": [1, 2, 3, 6, 9]}
    longer = replace(it, to=T0 + 6 * DAY)
    await save_registry(city, Registry(declarations=(longer,)))
    assert await dirty(city) == {"E1": [1, 2, 3, 6, 9]}
    await save_registry(city, Registry(declarations=(it,)))
    assert await dirty(city) == {"E1": [1, 2, 3, 6, 9]}, "the days of its longer form"
    refused = replace(it, status=DeclarationStatus.REFUSED)
    await save_registry(city, Registry(declarations=(refused,)))
    assert await dirty(city) == {"E1": [1, 2, 3, 6, 9]}


async def test_who_measures_what_marks_every_day(city):
    moved = replace(CITY.circuits["P1"], role=Role.TREATMENT)
    await save_registry(city, Registry(circuits={"P1": moved}, measures=(STOP,)))
    assert await dirty(city) == {"E1": list(DATA_DAYS)}


ALERTS_CSV = (
    "alert_id,level,issued_at,response_from,lifted_at\n"
    "A,yellow,2026-11-03T00:00:00Z,2026-11-04T00:00:00Z,{lifted}\n"
)
CHANGES_CSV = "alert_id,level,issued_at,response_from\n"


async def test_changes_are_imported_beside_alerts_and_again(city, tmp_path):
    (tmp_path / "alerts.csv").write_text(ALERTS_CSV.format(lifted=""))
    rows = ["A,red,2026-11-05T00:00:00Z,2026-11-05T06:00:00Z"]
    (tmp_path / "alert_changes.csv").write_text(CHANGES_CSV + "\n".join(rows))

    async def run(path):
        found = await import_registry(city, path, reject_folders=[tmp_path], actor="chen")
        return {f.file: (f.stored, f.already_there, f.rejected) for f in found.files}

    assert await run(tmp_path) == {"alerts.csv": (1, 0, 0), "alert_changes.csv": (1, 0, 0)}
    first = (await load_registry(city)).alerts["A"]
    assert [c.level.value for c in first.changes] == ["red"]
    revision = await registry_revision(city)
    assert await run(tmp_path) == {"alerts.csv": (0, 1, 0), "alert_changes.csv": (0, 1, 0)}
    assert await run(tmp_path / "alert_changes.csv") == {"alert_changes.csv": (0, 1, 0)}
    assert await registry_revision(city) == revision
    log = await list_alert_log(city, "A")
    assert [(e.act.value, e.signature.actor) for e in log] == [("imported", "chen")] * 2
    assert log[0].signature.reason == f"imported from {tmp_path.name}"

    # alone, with one more, and with its response corrected; alerts.csv keeps the changes
    rows += ["A,orange,2026-11-06T00:00:00Z,2026-11-06T00:00:00Z"]
    rows[0] = rows[0].replace("T06:00:00Z", "T08:00:00Z")
    (tmp_path / "alert_changes.csv").write_text(CHANGES_CSV + "\n".join(rows))
    assert await run(tmp_path / "alert_changes.csv") == {"alert_changes.csv": (2, 0, 0)}
    (tmp_path / "alerts.csv").write_text(ALERTS_CSV.format(lifted="2026-11-08T00:00:00Z"))
    assert await run(tmp_path / "alerts.csv") == {"alerts.csv": (1, 0, 0)}
    alert = (await load_registry(city)).alerts["A"]
    assert [(c.level.value, c.response_from.hour) for c in alert.changes] == [
        ("red", 8), ("orange", 0),
    ]  # fmt: skip
    assert alert.lifted_at is not None


async def test_an_imported_id_has_to_fit_into_an_address(city, tmp_path):
    """Links quote what can be quoted; a slash cannot."""
    row = ALERTS_CSV.format(lifted="").splitlines()[1]
    named = [row.replace("A,", f"{name},", 1) for name in ("2026/11", "红 1?#%", "..")]
    lines = [ALERTS_CSV.splitlines()[0], *named]
    (tmp_path / "alerts.csv").write_text("\n".join(lines))
    found = await import_registry(city, tmp_path, reject_folders=[tmp_path], actor="chen")
    (file,) = found.files
    assert (file.stored, file.rejected) == (1, 2)
    assert list((await load_registry(city)).alerts) == ["红 1?#%"]
    told = [reject.reason for reject in file.first_rejects]
    assert told[0] == "'2026/11' cannot be an id - write it without ; and /"


async def test_measures_are_saved_and_removed_with_a_trace(city):
    limit = replace(STOP, action=MeasureAction.LIMIT, limit_pct=50.0, scope=("L",))
    await save_measure(city, STOP, SIGN)
    await save_measure(city, limit, SIGN)
    await save_measure(city, replace(limit, limit_pct=40.0), SIGN)
    assert await dirty(city) == {"E1": [9]}
    with pytest.raises(InputRefusedError, match="already"):
        await save_measure(city, STOP, SIGN)
    await remove_measure(city, STOP, replace(SIGN, reason="line sold"))
    assert await dirty(city) == {"E1": [9]}
    assert [m.limit_pct for m in (await load_registry(city)).measures] == [40.0]
    with pytest.raises(InputRefusedError, match="no such measure"):
        await remove_measure(city, STOP, SIGN)
    log = await list_plan_log(city, "E1")
    assert [e.act.value for e in log] == ["removed", "saved", "saved", "saved"]
    assert log[0].signature.reason == "line sold"
    assert ((log[1].before or {})["limit_pct"], (log[1].after or {})["limit_pct"]) == (50, 40)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"enterprise_id": "E9"}, "no enterprise 'E9'"),
        ({"scope": ("P2",)}, "neither a circuit nor a line of 'E1'"),
        ({"action": MeasureAction.LIMIT}, "a limit needs"),
        ({"action": MeasureAction.HOURS}, "hours needs"),
    ],
)
async def test_a_measure_that_cannot_be_is_refused(city, change, words):
    with pytest.raises(InputRefusedError, match=words):
        await save_measure(city, replace(STOP, **change), SIGN)
    assert await list_plan_log(city) == []


async def test_the_plan_check_reads_what_is_known_of_the_meters(city):
    await save_registry(city, Registry(measures=(STOP,)))
    found = await check_stored_plans(city, await load_registry(city), FIRST, ["E1"])
    assert [(f.level.value, f.why) for f in found] == [
        ("yellow", ("no_measure",)),
        ("orange", ("no_measure",)),
        ("red", ("no_data",)),
    ]


async def test_calls_are_kept_and_only_about_whom_the_alert_concerns(city):
    alert = await declare_alert(city, ALERT, SIGN)
    note = CallNote(
        note_id=0, alert_id=alert.alert_id, enterprise_id="E1", at=T0 + 25 * HOUR, actor="Li",
        text="will stop by 14:00", promised_at=T0 + 27 * HOUR,
    )  # fmt: skip
    first = await add_call_note(city, note)
    second = await add_call_note(city, replace(note, at=T0 + 28 * HOUR, promised_at=None))
    assert await list_call_notes(city, alert.alert_id) == [first, second]
    assert first.note_id < second.note_id
    assert await list_call_notes(city, alert.alert_id, "E2") == []
    with pytest.raises(InputRefusedError, match="not under an alert"):
        await add_call_note(city, replace(note, enterprise_id="E2"))
    with pytest.raises(InputRefusedError, match="past"):
        await add_call_note(city, replace(note, promised_at=note.at))


async def test_saving_other_alerts_changes_nothing_about_one(city):
    alert = await declare_alert(city, ALERT, SIGN)
    await change_alert(city, alert.alert_id, RED, SIGN)
    other = replace(ALERT, alert_id="other")
    await save_registry(city, Registry(alerts={"other": other}))
    known = (await load_registry(city)).alerts
    assert known[alert.alert_id].changes == (RED,)
    assert set(known) == {alert.alert_id, "other"}
