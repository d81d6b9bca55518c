"""`/alerts/{id}/assessment`: what an alert came to, on one page; and as .xlsx and .pdf."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from dashboards.assessment_reading import known_assessment
from dashboards.desk import TheDesk
from dashboards.i18n import chosen
from dashboards.render import PageContext, render
from wattwitness.domain.errors import SetupError
from wattwitness.domain.registry import Alert
from wattwitness.files.assessment_files import MEDIA, AssessmentFormat, assessment_bytes
from wattwitness.files.assessment_paper import Paper, paper_of

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class AssessmentPage(PageContext):
    """One alert, assessed."""

    template = "assessment.html"

    alert: Annotated[Alert, "The alert."]
    paper: Annotated[Paper, "Title, sections with figures and sentences, foot; as in the PDF."]


@router.get("/alerts/{alert_id}/assessment")
async def assessment(request: Request, desk: TheDesk, alert_id: str) -> Response:
    """The page."""
    found = await known_assessment(desk, alert_id)
    paper = paper_of(found, chosen(request), desk.zone)
    return render(request, "alerts", AssessmentPage(alert=found.alert, paper=paper))


@router.get("/alerts/{alert_id}/assessment.{ending}")
async def assessment_file(
    request: Request,
    desk: TheDesk,
    alert_id: str,
    ending: Literal["xlsx", "pdf"],
    lang: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """The workbook or the PDF, in the language asked for or else in that of the pages."""
    language = lang if lang in desk.languages else chosen(request)
    found = await known_assessment(desk, alert_id)
    told = AssessmentFormat(ending)
    try:
        data = await asyncio.to_thread(assessment_bytes, found, told, language, desk.zone)
    except SetupError as error:
        return PlainTextResponse(f"{error.message} - {error.remedy}\n", 501)
    name = f'attachment; filename="assessment-{language}.{ending}"'
    return Response(data, media_type=MEDIA[told], headers={"content-disposition": name})
