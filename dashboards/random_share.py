"""The random share of the week, as the leads page and the API show it."""

from dataclasses import dataclass
from datetime import date

from dashboards.desk import Desk
from wattwitness.domain.random_share import drawn, week_of
from wattwitness.store.random_share import enterprises_with_data


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomShare:
    """Enterprises drawn for a week, in the order of the draw."""

    week: str
    seed: int
    share: float
    of: int  # enterprises with data, from which it was drawn
    enterprise_ids: tuple[str, ...]


async def random_share(desk: Desk, day: date | None = None) -> RandomShare:
    """The draw of the week of a local day (default: this one)."""
    week = week_of(day or desk.today())
    pool = await enterprises_with_data(desk.db)
    found = drawn(pool, week, desk.draw.seed, desk.draw.share)
    return RandomShare(
        week=week,
        seed=desk.draw.seed,
        share=desk.draw.share,
        of=len(pool),
        enterprise_ids=tuple(found),
    )
