"""The board's rows: what each says, where it stands, what is sent of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dashboards.board import (
    Group,
    Standing,
    ToCall,
    Wish,
    alert_mark,
    board_rows,
    counts,
)
from dashboards.board_live import MOST_KEPT, Board
from dashboards.board_reading import Look
from wattwitness.domain.call_notes import CallNote
from wattwitness.domain.registry import Alert, AlertChange, AlertLevel, Enterprise, Grade, Registry
from wattwitness.domain.verdicts import Verdict, VerdictChange, VerdictCode

T0 = datetime(2026, 11, 22, 4, tzinfo=UTC)
NOW = T0 + timedelta(hours=5)
MINUTE = timedelta(minutes=1)
ALERT = Alert(
    alert_id="A", level=AlertLevel.ORANGE, issued_at=T0 - timedelta(days=1), response_from=T0,
    districts=("north",),
)  # fmt: skip
V, P, C, U, X = (
    VerdictCode.VIOLATED, VerdictCode.PARTIAL, VerdictCode.COMPLIED,
    VerdictCode.INSUFFICIENT_DATA, VerdictCode.EXEMPT,
)  # fmt: skip


def city(*districts: str) -> Registry:
    return Registry(
        enterprises={
            f"E{n}": Enterprise(
                enterprise_id=f"E{n}", name=f"plant {n}", district=district, grade=Grade.C
            )
            for n, district in enumerate(districts)
        }
    )


def verdict(n: int, code: VerdictCode = V, **changes) -> Verdict:
    head = Verdict(
        alert_id="A", enterprise_id=f"E{n}", level=AlertLevel.ORANGE, verdict=code, confidence=0.9,
        as_of=NOW, now_kw=100.0, baseline_kw=200.0, required_kw=0.0,
    )  # fmt: skip
    return replace(head, **changes)


def call(n: int, at: datetime, promised_at: datetime | None = None) -> CallNote:
    return CallNote(
        note_id=1, alert_id="A", enterprise_id=f"E{n}", at=at, actor="Li", text="will stop",
        promised_at=promised_at,
    )  # fmt: skip


def turn(n: int, cause: str, before: VerdictCode, after: VerdictCode, minute: int) -> VerdictChange:
    return VerdictChange(
        alert_id="A", enterprise_id=f"E{n}", changed_at=T0 + minute * MINUTE,
        as_of=T0 + minute * MINUTE, cause=cause, before=before, after=after, confidence=0.9,
    )  # fmt: skip


def row_of(it: Verdict | None, calls=(), changes=(), alert=ALERT, now=NOW):
    (row,) = board_rows(city("north"), alert, [] if it is None else [it], changes, calls, now)
    return row


@pytest.mark.parametrize(
    ("it", "standing", "group"),
    [
        (verdict(0), Standing.VIOLATED, Group.CALL),
        (verdict(0, P), Standing.PARTIAL, Group.CALL),
        (verdict(0, now_kw=3.0), Standing.VIOLATED, Group.STOPPED),
        (verdict(0, U, why=("low_coverage",)), Standing.INSUFFICIENT_DATA, Group.CHECK),
        (verdict(0, U, why=("grace",)), Standing.IN_GRACE, Group.GRACE),
        (verdict(0, C), Standing.COMPLIED, Group.DONE),
        (verdict(0, X), Standing.EXEMPT, Group.EXEMPT),
        (None, Standing.INSUFFICIENT_DATA, Group.CHECK),
    ],
)
def test_what_a_row_says_and_what_to_do_about_it(it, standing, group):
    row = row_of(it)
    assert (row.standing, row.group) == (standing, group)


def test_before_the_response_nobody_is_blamed_and_the_time_counts_down():
    row = row_of(None, now=T0 - MINUTE)
    assert (row.standing, row.ends_at) == (Standing.IN_GRACE, T0)
    row = row_of(verdict(0, U, why=("not_begun",)), now=T0 - MINUTE)
    assert (row.standing, row.ends_at) == (Standing.IN_GRACE, T0)


def test_after_the_response_only_grace_counts_down():
    until = NOW + MINUTE
    assert row_of(verdict(0, U, why=("grace",), grace_until=until)).ends_at == until
    assert row_of(verdict(0, U, why=("grace",))).ends_at is None


def test_what_to_do_first_comes_first():
    found = board_rows(
        city(*["north"] * 7),
        ALERT,
        [
            verdict(0, C), verdict(1, now_kw=50.0), verdict(2, now_kw=180.0, confidence=0.5),
            verdict(3, U, as_of=NOW - timedelta(hours=2)), verdict(4, U, as_of=NOW), verdict(5, X),
            verdict(6, now_kw=120.0),
        ],
        [], [], NOW,
    )  # fmt: skip
    assert [row.enterprise_id for row in found] == ["E6", "E2", "E1", "E3", "E4", "E0", "E5"]
    assert counts(found) == {
        "violated": 3, "partial": 0, "insufficient_data": 2, "in_grace": 0, "complied": 1,
        "exempt": 1,
    }  # fmt: skip
    assert ToCall.of(found) == ToCall(rows=3, kw=pytest.approx(0.9 * 170 + 0.5 * 180))


def test_about_the_same_weight_keeps_its_place():
    found = [
        board_rows(
            city("north", "north"), ALERT,
            [verdict(0, now_kw=100.0 + ripple), verdict(1, now_kw=100.0 - ripple)], [], [], NOW,
        )
        for ripple in (1.0, -1.0)
    ]  # fmt: skip
    assert [r.enterprise_id for r in found[0]] == [r.enterprise_id for r in found[1]]


def test_only_the_districts_of_the_alert_and_who_was_judged_under_it():
    found = board_rows(city("north", "south", "south"), ALERT, [verdict(2)], [], [], NOW)
    assert {row.enterprise_id for row in found} == {"E0", "E2"}


def test_a_called_row_rests_and_comes_back_while_it_runs():
    note = call(0, NOW - 10 * MINUTE, NOW + 5 * MINUTE)
    assert row_of(verdict(0), [note]).group == Group.RESTING
    later = NOW + 6 * MINUTE
    assert row_of(verdict(0), [note], now=later).group == Group.CALL
    assert row_of(verdict(0), [note], now=later).call.standing == "due_again"
    stopped = row_of(verdict(0, now_kw=0.5), [note], now=later)
    assert (stopped.group, stopped.call.standing) == (Group.STOPPED, "called")


def test_cuts_are_shares_of_the_baseline():
    row = row_of(verdict(0, required_kw=50.0))
    assert (row.required_cut, row.achieved_cut) == (0.75, 0.5)
    assert row_of(verdict(0, now_kw=300.0)).achieved_cut == 0.0
    assert row_of(verdict(0, baseline_kw=None)).achieved_cut is None
    assert row_of(None).required_cut is None


def test_only_what_time_did_not_do_leaves_its_trace():
    steps = [turn(0, "late_data", V, C, 60), turn(0, "time", U, V, 30), turn(0, "time", C, C, 90)]
    assert row_of(verdict(0, C), changes=reversed(steps)).change == steps[0]
    assert row_of(verdict(0), changes=steps[1:2]).change is None
    assert row_of(verdict(0), changes=[turn(0, "late_data", V, V, 60)]).change is None, "went back"


def test_filters():
    row = row_of(verdict(0))
    assert Wish().matches(row)
    assert Wish(district="north", grade="C", standing="violated").matches(row)
    assert not Wish(district="south").belongs(row)
    assert not Wish(standing="complied").matches(row)
    assert Wish(standing="complied").belongs(row)


def test_the_head_is_new_when_level_or_lift_is():
    marks = {
        alert_mark(alert, now)
        for alert in (
            ALERT,
            replace(ALERT, lifted_at=NOW + MINUTE),
            replace(ALERT, changes=(AlertChange(
                level=AlertLevel.RED, issued_at=NOW, response_from=NOW + MINUTE
            ),)),
        )
        for now in (NOW, NOW + 2 * MINUTE)
    }  # fmt: skip
    assert len(marks) == 5
    assert alert_mark(None, NOW) == ""


def rows(*verdicts: Verdict, only=None):
    found = board_rows(city(*["north"] * 3), ALERT, verdicts, [], [], NOW, only=only)
    return Look(found, only)


def sent(text: str):
    lines = dict(line.split(": ", 1) for line in text.strip().splitlines())
    return lines["event"], json.loads(lines["data"])


def test_the_whole_state_first_then_only_what_changed():
    board = Board("A")
    assert board.take(rows(verdict(0), verdict(1), verdict(2, C)), "m")
    name, state = sent(board.text(Wish(), 0, 0))
    assert (name, len(state["rows"]), state["gone"]) == ("state", 3, [])
    assert state["to_call"]["rows"] == 2
    before = board.version
    assert not board.take(rows(verdict(0), verdict(1), verdict(2, C)), "m")
    assert board.version == before
    assert board.take(rows(verdict(0), verdict(1, C), verdict(2, C)), "m")
    name, news = sent(board.text(Wish(), before, 0))
    assert (name, [r["enterprise_id"] for r in news["rows"]]) == ("rows", ["E1"])
    assert news["counts"]["complied"] == 2


def test_a_look_at_some_rows_leaves_the_others():
    board = Board("A")
    board.take(rows(verdict(0), verdict(1), verdict(2)), "m")
    before = board.version
    assert board.take(rows(verdict(1, C), only={"E1"}), "m")
    _, news = sent(board.text(Wish(), before, 0))
    assert [r["enterprise_id"] for r in news["rows"]] == ["E1"]
    assert news["counts"]["violated"] == 2
    before = board.version
    assert board.take(Look([], {"E2"}), "m")
    _, news = sent(board.text(Wish(), before, 0))
    assert (news["rows"], news["gone"]) == ([], ["E2"])


def test_a_filtered_listener_is_told_what_is_gone():
    board = Board("A")
    board.take(rows(verdict(0), verdict(1)), "m")
    before, wish = board.version, Wish(standing="violated")
    board.take(rows(verdict(0), verdict(1, C)), "m")
    _, news = sent(board.text(wish, before, 0))
    assert (news["rows"], news["gone"]) == ([], ["E1"])
    assert news["counts"] == {**news["counts"], "violated": 1, "complied": 1}


def test_an_event_is_written_once_for_all_that_ask_for_the_same(monkeypatch):
    board = Board("A")
    board.take(rows(verdict(0)), "m")
    written = []
    real = Board._write
    monkeypatch.setattr(Board, "_write", lambda *a: written.append(1) or real(*a))
    texts = {board.text(Wish(), 0, now) for now in (0, 0, 1_000_000)}
    assert len(written) == 1
    assert len(texts) == 2, "each carries its own time"


def test_a_lift_alone_is_news():
    board = Board("A")
    board.take(rows(verdict(0)), "before")
    assert board.take(rows(verdict(0)), "after")


def test_texts_of_many_filters_are_not_kept_for_ever():
    board = Board("A")
    board.take(rows(verdict(0)), "m")
    for n in range(3 * MOST_KEPT):
        board.text(Wish(district=str(n)), 0, 0)
    assert len(board._sent) <= MOST_KEPT
    assert sent(board.text(Wish(district="north"), 0, 0))[1]["rows"]
