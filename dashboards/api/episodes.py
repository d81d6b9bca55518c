"""/api/v1/episodes: what the analytics found, suppressed ones included and marked."""

from typing import Annotated

from fastapi import APIRouter, Query

from dashboards.api.parameters import Paging
from dashboards.api.records import EpisodeRecord
from dashboards.desk import TheDesk
from wattwitness.domain.instants import parse_typed_instant, to_us
from wattwitness.store.findings import list_episodes

router = APIRouter(tags=["findings"])


@router.get("/episodes")
async def episodes(
    desk: TheDesk,
    page: Paging,
    enterprise_id: str = "",
    from_: Annotated[str | None, Query(alias="from")] = None,
    to: str | None = None,
) -> list[EpisodeRecord]:
    """Episodes that touch [from, to); without bounds all of them."""
    found = await list_episodes(
        desk.db,
        from_us_=to_us(parse_typed_instant(from_)) if from_ else None,
        to_us_=to_us(parse_typed_instant(to)) if to else None,
        enterprise_ids=[enterprise_id] if enterprise_id else None,
    )
    return [EpisodeRecord.of(episode) for episode in page.cut(found)]
