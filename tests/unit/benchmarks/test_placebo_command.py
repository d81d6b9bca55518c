"""The placebo over a data set in the formats of the contract: here, one of the simulator."""

import re
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from benchmarks.placebo.__main__ import app
from benchmarks.truth.seeds import START
from gateway_sim.city import build_city
from gateway_sim.history import write_history
from gateway_sim.scenario import Scenario

CALM = Scenario(
    enterprises=1,
    days=52,
    seed=8,
    interval_s=900,
    main_only=1.0,
    shares=dict.fromkeys(Scenario().shares, 0.0),
)


def test_a_plant_that_never_cut_is_hardly_ever_called_compliant(tmp_path) -> None:
    write_history(build_city(CALM, START), tmp_path)
    told = CliRunner().invoke(app, [str(tmp_path), "--every", "3", "--limits", "50"])
    assert told.exit_code == 0, told.output
    orders = re.search(r"placebo: (\d+) invented orders on MH0001", told.output)
    assert orders is not None
    assert int(orders[1]) > 30
    complied = re.search(r"all orders: complied although.*: (\d\.\d+) ", told.output)
    assert complied is not None
    assert float(complied[1]) <= 0.02
    assert "had every order been followed" in told.output


@pytest.mark.parametrize("missing", ["readings", "registry"])
def test_what_is_missing_is_named(tmp_path, missing) -> None:
    write_history(build_city(replace(CALM, days=2), START), tmp_path)
    for path in tmp_path.glob("readings/*" if missing == "readings" else "*.csv"):
        path.unlink()
    told = CliRunner().invoke(app, [str(tmp_path)])
    assert told.exit_code == 1
    assert str(tmp_path) in told.output
