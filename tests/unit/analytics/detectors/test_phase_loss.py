import numpy as np
import pytest

from analytics.detectors import phase_loss

N = 1440


def meter(lost=slice(0, 0), **values):
    """Three phases with 230 V and 40 A; `lost` minutes carry other values."""
    columns = {f"u_{p}": np.full(N, 230.0) for p in "abc"}
    columns |= {f"i_{p}": np.full(N, 40.0) for p in "abc"}
    columns |= {"p_kw": np.full(N, 25.0)}
    for name, value in values.items():
        columns[name][lost] = value
    return columns


def found(drawn, columns, days=1):
    plant = drawn.plant("P T")
    raw = drawn.raw(plant, drawn.day, {"P": columns})
    known = {"spells": phase_loss.mark(raw), "facts": phase_loss.raw_facts(raw)}
    return phase_loss.episodes(drawn.history(plant, drawn.day, days, **known))


LOST = slice(600, 620)


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ({}, 0),
        ({"u_b": 40.0}, 1),
        ({"u_b": 180.0}, 0),  # low, but there
        ({"u_a": 0.0, "u_b": 0.0, "u_c": 0.0}, 0),  # an outage
        ({"i_c": 0.5}, 1),
        ({"i_c": 5.0}, 0),
        ({"i_a": 0.0, "i_b": 0.0, "i_c": 0.0}, 0),  # no load
        ({"i_a": 0.2, "i_b": 0.2, "i_c": 0.0}, 0),  # hardly any
    ],
)
def test_one_phase_of_three(drawn, values, count) -> None:
    assert len(found(drawn, meter(LOST, **values))) == count


@pytest.mark.parametrize(("minutes", "count"), [(4, 0), (5, 1)])
def test_five_minutes(drawn, minutes, count) -> None:
    assert len(found(drawn, meter(slice(600, 600 + minutes), u_b=40.0))) == count


def test_bounds_and_means(drawn, kit) -> None:
    (episode,) = found(drawn, meter(LOST, u_b=40.0))
    assert (episode.from_, episode.to) == (kit.at(0, 10), kit.at(0, 10 + 20 / 60))
    assert episode.evidence["u_b_mean"] == {"value": 40.0, "unit": "V"}
    assert episode.evidence["u_a_mean"] == {"value": 230.0, "unit": "V"}


def test_a_load_that_was_wired_to_two_phases_is_no_event(drawn) -> None:
    assert found(drawn, meter(slice(0, N), i_c=0.0)) == []


def test_voltages_alone_can_tell(drawn) -> None:
    columns = {k: v for k, v in meter(LOST, u_b=40.0).items() if not k.startswith("i_")}
    assert len(found(drawn, columns)) == 1
    wired_so = {k: v for k, v in meter(slice(0, N), u_b=0.0).items() if not k.startswith("i_")}
    assert found(drawn, wired_so) == []


def test_two_phases_cannot_tell(drawn) -> None:
    columns = {k: v for k, v in meter(LOST, u_b=40.0).items() if not k.endswith("_c")}
    assert found(drawn, columns) == []
