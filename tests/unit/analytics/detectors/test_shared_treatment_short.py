import numpy as np
import pytest

from analytics.detectors import shared_treatment_short, treatment_off
from wattwitness.domain.registry import Pairing


def plant(drawn, require):
    pairing = Pairing(
        pairing_id="S", production=("P1", "P2"), treatment=("T1", "T2", "T3"), require=require
    )
    return drawn.plant("P1 P2 T1 T2 T3", [pairing])


def found(drawn, require, lines, units, minutes=60):
    """`lines` production circuits all day; `units` treatment units, for an hour one less."""
    power = {f"P{n}": np.full(1440, 50.0 * (n <= lines)) for n in (1, 2)}
    power |= {f"T{n}": np.full(1440, 10.0 * (n <= units)) for n in (1, 2, 3)}
    power[f"T{units}"][600 : 600 + minutes] = 0.0
    own = plant(drawn, require)
    judged = drawn.judged(own, drawn.day, power)
    spells = shared_treatment_short.conditions(judged) + treatment_off.conditions(judged)
    history = drawn.history(own, drawn.day, spells=spells)
    return [
        (e.kind, e.evidence["known_minutes"]["value"])
        for look in (shared_treatment_short, treatment_off)
        for e in look.episodes(history)
    ]


@pytest.mark.parametrize(
    ("require", "lines", "units", "kinds"),
    [
        ("all", 1, 3, ["shared_treatment_short"]),
        ("2", 1, 3, []),  # the spare rests
        ("2", 1, 2, ["shared_treatment_short"]),
        ("any", 2, 2, []),
        ("any", 2, 1, ["treatment_off"]),
        ("lines", 1, 2, []),  # one line needs one unit
        ("lines", 2, 2, ["shared_treatment_short"]),
        ("lines", 2, 1, ["shared_treatment_short"] * 2 + ["treatment_off"]),  # around it, too
    ],
)
def test_what_the_pairing_requires_decides(drawn, require, lines, units, kinds) -> None:
    assert [kind for kind, _ in found(drawn, require, lines, units)] == kinds


@pytest.mark.parametrize(("minutes", "count"), [(29, 0), (30, 1)])
def test_it_has_to_last_half_an_hour(drawn, minutes, count) -> None:
    assert len(found(drawn, "all", 1, 3, minutes)) == count


def test_a_unit_of_which_nothing_is_known_may_be_working(drawn) -> None:
    own = plant(drawn, "all")
    power = {name: np.full(1440, 10.0) for name in ("P1", "P2", "T1", "T2", "T3")}
    power["T3"][600:700] = np.nan
    assert shared_treatment_short.conditions(drawn.judged(own, drawn.day, power)) == []
