"""`/rules`: what is judged, with its thresholds, and on how many enterprises it can be tested."""

from collections import Counter
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from dashboards.desk import TheDesk
from dashboards.render import PageContext, render
from wattwitness.domain.rule_parameters import Parameter, parameter
from wattwitness.domain.rules import CATALOGUE, RULE_VERSION, Rule
from wattwitness.domain.testability import NOT_APPLICABLE
from wattwitness.store.findings import list_testability

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A parameter of a rule with its default."""

    name: str
    value: float
    means: Parameter | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """One rule of the catalogue."""

    rule: Rule
    thresholds: tuple[Threshold, ...]
    testable: int  # enterprises
    blind: int  # enterprises where it cannot be told, and something is there to test
    whys: tuple[tuple[str, int], ...]  # why not, the most frequent first


@dataclass(frozen=True, kw_only=True)
class RulesPage(PageContext):
    """The rule catalogue."""

    template = "rules.html"

    version: Annotated[str, "The rule version that is judged by."]
    rows: Annotated[list[RuleRow], "Rules in the order of the catalogue."]


def _row(rule: Rule, whys: Counter[str]) -> RuleRow:
    blind = Counter({why: n for why, n in whys.items() if why and why != NOT_APPLICABLE})
    return RuleRow(
        rule=rule,
        thresholds=tuple(
            Threshold(name=name, value=value, means=parameter(rule.code, name))
            for name, value in rule.parameters.items()
        ),
        testable=whys[""],
        blind=blind.total(),
        whys=tuple(blind.most_common()),
    )


@router.get("/rules")
async def rules(request: Request, desk: TheDesk) -> Response:
    """The page."""
    whys: dict[str, Counter[str]] = {code: Counter() for code in CATALOGUE}
    for told in await list_testability(desk.db):
        if told.pairing_id is None and told.kind in whys:
            whys[told.kind][told.why] += 1
    rows = [_row(rule, whys[code]) for code, rule in CATALOGUE.items()]
    return render(request, "rules", RulesPage(version=RULE_VERSION, rows=rows))
