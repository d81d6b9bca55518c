"""/api/v1/alerts/{alert_id}/assessment: what an alert came to."""

from typing import Any

from fastapi import APIRouter

from dashboards.assessment_reading import known_assessment
from dashboards.desk import TheDesk
from wattwitness.files.assessment_records import assessment_record

router = APIRouter(tags=["alerts"])


@router.get("/alerts/{alert_id}/assessment")
async def assessment(desk: TheDesk, alert_id: str) -> dict[str, Any]:
    """Energy avoided, compliance by district and industry, caveats, and a line per enterprise.

    As `wattwitness alert assess --format json`; null = not measured.
    """
    return dict(assessment_record(await known_assessment(desk, alert_id)))
