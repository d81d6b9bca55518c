from dataclasses import replace

import numpy as np
import pytest

from analytics.columns import PlantRows, columns_of
from analytics.plants import plant_of
from wattwitness.domain.readings import MEASURANDS, NEVER, ReadingColumns, empty_readings
from wattwitness.domain.registry import Role

NAMES = ("A", "B", "C")


@pytest.fixture
def plant(kit):
    """Three circuits whose keys do not ascend with their rows; nobody reads the second one."""
    found = plant_of(kit.registry([kit.circuit(name, Role.MAIN) for name in NAMES]), "E")
    return replace(found, keys=(7, 3, 5))


@pytest.fixture
def rows(kit):
    found = empty_readings(9)
    found["circuit"] = [5] * 4 + [7] * 5
    found["ts"] = kit.start_us + np.array([0, 1, 2, 3, 0, 1, 2, 3, 4]) * 60_000_000
    for k, name in enumerate(MEASURANDS):
        found[name] = 10 * k + np.arange(9)
    found["received_at"] = found["ts"] + 7
    found["resent"] = np.arange(9) % 2 == 0
    found["u_a"][6] = np.nan
    found["pf"] = np.nan
    return found


def test_columns_stand_in_the_row_order_of_the_plant(plant, rows) -> None:
    for found in (
        columns_of(rows, plant),
        PlantRows(ReadingColumns.of(rows), plant).between(0, 2**62),
    ):
        order = [4, 5, 6, 7, 8, 0, 1, 2, 3]
        assert found.ends.tolist() == [0, 5, 5, 9]
        assert found.circuit_row.tolist() == [0] * 5 + [2] * 4
        for name in MEASURANDS:
            np.testing.assert_array_equal(found[name], rows[name][order])
        for name in ("ts", "received_at", "resent"):
            np.testing.assert_array_equal(getattr(found, name), rows[name][order])


def test_a_span_is_cut_out_of_each_circuit(plant, rows, kit) -> None:
    minute = 60_000_000
    found = PlantRows(ReadingColumns.of(rows), plant).between(
        kit.start_us + 1, kit.start_us + 3 * minute
    )
    assert (found.ts - kit.start_us).tolist() == [minute, 2 * minute] * 2
    assert found["p_kw"].tolist() == [5, 6, 1, 2]


def test_it_counts_what_is_measured(plant, rows) -> None:
    found = columns_of(rows, plant)
    assert found.knows("p_kw").tolist() == [5, 0, 4]
    assert found.knows("u_a").tolist() == [4, 0, 4]
    assert found.knows("pf").tolist() == [0, 0, 0]


def test_rows_may_lack_fields(plant, rows) -> None:
    few = np.zeros(9, dtype=[("circuit", "<i8"), ("ts", "<i8"), ("p_kw", "<f8")])
    for name in few.dtype.names:
        few[name] = rows[name]
    found = columns_of(few, plant)
    assert found.names == ("p_kw",)
    assert found["p_kw"].tolist() == [4, 5, 6, 7, 8, 0, 1, 2, 3]
    assert (found.received_at == NEVER).all()
    assert not found.resent.any()


def test_no_readings_at_all(plant) -> None:
    for found in (columns_of(empty_readings(), plant), PlantRows(ReadingColumns.empty(0), plant)):
        columns = found if not isinstance(found, PlantRows) else found.between(0, 2**62)
        assert len(columns) == 0
        assert columns.knows("p_kw").tolist() == [0, 0, 0]
