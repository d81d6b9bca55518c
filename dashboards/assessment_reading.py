"""The assessment of an alert, read for a page or the API."""

from fastapi import HTTPException

from dashboards.desk import Desk
from wattwitness.domain.assessment import Assessment
from wattwitness.domain.instants import from_us
from wattwitness.store.assessment import load_assessment


async def known_assessment(desk: Desk, alert_id: str) -> Assessment:
    """The assessment of an address.

    Raises:
        HTTPException: 404, there is no such alert.
    """
    registry = await desk.registry()
    if alert_id not in registry.alerts:
        raise HTTPException(404, f"no alert {alert_id!r}")
    return await load_assessment(desk.db, registry, alert_id, from_us(desk.now_us()))
