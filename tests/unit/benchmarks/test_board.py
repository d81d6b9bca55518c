"""The board's benchmark sees what is late, lost or wrong."""

from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.board.boards import Seen
from benchmarks.board.city import CIRCUITS, City
from benchmarks.board.live import Committed
from benchmarks.board.measured import shown, wrong_rows
from wattwitness.domain.instants import US_PER_MINUTE, to_us
from wattwitness.domain.registry import AlertLevel
from wattwitness.domain.verdicts import Verdict, VerdictCode

AT = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
US = to_us(AT)


def iso(minutes: float) -> str:
    return (AT + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def row(as_of: str, standing: str = "violated", now_kw: float | None = 50.0) -> dict[str, object]:
    return {
        "enterprise_id": "B0001",
        "as_of": as_of,
        "standing": standing,
        "now_kw": now_kw,
        "baseline_kw": 80.0,
        "required_kw": 0.0,
    }


def stored(minutes: float, code: VerdictCode = VerdictCode.VIOLATED) -> Verdict:
    return Verdict(
        alert_id="A",
        enterprise_id="B0001",
        level=AlertLevel.RED,
        verdict=code,
        confidence=0.9,
        as_of=AT + timedelta(minutes=minutes),
        now_kw=50.04,
        baseline_kw=80.0,
        required_kw=0.0,
    )


def test_the_delay_is_that_of_the_first_row_that_knows_the_reading() -> None:
    committed = Committed(
        at_s={("B0001", US): (9.9, 10.0), ("B0001", US + US_PER_MINUTE): (69.9, 70.0)}
    )
    board = Seen(heard=[
        ("B0001", iso(-1), 10.2), ("B0001", iso(0), 10.5), ("B0001", iso(1), 71.5),
    ])  # fmt: skip
    found = shown(committed, [board])
    assert sorted(found.delays_s.tolist()) == [0.5, 1.5]
    assert found.lost == 0
    assert found.percentile_s(100) == 1.5


def test_a_row_may_be_quicker_than_the_writer_hears_of_its_commit() -> None:
    committed = Committed(at_s={("B0001", US): (9.0, 10.0)})
    board = Seen(heard=[("B0001", iso(0), 9.9), ("B0001", iso(1), 70.0)])
    assert shown(committed, [board]).delays_s.tolist() == [0.0]


def test_a_reading_that_no_row_ever_knew_is_lost() -> None:
    committed = Committed(at_s={("B0001", US): (9.9, 10.0), ("B0002", US): (9.9, 10.0)})
    assert shown(committed, [Seen(heard=[("B0001", iso(0), 9.0)])]).lost == 2


def test_boards_that_differ_from_the_store_are_told() -> None:
    right = Seen(rows={"B0001": row(iso(3))})
    assert wrong_rows([right], [stored(3)]) == []
    assert wrong_rows([Seen(rows={"B0001": row(iso(3), "in_grace")})], [stored(3)]) == []
    for wrong in (row(iso(2)), row(iso(3), "complied"), row(iso(3), now_kw=49.0),
                  row(iso(3), now_kw=None)):  # fmt: skip
        assert len(wrong_rows([Seen(rows={"B0001": wrong})], [stored(3)])) == 1
    assert len(wrong_rows([Seen()], [stored(3)])) == 1
    assert len(wrong_rows([right], [])) == 1


def test_a_board_takes_state_rows_and_what_is_gone() -> None:
    board = Seen(kept=[
        ("state", b'{"rows": [{"enterprise_id": "B0001", "as_of": "x"}], "gone": []}', 1.0),
        ("tick", b"{}", 2.0),
        ("rows", b'{"rows": [{"enterprise_id": "B0002", "as_of": null}], "gone": ["B0001"]}', 3.0),
    ])  # fmt: skip
    board.read()
    assert list(board.rows) == ["B0002"]
    assert board.heard == [("B0001", "x", 1.0)]
    assert not board.kept


def test_the_citys_power_is_the_same_whenever_it_is_asked_for() -> None:
    city = City(16, AT, US + 60 * US_PER_MINUTE)
    whole = city.power(3, US - 30 * US_PER_MINUTE, 120)
    np.testing.assert_array_equal(city.power(3, US, 50), whole[:, 30:80])
    machines = slice(1, 11)
    assert whole[machines, :80].any()
    assert not whole[machines, 90:].any()  # of the fourth kind, they stop when the live ones begin
    keys = np.arange(16 * CIRCUITS).reshape(16, CIRCUITS)
    rows = city.readings(np.array([3, 11]), keys, US, 5)
    assert len(rows) == 2 * CIRCUITS * 5
    assert set(rows["circuit"]) == {*keys[3], *keys[11]}
    assert len(city.registry().circuits) == 16 * CIRCUITS
