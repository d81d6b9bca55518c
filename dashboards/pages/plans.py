"""`/plans`: which measures the meters can verify; `/plans/{enterprise_id}`: a plan, and its log."""

from collections import Counter
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, HTTPException, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboards.desk import Desk, TheDesk
from dashboards.forms import NOTHING_FILLED_IN, Act, Form, acted
from dashboards.inbox import districts as known_districts
from dashboards.render import PageContext, render
from dashboards.signed_log import ToldEntry, told
from wattwitness.domain.alerts import Signature
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.plan_check import REQUIRED, PlanFinding, PlanStanding
from wattwitness.domain.registry import (
    AlertLevel,
    Circuit,
    Enterprise,
    Measure,
    MeasureAction,
    Registry,
)
from wattwitness.files.registry_cells import clock_hours
from wattwitness.store.plans import (
    check_stored_plans,
    remove_measure,
    save_measure,
)
from wattwitness.store.signed_log import list_plan_log

router = APIRouter(include_in_schema=False)
PER_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWish:
    """What of the plan check is looked for."""

    standing: str = ""
    level: str = ""
    district: str = ""
    words: str = ""

    def finds(self, finding: PlanFinding, enterprise: Enterprise) -> bool:
        """Whether a finding is looked for."""
        return (
            (not self.standing or finding.standing.value == self.standing)
            and (not self.level or finding.level.value == self.level)
            and (not self.district or enterprise.district == self.district)
            and (
                not self.words
                or self.words.lower() in f"{enterprise.enterprise_id} {enterprise.name}".lower()
            )
        )


@dataclass(frozen=True, kw_only=True)
class PlansPage(PageContext):
    """The plan check."""

    template = "plans.html"

    findings: Annotated[list[PlanFinding], "Measures, and levels without one, of this page."]
    enterprises: Annotated[dict[str, Enterprise], "Whose they are, by id."]
    counts: Annotated[dict[str, int], "How many measures stand so, of all plans."]
    whys: Annotated[list[tuple[str, int]], "Why not, the most frequent first."]
    total: Annotated[int, "How many were found."]
    first: Annotated[int, "Number of the first of this page, from 1."]
    wish: Annotated[PlanWish, "What was looked for."]
    standings: Annotated[list[str], "Standings to choose from."]
    levels: Annotated[list[str], "Levels to choose from."]
    districts: Annotated[list[str], "Districts to choose from."]
    previous_url: Annotated[str | None, "The page before; None on the first."]
    next_url: Annotated[str | None, "The page after; None on the last."]


@dataclass(frozen=True, kw_only=True)
class PlanPage(PageContext):
    """The plan of one enterprise."""

    template = "plan.html"

    enterprise: Annotated[Enterprise, "Whose plan it is."]
    findings: Annotated[list[PlanFinding], "Its measures, and levels without one, by level."]
    circuits: Annotated[dict[str, Circuit], "Its circuits, by id."]
    lines: Annotated[list[str], "Its lines, to choose a scope from."]
    required: Annotated[list[str], "Levels at which its grade asks for measures."]
    levels: Annotated[list[str], "Levels to choose from."]
    actions: Annotated[list[str], "Measures to choose from."]
    log: Annotated[list[ToldEntry], "What was done to the plan, the newest first."]
    form: Annotated[Form, "What was filled in when it was refused."]
    problem: Annotated[str, "Why it was refused; empty = it was not."]


def _url(wish: PlanWish, page: int) -> str:
    asked = {
        "standing": wish.standing,
        "level": wish.level,
        "district": wish.district,
        "q": wish.words,
        "page": str(page) if page > 1 else "",
    }
    query = urlencode({key: value for key, value in asked.items() if value})
    return f"/plans?{query}" if query else "/plans"


@router.get("/plans")
async def plans(
    request: Request,
    desk: TheDesk,
    standing: Annotated[str, Query(pattern="^(verifiable|weak|unverifiable)?$")] = "",
    level: Annotated[str, Query(pattern="^(yellow|orange|red)?$")] = "",
    district: str = "",
    q: Annotated[str, Query(max_length=200)] = "",
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """The plan check."""
    registry = await desk.registry_now()
    wish = PlanWish(standing=standing, level=level, district=district, words=q.strip())
    everything = await check_stored_plans(desk.db, registry, desk.today())
    found = [f for f in everything if wish.finds(f, registry.enterprises[f.enterprise_id])]
    start = (page - 1) * PER_PAGE
    part = found[start : start + PER_PAGE]
    counts = Counter(f.standing.value for f in everything)
    context = PlansPage(
        findings=part,
        enterprises={f.enterprise_id: registry.enterprises[f.enterprise_id] for f in part},
        counts={code.value: counts[code.value] for code in PlanStanding},
        whys=Counter(why for f in found for why in f.why).most_common(),
        total=len(found),
        first=start + 1,
        wish=wish,
        standings=[code.value for code in PlanStanding],
        levels=[code.value for code in AlertLevel],
        districts=known_districts(registry),
        previous_url=_url(wish, page - 1) if page > 1 else None,
        next_url=_url(wish, page + 1) if start + PER_PAGE < len(found) else None,
    )
    return render(request, "alerts", context)


async def _plan(
    request: Request, desk: Desk, enterprise_id: str, form: Form, problem: str = ""
) -> Response:
    registry: Registry = await desk.registry_now()
    enterprise = registry.enterprises.get(enterprise_id)
    if enterprise is None:
        raise HTTPException(404, f"no enterprise {enterprise_id!r}")
    circuits = registry.circuits_of(enterprise_id)
    findings = await check_stored_plans(desk.db, registry, desk.today(), [enterprise_id])
    context = PlanPage(
        enterprise=enterprise,
        findings=findings,
        circuits={c.circuit_id: c for c in circuits},
        lines=sorted({c.line for c in circuits if c.line}),
        required=[lv.value for lv in AlertLevel if lv in REQUIRED[enterprise.grade]],
        levels=[code.value for code in AlertLevel],
        actions=[code.value for code in MeasureAction],
        log=told(await list_plan_log(desk.db, enterprise_id)),
        form=form,
        problem=problem,
    )
    return render(request, "alerts", context, 422 if problem else 200)


@router.get("/plans/{enterprise_id}")
async def plan(request: Request, desk: TheDesk, enterprise_id: str) -> Response:
    """A plan."""
    return await _plan(request, desk, enterprise_id, NOTHING_FILLED_IN)


def _measure(enterprise_id: str, form: Form) -> Measure:
    action = form.word("action", MeasureAction)
    limits, opens = action is MeasureAction.LIMIT, action is MeasureAction.HOURS
    try:
        hours = clock_hours(form.one("hours")) if opens else None
    except InputRefusedError:
        raise InputRefusedError("no hours") from None
    return Measure(
        enterprise_id=enterprise_id,
        level=form.word("level", AlertLevel),
        action=action,
        scope=tuple(form.many("scope")) or ("*",),
        limit_pct=form.number("limit_pct", 0, 100) if limits else None,
        hours=hours,
        grace_min=form.number("grace_min", 0, 1e6),
    )


async def _save(desk: Desk, enterprise_id: str, form: Form, sign: Signature) -> None:
    await save_measure(desk.db, _measure(enterprise_id, form), sign)


async def _remove(desk: Desk, enterprise_id: str, form: Form, sign: Signature) -> None:
    measure = Measure(
        enterprise_id=enterprise_id,
        level=form.word("level", AlertLevel),
        action=form.word("action", MeasureAction),
        scope=tuple(form.many("scope")),
    )
    await remove_measure(desk.db, measure, sign)


_ACTS: dict[str, Act[None]] = {"save": _save, "remove": _remove}


@router.post("/plans/{enterprise_id}/{act}")
async def do(request: Request, desk: TheDesk, enterprise_id: str, act: str) -> Response:
    """Add, change or remove a measure from its form, and show the plan again."""
    if act not in _ACTS:
        raise HTTPException(404, f"nothing is called {act!r} here")
    form, _, problem = await acted(request, desk, _ACTS[act], enterprise_id)
    if problem:
        return await _plan(request, desk, enterprise_id, form, problem)
    return RedirectResponse(f"/plans/{quote(enterprise_id)}#measures", 303)
