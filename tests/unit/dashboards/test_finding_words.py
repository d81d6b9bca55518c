"""Whatever the analytics say about a finding has its word on the pages, in both languages."""

import ast
import re
from pathlib import Path

import pytest

from dashboards.i18n import load_languages
from dashboards.words import WORDS, word
from wattwitness.domain.decisions import Outcome
from wattwitness.domain.leads import LeadStatus

ROOT = Path(__file__).resolve().parents[3] / "analytics"
CODE = re.compile(r"[a-z]+(_[a-z]+)+")
NAMED_BY_PATTERN = {
    *(f"{side}_{phase}_mean" for side in "ui" for phase in "abc"),
    *("rolled_back", "jumped"),
    *(f"{name}_reference" for name in ("power_factor", "voltage_exponent", "current_imbalance")),
}


def trees(*folders):
    for folder in folders:
        for file in sorted((ROOT / folder).glob("*.py")):
            yield ast.parse(file.read_text(encoding="utf-8"))


def text(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def is_amount(node):
    """(value, "unit"), as evidence is written down, or the call that gives a mean."""
    of_tuple = isinstance(node, ast.Tuple) and len(node.elts) == 2
    return of_tuple and text(node.elts[1]) is not None


def is_told(node):
    of_dict = isinstance(node, ast.Dict) and [text(k) for k in node.keys] == ["value", "unit"]
    of_call = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "mean"
    return is_amount(node) or of_dict or of_call


def evidence():
    """Every evidence that detectors and episodes write down."""
    found = set(NAMED_BY_PATTERN)
    for tree in trees("detectors", "episodes"):
        for node in ast.walk(tree):
            pairs = []
            if isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
                pairs = [(node.targets[0].slice, node.value)]
            for key, value in pairs:
                if key is not None and text(key) and is_told(value):
                    found.add(text(key))
    return found


def whys():
    """Codes that testability may answer with."""
    return {
        found
        for tree in trees("testability")
        for node in ast.walk(tree)
        if isinstance(node, ast.Return)
        for inner in ast.walk(node)
        if (found := text(inner)) and CODE.fullmatch(found)
    }


EVIDENCE, WHYS = evidence(), whys()


def test_the_scan_finds_what_is_known_to_be_there():
    assert {"production_mean", "skew", "rolled_back", "register_share", "levels"} <= EVIDENCE
    assert {"no_main_meter", "only_main_meter", "duty_cycled", "too_coarse"} <= WHYS


@pytest.mark.parametrize("name", sorted(EVIDENCE))
def test_every_evidence_has_a_word(name):
    assert name in WORDS["evidence"]


@pytest.mark.parametrize("code", sorted(WHYS - {"u_a", "i_a", "e_kwh", "received_at", "q_kvar"}))
def test_every_reason_for_not_testable_has_a_word(code):
    assert code in WORDS["why"]


def test_units_are_told_in_chinese_where_they_are_words():
    chinese = load_languages()["zh"]
    assert word(chinese, "unit", "min") == "分钟"
    assert word(chinese, "unit", "kW") == "kW"
    assert {"min", "h", "d", "s"} <= set(WORDS["unit"])


def test_standings_and_outcomes_have_words():
    assert {s.value for s in LeadStatus} <= set(WORDS["status"])
    assert {o.value for o in Outcome} == set(WORDS["outcome"]) == set(WORDS["decide"])
