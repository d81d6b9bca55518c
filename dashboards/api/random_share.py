"""/api/v1/random-share: enterprises drawn at random for inspection, beside the ranked leads."""

from datetime import date

from fastapi import APIRouter

from dashboards.api.records import Record
from dashboards.desk import TheDesk
from dashboards.random_share import random_share

router = APIRouter(tags=["leads"])


class RandomShareRecord(Record):
    """The draw of one ISO week; the same week, seed and enterprises draw the same."""

    week: str
    seed: int
    share: float
    of: int
    enterprise_ids: list[str]


@router.get("/random-share")
async def drawn_share(desk: TheDesk, day: date | None = None) -> RandomShareRecord:
    """The enterprises of the week of `day` (default: today), in the order of the draw."""
    found = await random_share(desk, day)
    return RandomShareRecord(
        week=found.week,
        seed=found.seed,
        share=found.share,
        of=found.of,
        enterprise_ids=list(found.enterprise_ids),
    )
