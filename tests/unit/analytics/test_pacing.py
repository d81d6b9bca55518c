"""New readings wait in a large city, hardly in a small one, and never beyond the setting."""

from analytics.pacing import Pace


def paced(enterprises: int, look_s: float, soon: int = 0) -> Pace:
    names = [f"E{n}" for n in range(enterprises)]
    return Pace(300.0, cost_s=look_s, soon=set(names[:soon]), enterprises=enterprises)


def test_who_was_never_looked_at_is_due_at_once() -> None:
    assert paced(900, 0.1).due_s("E1") < 0


def test_a_small_city_waits_seconds_a_large_one_no_longer_than_the_setting() -> None:
    assert paced(10, 0.03).wait_s("E1") < 5
    assert paced(900, 0.1).wait_s("E1") == 300.0


def test_who_is_pressing_waits_less() -> None:
    pace = paced(900, 0.1, soon=100)
    assert pace.wait_s("E1") < 0.1 * pace.wait_s("E899")
    assert paced(900, 0.1, soon=900).wait_s("E1") < 300.0


def test_the_looks_keep_to_their_share_of_the_time() -> None:
    for enterprises, soon in ((40, 40), (40, 0), (500, 100)):
        pace = paced(enterprises, 0.05, soon)
        waits = [pace.wait_s(f"E{n}") for n in range(enterprises)]
        assert sum(0.05 / wait for wait in waits) < 0.6


def test_a_look_moves_the_mean_and_the_next_turn() -> None:
    pace = Pace(300.0, enterprises=30)
    pace.looked("E1", at_s=50.0, took_s=0.2)
    assert pace.cost_s == 0.2
    assert pace.due_s("E1") == 50.0 + pace.wait_s("E1")
    pace.looked("E1", at_s=60.0, took_s=0.4)
    assert 0.2 < pace.cost_s < 0.4
