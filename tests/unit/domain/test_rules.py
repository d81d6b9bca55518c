"""Every threshold of the catalogue is described and lies within its bounds."""

import pytest

from wattwitness.domain.rule_parameters import parameter
from wattwitness.domain.rules import CATALOGUE

ALL = [(code, name) for code, rule in CATALOGUE.items() for name in rule.parameters]


@pytest.mark.parametrize(("code", "name"), ALL)
def test_a_parameter_is_described_and_within_its_bounds(code, name):
    found = parameter(code, name)
    assert found is not None, f"describe {name} in wattwitness/domain/rule_parameters.py"
    assert found.zh
    assert found.en
    assert found.low <= CATALOGUE[code].parameters[name] <= found.high


def test_a_parameter_that_is_not_there_is_not_described():
    assert parameter("treatment_off", "nonsense") is None


@pytest.mark.parametrize("rule", CATALOGUE.values(), ids=lambda rule: rule.code)
def test_a_rule_is_named_in_both_languages_and_weighs_something(rule):
    assert rule.zh
    assert rule.en
    assert 0 < rule.severity <= 1
