"""The arrows of the house are checked, and the check itself is: each contract reports a breach."""

import importlib.util
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("wattwitness", "collector", "analytics", "gateway_sim", "dashboards")
CONTRACTS = [
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
]
# one breach for each contract: file, and the line that is added to it
BREACHES = {
    "The processes know wattwitness, never each other": ("analytics/grid.py", "import collector"),
    "Inside wattwitness, imports point down": (
        "wattwitness/store/mode.py",
        "import wattwitness.files",
    ),
    "Only the store imports asyncpg": ("dashboards/app.py", "import asyncpg"),
    "Only the collector's connection and the simulator's publisher import an MQTT client": (
        "analytics/grid.py",
        "import paho.mqtt.client",
    ),
    "The domain is pure: values, no I/O, no settings": (
        "wattwitness/domain/leads.py",
        "import socket",
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("house")
    for name in PACKAGES:
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "static")
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint(folder):
    command = (
        "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports;"
        "sys.exit(lint_imports(no_cache=True))"
    )
    return subprocess.run(
        [sys.executable, "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )


def test_there_is_a_planted_breach_for_every_contract():
    assert set(BREACHES) == set(CONTRACTS)


def test_the_house_as_it_stands_keeps_its_contracts(copy):
    done = lint(copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_planted_breach_is_reported(copy, contract):
    name, line = BREACHES[contract]
    file = copy / name
    before = file.read_text(encoding="utf-8")
    file.write_text(f"{before}\n{line}\n", encoding="utf-8")
    try:
        done = lint(copy)
    finally:
        file.write_text(before, encoding="utf-8")
    assert done.returncode != 0
    assert f"{contract} BROKEN" in " ".join(done.stdout.split())


def test_a_module_without_a_place_is_reported(copy):
    stray = copy / "wattwitness" / "stray.py"
    stray.write_text("", encoding="utf-8")
    try:
        assert lint(copy).returncode != 0
    finally:
        stray.unlink()


@pytest.fixture
def structure():
    spec = importlib.util.spec_from_file_location("structure", ROOT / "scripts/structure.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_module_is_too_long_and_there_are_no_drawers(structure):
    assert structure.findings(ROOT) == []


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("analytics/long.py", "x = 1\n" * 301, "301 lines"),
        ("analytics/utils.py", "", "drawer"),
        ("collector/common/parts.py", "", "drawer"),
        ("collector/half.py", "# TO" + "DO\n", "left-over"),
    ],
)
def test_structure_reports_a_breach(structure, tmp_path, name, text, words):
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert [line for line in structure.findings(tmp_path) if words in line]
