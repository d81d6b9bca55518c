"""The application: routes, static files, guard. Everything it needs is handed in."""

from collections.abc import Collection

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from dashboards import health, live
from dashboards.api import (
    alerts,
    assessment,
    board,
    calls,
    decisions,
    early_warnings,
    enterprises,
    episodes,
    gateways,
    leads,
    overview,
    plans,
    quality,
    random_share,
    rejects,
    series,
    states,
    testability,
)
from dashboards.assets import STATIC
from dashboards.board_live import Boards
from dashboards.desk import Desk
from dashboards.errors import add_refusals
from dashboards.guard import Guard
from dashboards.pages import alerts as alerts_page
from dashboards.pages import assessment as assessment_page
from dashboards.pages import board as board_page
from dashboards.pages import board_replay as board_replay_page
from dashboards.pages import enterprise as enterprise_page
from dashboards.pages import gateways as gateways_page
from dashboards.pages import lead as lead_page
from dashboards.pages import leads as leads_page
from dashboards.pages import overview as overview_page
from dashboards.pages import plans as plans_page
from dashboards.pages import rejects as rejects_page
from dashboards.pages import rules as rules_page
from wattwitness import __version__

API = "/api/v1"
_API_ROUTERS = (
    overview, leads, episodes, enterprises, gateways, rejects, series, states, quality, testability,
    live,
)  # fmt: skip
_DECIDING_ROUTERS = (
    alerts,
    assessment,
    calls,
    plans,
    board,
    decisions,
    early_warnings,
    random_share,
)
_PAGES = (
    board_page,
    board_replay_page,
    overview_page,
    leads_page,
    lead_page,
    gateways_page,
    rejects_page,
    enterprise_page,
    alerts_page,
    assessment_page,
    plans_page,
)


def create_app(desk: Desk, hosts: Collection[str]) -> FastAPI:
    """The application over a desk.

    Args:
        desk: store, zone, languages.
        hosts: names it answers to.
    """
    app = FastAPI(
        title="WattWitness",
        version=__version__,
        description="Electricity as a witness: readings, findings, leads and decisions about them.",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,  # the stock pages load their scripts from elsewhere
        redoc_url=None,
    )
    app.state.desk = desk
    app.state.live = live.Live(desk)
    app.state.boards = Boards(desk)
    add_refusals(app)
    for part in (*_API_ROUTERS, *_DECIDING_ROUTERS):
        app.include_router(part.router, prefix=API)
    app.include_router(health.router)
    for page in (*_PAGES, rules_page):
        app.include_router(page.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Guard, hosts=hosts)
    return app
