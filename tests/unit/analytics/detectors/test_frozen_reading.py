import numpy as np
import pytest

from analytics.detectors import frozen_reading
from analytics.detectors.frozen_reading import is_proven

N = 1440


def meter(frozen=slice(0, 0), channels=("p_kw", "e_kwh", "u_a"), step=0.01):
    rng = np.random.default_rng(2)
    power = np.round((50 + rng.normal(0, 2, N)) / step) * step
    columns = {
        "p_kw": power,
        "e_kwh": np.round(5000 + np.cumsum(power) / 60, 2),
        "u_a": np.round(230 + rng.normal(0, 1, N), 1),
    }
    columns = {name: columns[name] for name in channels}
    for values in columns.values():
        values[frozen] = values[frozen][:1]
    return columns


def found(drawn, columns):
    plant = drawn.plant("P T")
    raw = drawn.raw(plant, drawn.day, {"P": columns})
    facts, spells = frozen_reading.raw_facts(raw), frozen_reading.mark(raw)
    return frozen_reading.episodes(drawn.history(plant, drawn.day, facts=facts, spells=spells))


@pytest.mark.parametrize(("minutes", "count"), [(0, 0), (29, 0), (30, 1), (480, 1)])
def test_a_register_that_should_have_moved_proves_it(drawn, kit, minutes, count) -> None:
    episodes = found(drawn, meter(slice(600, 600 + minutes)))
    assert [(e.from_, e.to) for e in episodes] == [
        (kit.at(0, 10), kit.at(0, 10 + minutes / 60))
    ] * count
    assert all(e.evidence["register_steps_overdue"]["value"] > 5 for e in episodes)


@pytest.mark.parametrize(("minutes", "count"), [(59, 0), (61, 1)])
@pytest.mark.parametrize("channels", [("p_kw", "u_a"), ("p_kw",)])
def test_without_a_register_it_takes_an_hour(drawn, minutes, count, channels) -> None:
    assert len(found(drawn, meter(slice(600, 600 + minutes), channels))) == count


def test_whole_kilowatts_stand_still_lawfully(drawn) -> None:
    columns = {"p_kw": np.round(50 + np.sin(np.arange(N) / 120))}
    assert found(drawn, columns) == []


def test_a_machine_that_rests_is_not_frozen(drawn) -> None:
    columns = meter()
    columns["p_kw"][600:900] = 0.0
    columns["e_kwh"][600:900] = columns["e_kwh"][600]
    assert found(drawn, columns) == []


def test_a_silent_meter_is_not_frozen(drawn) -> None:
    columns = meter(slice(600, 640))
    keep = np.ones(N, dtype=bool)
    keep[605:638] = False
    columns |= {"ts_s": np.arange(N) * 60.0}
    assert found(drawn, {name: values[keep] for name, values in columns.items()}) == []


def test_only_what_the_register_contradicts_is_proven(drawn) -> None:
    plant = drawn.plant("P T")
    for channels, proven in ((("p_kw", "e_kwh"), True), (("p_kw", "u_a"), False)):
        raw = drawn.raw(plant, drawn.day, {"P": meter(slice(600, 700), channels)})
        assert [is_proven(spell) for spell in frozen_reading.mark(raw)] == [proven]
