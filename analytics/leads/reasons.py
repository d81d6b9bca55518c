"""The one sentence of a lead: every number in it is evidence of an episode.

Times are local. It says what the meters show, never more: a lead is not a violation.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from analytics.leads.scoring import number
from wattwitness.domain.episodes import Episode


def _span(episode: Episode, zone: ZoneInfo) -> tuple[str, str]:
    start, end = episode.from_.astimezone(zone), episode.to.astimezone(zone)
    same = start.date() == end.date()
    zh_end = f"{end:%H:%M}" if same else f"{end.month}月{end.day}日{end:%H:%M}"
    zh = f"{start.year}年{start.month}月{start.day}日{start:%H:%M}至{zh_end}"
    en = (
        f"{start:%Y-%m-%d %H:%M}–{end:%H:%M}"
        if same
        else f"{start:%Y-%m-%d %H:%M}–{end:%m-%d %H:%M}"
    )
    return zh, en


def _kw(value: float) -> str:
    return f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def treatment_reason(
    main: Episode,
    others: Sequence[Episode],
    units: Mapping[str, tuple[Sequence[str], Sequence[str]]],
    zone: ZoneInfo,
) -> dict[str, str]:
    """Why an officer should look at the treatment of this enterprise.

    Args:
        main: the gravest episode.
        others: the further episodes of the lead.
        units: pairing id → (names of its production, names of its treatment).
        zone: for the times in the sentence.
    """
    zh_span, en_span = _span(main, zone)
    production, treatment = units[main.pairing_id or ""]
    prod_kw = _kw(number(main, "production_mean"))
    treat_kw = _kw(number(main, "treatment_mean"))
    minutes = round(number(main, "known_minutes"))
    zh = f"{zh_span}，生产（{'、'.join(production)}）平均{prod_kw} kW运行{minutes}分钟，"
    zh += f"治污（{'、'.join(treatment)}）仅{treat_kw} kW"
    en = f"{en_span}: production ({', '.join(production)}) ran at {prod_kw} kW on average "
    en += f"for {minutes} min while treatment ({', '.join(treatment)}) drew {treat_kw} kW"
    if "treatment_running_level" in main.evidence:
        usual = _kw(number(main, "treatment_running_level"))
        zh += f"（运行时约{usual} kW）"
        en += f" (about {usual} kW when it runs)"
    if others:
        total = minutes + sum(round(number(e, "known_minutes")) for e in others)
        since: datetime = min(e.from_ for e in (main, *others)).astimezone(zone)
        zh += f"；自{since.month}月{since.day}日起共{len(others) + 1}次，累计{total}分钟"
        en += f"; {len(others) + 1} episodes since {since:%Y-%m-%d}, {total} min in all"
    return {"zh": zh + "。", "en": en + "."}
