"""What is rendered is what is documented: context, template and docs/pages.md agree."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment, PackageLoader, meta

from dashboards.pages.alerts import AlertPage, AlertsPage
from dashboards.pages.assessment import AssessmentPage
from dashboards.pages.board import BoardPage, BoardsPage
from dashboards.pages.board_replay import BoardReplayPage
from dashboards.pages.enterprise import EnterprisePage
from dashboards.pages.gateways import GatewaysPage
from dashboards.pages.lead import LeadPage
from dashboards.pages.leads import LeadsPage
from dashboards.pages.overview import OverviewPage
from dashboards.pages.plans import PlanPage, PlansPage
from dashboards.pages.rejects import RejectsPage
from dashboards.pages.rules import RulesPage
from dashboards.render import ErrorPage

DOCS = Path(__file__).resolve().parents[3] / "docs" / "pages.md"
PAGES = [
    OverviewPage,
    LeadsPage,
    LeadPage,
    GatewaysPage,
    RejectsPage,
    EnterprisePage,
    RulesPage,
    AlertsPage,
    AlertPage,
    AssessmentPage,
    PlansPage,
    PlanPage,
    BoardsPage,
    BoardPage,
    BoardReplayPage,
    ErrorPage,
]
GLOBALS = {
    "_",
    "gettext",
    "ngettext",
    "asset",
    "fmt",
    "language",
    "word",
    "frame",
    "parts",
    "alert_parts",
    "board_parts",
    "order_parts",
    "words_of",
}


def used(template: str) -> set[str]:
    environment = Environment(
        loader=PackageLoader("dashboards"), autoescape=True, extensions=["jinja2.ext.i18n"]
    )
    source, _, _ = environment.loader.get_source(environment, template)
    return meta.find_undeclared_variables(environment.parse(source)) - GLOBALS


@pytest.mark.parametrize("page", PAGES)
def test_a_template_uses_exactly_its_context(page):
    assert used(page.template) == set(page.documented())


SHARED = ["base.html", "alert_parts.html", "parts.html", "board_parts.html", "order_parts.html"]


@pytest.mark.parametrize("template", SHARED)
def test_shared_templates_use_no_context(template):
    assert used(template) == set()


@pytest.mark.parametrize("page", PAGES)
def test_a_context_is_documented(page):
    part = DOCS.read_text(encoding="utf-8").split(f"### `{page.template}`")[1].split("##")[0]
    assert dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", part, re.MULTILINE)) == page.documented()
