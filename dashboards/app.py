"""The application: routes, static files, guard. Everything it needs is handed in."""

from collections.abc import Collection

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from dashboards import health, live
from dashboards.api import (
    decisions,
    early_warnings,
    enterprises,
    episodes,
    gateways,
    leads,
    overview,
    quality,
    random_share,
    rejects,
    series,
    states,
    testability,
)
from dashboards.assets import STATIC
from dashboards.desk import Desk
from dashboards.errors import add_refusals
from dashboards.guard import Guard
from dashboards.pages import enterprise as enterprise_page
from dashboards.pages import gateways as gateways_page
from dashboards.pages import lead as lead_page
from dashboards.pages import leads as leads_page
from dashboards.pages import overview as overview_page
from dashboards.pages import rejects as rejects_page
from dashboards.pages import rules as rules_page
from wattwitness import __version__

API = "/api/v1"
_API_ROUTERS = (
    overview, leads, episodes, enterprises, gateways, rejects, series, states, quality, testability,
    live,
)  # fmt: skip
_DECIDING_ROUTERS = (decisions, early_warnings, random_share)
_PAGES = (
    overview_page,
    leads_page,
    lead_page,
    gateways_page,
    rejects_page,
    enterprise_page,
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
    add_refusals(app)
    for part in (*_API_ROUTERS, *_DECIDING_ROUTERS):
        app.include_router(part.router, prefix=API)
    app.include_router(health.router)
    for page in (*_PAGES, rules_page):
        app.include_router(page.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Guard, hosts=hosts)
    return app
