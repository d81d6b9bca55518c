"""Whatever the analytics say about a verdict has its word on the board, in both languages."""

import ast
import re
from pathlib import Path

import pytest

from dashboards.board import Standing
from dashboards.verdict_words import VERDICT_WORDS
from wattwitness.domain.registry import MeasureAction
from wattwitness.domain.verdicts import VerdictCode

ROOT = Path(__file__).resolve().parents[3] / "analytics" / "verdicts"
CODE = re.compile(r"[a-z]+(_[a-z]+)*")
NOTES = ast.parse((ROOT / "notes.py").read_text(encoding="utf-8"))


def codes(nodes):
    return {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and CODE.fullmatch(node.value)
    }


def whys():
    """Codes in tuples of one, and those that a helper puts into one."""
    found = set()
    for file in ROOT.glob("*.py"):
        if file.name == "notes.py":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Tuple) and len(node.elts) == 1:
                found |= codes(node.elts)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {
                "_undecided", "_unjudged", "_alone",
            }:  # fmt: skip
                found |= codes(node.args)
    return found


def notes():
    """Codes in lists, tuples and what is added in the module that tells them."""
    found = set()
    for node in ast.walk(NOTES):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"append", "add"}:
            found |= codes(node.args)
        if isinstance(node, ast.Tuple) and len(node.elts) == 1:
            found |= codes(node.elts)
    return found


def test_the_scan_finds_what_is_known_to_be_there():
    assert {"grace", "low_coverage", "unknown_scope"} <= whys()
    assert {"shifted_before", "silent_with_alert", "shifted_night"} <= notes()


@pytest.mark.parametrize("code", sorted(whys()))
def test_every_reason_has_a_word(code):
    assert code in VERDICT_WORDS["verdict_why"]


@pytest.mark.parametrize("code", sorted(notes()))
def test_every_note_has_a_word(code):
    assert code in VERDICT_WORDS["verdict_note"]


def test_verdicts_and_measures_have_words():
    assert set(VERDICT_WORDS["standing"]) == set(Standing) == {*VerdictCode, "in_grace"}
    assert set(VERDICT_WORDS["measure"]) == set(MeasureAction)
    assert set(VERDICT_WORDS["cause"]) == {"time", "late_data", "registry"}
