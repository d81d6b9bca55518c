"""The one sentence of a lead: every number in it is evidence of its gravest episode.

Times are local; how many episodes there are is counted. It says what the meters show, never more:
a lead is not a violation.
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from analytics.leads.meter_sentences import METERS
from analytics.leads.sentences import TREATMENT, Clause, Names
from wattwitness.domain.episodes import Episode

CLAUSES = {**TREATMENT, **METERS}
"""Kind → what an episode of it shows."""


def _span(episode: Episode, zone: ZoneInfo) -> Clause:
    start, end = episode.from_.astimezone(zone), episode.to.astimezone(zone)
    same = start.date() == end.date()
    zh_end = f"{end:%H:%M}" if same else f"{end.month}月{end.day}日{end:%H:%M}"
    zh = f"{start.year}年{start.month}月{start.day}日{start:%H:%M}至{zh_end}"
    en_end = f"{end:%H:%M}" if same else f"{end:%m-%d %H:%M}"
    return zh, f"{start:%Y-%m-%d %H:%M}–{en_end}"


def reason(
    main: Episode, others: Sequence[Episode], names: Names, zone: ZoneInfo
) -> dict[str, str]:
    """Why an officer should look.

    Args:
        main: the gravest episode.
        others: the further episodes of the lead.
        names: of what the gravest episode is about.
        zone: for the times in the sentence.
    """
    zh_span, en_span = _span(main, zone)
    zh_clause, en_clause = CLAUSES[main.kind](main, names)
    zh, en = f"{zh_span}，{zh_clause}", f"{en_span}: {en_clause}"
    if others:
        everything = (main, *others)
        since: datetime = min(e.from_ for e in everything).astimezone(zone)
        zh += f"；自{since.year}年{since.month}月{since.day}日起共{len(everything)}个异常时段"
        en += f"; {len(everything)} episodes since {since:%Y-%m-%d}"
    return {"zh": zh + "。", "en": en + "."}
