"""How a lead could be wrong, checked against what is known. Shown beside it, never hidden.

A doubt has a `code`, a `standing` and its words. Standing: `fine` = checked, and it does not
explain the lead; `caution` = it might; `unknown` = only a visit or a paper can tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from analytics.leads.meter_changes import RegisterBack
from analytics.leads.refutations import refutation
from analytics.leads.scoring import number
from wattwitness.domain.episodes import Episode
from wattwitness.domain.leads import ChronicPair, Matter
from wattwitness.domain.registry import Declaration, DeclarationStatus
from wattwitness.domain.rules import CATALOGUE

Doubt = dict[str, str]
METER_CHANGE_BEFORE = timedelta(days=7)
MOST_CHANGES = 3  # that are told
MISSING_SHARE = 0.05  # of the episode: more is worth a thought
AGREES_SHARE = 0.85  # main meter ÷ production below it


@dataclass(frozen=True, slots=True)
class Known:
    """What a lead is checked against."""

    main: Episode  # the gravest
    episodes: Sequence[Episode]  # all of the lead
    register_backs: Sequence[RegisterBack]  # of the enterprise
    declarations: Sequence[Declaration]  # of the enterprise, any status
    chronic: Sequence[ChronicPair]  # that the lead is about
    zone: ZoneInfo


def _doubt(code: str, standing: str, zh: str, en: str) -> Doubt:
    return {"code": code, "standing": standing, "zh": zh, "en": en}


def _declared(known: Known) -> list[Doubt]:
    touching = [
        d
        for d in known.declarations
        if any(d.from_ < e.to and e.from_ < d.to for e in known.episodes)
    ]
    if not touching:
        n = len(known.episodes)
        return [
            _doubt(
                "declared",
                "fine",
                f"{n}个异常时段内无任何报备。",
                f"No declaration of the enterprise touches its {n} episode(s).",
            )
        ]
    counts = {status: sum(d.status is status for d in touching) for status in DeclarationStatus}
    filed, refused = counts[DeclarationStatus.FILED], counts[DeclarationStatus.REFUSED]
    accepted = counts[DeclarationStatus.ACCEPTED]
    return [
        _doubt(
            "declared",
            "caution" if filed or accepted else "fine",
            f"与时段重叠的报备：已受理{accepted}份（不足以说明），"
            f"待审核{filed}份，未受理{refused}份" + ("；请先审核。" if filed else "。"),
            f"Declarations that touch it: {accepted} accepted (not enough "
            f"to explain it), {filed} filed, "
            f"{refused} refused" + ("; review the filed ones first." if filed else "."),
        )
    ]


def _gaps(known: Known) -> list[Doubt]:
    told = [e for e in known.episodes if {"missing_minutes", "known_minutes"} <= set(e.evidence)]
    if not told:
        return []
    missing = round(sum(number(e, "missing_minutes") for e in told))
    seen = round(sum(number(e, "known_minutes") for e in told))
    if not missing:
        return [
            _doubt("gaps", "fine", f"{seen}分钟数据完整。", f"All of its {seen} min have data.")
        ]
    standing = "caution" if missing > MISSING_SHARE * (missing + seen) else "fine"
    return [
        _doubt(
            "gaps",
            standing,
            f"时段内有{missing}分钟无数据，未计入（有数据{seen}分钟）。",
            f"{missing} min inside it have no data and were not counted ({seen} min have).",
        )
    ]


def _meter_change(known: Known) -> list[Doubt]:
    """Registers of its circuits that went back: the meter, or its ratio, may be another one."""
    circuits = {c for e in known.episodes for c in e.circuits}
    since = min(e.from_ for e in known.episodes) - METER_CHANGE_BEFORE
    until = max(e.to for e in known.episodes)
    back = [b for b in known.register_backs if b.circuit_id in circuits and since <= b.at <= until]
    found = []
    for change in back[-MOST_CHANGES:]:
        day = change.at.astimezone(known.zone)
        name, before, after = change.circuit_id, change.before_kwh, change.after_kwh
        found.append(
            _doubt(
                "meter_change",
                "caution",
                f"{name}电能表示数于{day.month}月{day.day}日由{before:.1f}变为{after:.1f} kWh："
                "请核对是否换表或更换互感器。",
                f"The register of {name} went from {before:.1f} to {after:.1f} kWh on "
                f"{day:%Y-%m-%d}: was the meter or its transformer replaced?",
            )
        )
    return found


def _reference(known: Known) -> list[Doubt]:
    basis = known.main.evidence.get("reference", {}).get("value")
    if basis == "verified":
        return [
            _doubt(
                "reference",
                "fine",
                "参考水平取自核实期。",
                "Its reference was learned in a period that an officer verified.",
            )
        ]
    if basis != "provisional":
        return []
    return [
        _doubt(
            "reference",
            "caution",
            "无核实期，参考水平取自最初数日，属暂定：若当时已不正常，结论可能有误。",
            "No period was verified here: the reference is that of its first days, and wrong if "
            "these were not normal.",
        )
    ]


def _never_seen(known: Known) -> list[Doubt]:
    if known.main.evidence.get("levels", {}).get("value") != "nameplate":
        return []
    return [
        _doubt(
            "levels",
            "caution",
            "该回路运行水平来自铭牌，未曾实测到运行：请核对电流互感器接线与回路登记。",
            "A running level is the nameplate's, it was never seen: check the current transformer "
            "and the registration of the circuit.",
        )
    ]


def _main_meter(known: Known) -> list[Doubt]:
    main = known.main
    if CATALOGUE[main.kind].matter is not Matter.TREATMENT or not (
        {"main_mean", "production_mean"} <= set(main.evidence)
    ):
        return []
    main_kw, production_kw = number(main, "main_mean"), number(main, "production_mean")
    if main_kw >= AGREES_SHARE * production_kw:
        return [
            _doubt(
                "main_meter",
                "fine",
                f"总表平均{main_kw:.1f} kW，与生产回路{production_kw:.1f} kW相符。",
                f"The main meter saw {main_kw:.1f} kW, which agrees with {production_kw:.1f} kW of "
                "production below it.",
            )
        ]
    return [
        _doubt(
            "main_meter",
            "caution",
            f"总表平均{main_kw:.1f} kW，低于生产回路{production_kw:.1f} kW：计量可能有误。",
            f"The main meter saw {main_kw:.1f} kW, production alone {production_kw:.1f} kW: one of "
            "the meters may be wrong.",
        )
    ]


def _chronic(known: Known) -> list[Doubt]:
    return [
        _doubt(
            "chronic",
            "caution",
            f"关联{pair.pairing_id}自始缺治污：{pair.days}个生产日中{100 * pair.off_share:.0f}%的"
            "生产时间治污未运行，可能是关联登记有误，请先核对登记。",
            f"Pairing {pair.pairing_id} lacks treatment from the first: for "
            f"{100 * pair.off_share:.0f} % of the production of {pair.days} days. It may be "
            "registered wrongly; check the registration first.",
        )
        for pair in known.chronic
    ]


def _on_site(known: Known) -> list[Doubt]:
    """Per kind of the lead, the gravest kind first, what only a visit can tell."""
    first: dict[str, Episode] = {known.main.kind: known.main}
    for episode in known.episodes:
        first.setdefault(episode.kind, episode)
    return [_doubt(f"site_{kind}", "unknown", *refutation(e)) for kind, e in first.items()]


def doubts(known: Known) -> list[Doubt]:
    """What speaks against a lead, was checked, or has to be checked on site."""
    return [
        *_chronic(known),
        *_declared(known),
        *_gaps(known),
        *_meter_change(known),
        *_reference(known),
        *_never_seen(known),
        *_main_meter(known),
        *_on_site(known),
    ]
