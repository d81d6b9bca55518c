"""What can be set, called or found is in the docs."""

import re
from pathlib import Path

import pytest
import typer

from wattwitness.cli import COMMANDS, PROCESSES, build
from wattwitness.domain.rules import CATALOGUE
from wattwitness.runtime.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def text(name):
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_documented_with_its_default(name):
    row = re.search(
        rf"^\| `WATTWITNESS_{name.upper()}` \| (.+?) \|", text("settings.md"), re.MULTILINE
    )
    assert row, f"docs/settings.md lacks WATTWITNESS_{name.upper()}"
    default = Settings.model_fields[name].default
    if isinstance(default, (int, float, str)) and default != "":
        assert f"`{default}`" == row[1]
    assert Settings.model_fields[name].description


def test_no_documented_setting_is_unknown():
    named = set(re.findall(r"^\| `WATTWITNESS_(\w+)`", text("settings.md"), re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


def commands():
    """All commands with their sub-commands, as a user types them."""
    yield from PROCESSES
    root = typer.main.get_command(build(None))
    for name in COMMANDS:
        command = root.commands[name]
        below = getattr(command, "commands", {})
        yield from (f"{name} {sub}" for sub in below) if below else (name,)


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_is_documented(name):
    assert f"`wattwitness {name}`" in text("commands.md"), name


@pytest.mark.parametrize("rule", CATALOGUE.values(), ids=lambda rule: rule.code)
def test_every_rule_is_documented_with_its_name_and_state(rule):
    row = next(
        (line for line in text("rules.md").splitlines() if line.startswith(f"| `{rule.code}` |")),
        None,
    )
    assert row, f"docs/rules.md lacks {rule.code}"
    assert rule.zh in row
    assert row.rstrip(" |").endswith(rule.since or "not yet")


def test_links_between_documents_lead_somewhere():
    for file in (*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", file.read_text(encoding="utf-8")):
            assert (file.parent / target).exists(), f"{file.name} links to {target}"
