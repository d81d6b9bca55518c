"""The one-page assessment as text: what the page and the PDF show, word for word. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from wattwitness.domain.assessment import Assessment, Compliance, PlantLine
from wattwitness.domain.verdicts import VerdictCode
from wattwitness.files.assessment_words import Tongue

MOST_GROUPS = 8  # of a table on one page; all are in the workbook
MOST_NAMES = 6
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Bar:
    """A stacked bar: the name of a group, and its verdicts."""

    name: str
    parts: tuple[tuple[str, str, int], ...]  # code, word, number; those above 0
    total: int
    told: str  # decided share, in words


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as shown; columns from `numbers` on are flush right."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: int


@dataclass(frozen=True, slots=True)
class Section:
    """A figure with its sentence."""

    key: str
    title: str
    figure: str = ""  # the number that stands out; empty = none
    sentences: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """The page."""

    language: str
    title: str
    alert_id: str
    sections: tuple[Section, ...]
    foot: str


def number(value: float | None) -> str:
    """Whole, grouped; a dash for none."""
    return NOTHING if value is None else f"{round(value):,d}"


def share(value: float | None) -> str:
    """As a percentage; a dash for none."""
    return NOTHING if value is None else f"{100 * value:.0f}%"


def when(moment: datetime, zone: ZoneInfo) -> str:
    """Local minute."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def bar_of(group: Compliance, tongue: Tongue) -> Bar:
    """The bar of a group."""
    return Bar(
        name=group.name or tongue.says("unnamed"),
        parts=tuple(
            (code.value, tongue.word("verdict", code.value), group.counts[code])
            for code in VerdictCode
            if group.counts[code]
        ),
        total=sum(group.counts.values()),
        told=f"{tongue.says('h_decided')} {share(group.decided_share)}",
    )


def _course(it: Assessment, tongue: Tongue, zone: ZoneInfo) -> Section:
    steps = [
        tongue.says("from", when=when(p.from_, zone), level=tongue.word("alert", p.level.value))
        for p in it.phases
    ]
    lifted = it.alert.lifted_at
    end = tongue.says("lifted", when=when(lifted, zone)) if lifted else tongue.says("not_lifted")
    where = tongue.says("comma").join(it.alert.districts) or tongue.says("everywhere")
    sentence = tongue.says(
        "course_says", steps=tongue.says("comma").join(steps), end=end, where=where, n=len(it.lines)
    )
    return Section("course", tongue.says("course"), sentences=(sentence,))


def _saved(it: Assessment, tongue: Tongue) -> Section:
    title, saved = tongue.says("saved"), it.saved
    if not saved.enterprises:
        return Section("saved", title, sentences=(tongue.says("saved_none"),))
    low, high = map(number, saved.interval_kwh)
    least, most = map(number, saved.widest_kwh)
    kwh = number(saved.kwh)
    says = tongue.says(
        "saved_says", n=saved.enterprises, kwh=kwh, low=low, high=high,
        share=share(saved.achieved_cut),
    )  # fmt: skip
    how = tongue.says("saved_how", low=least, high=most)
    return Section("saved", title, f"{kwh} kWh", (says, how))


def _compliance(it: Assessment, tongue: Tongue) -> Section:
    counts = it.all.counts
    sentence = tongue.says(
        "compliance_says",
        ordered=it.all.ordered,
        decided=it.all.decided,
        share=share(it.all.decided_share),
        complied=counts[VerdictCode.COMPLIED],
        partial=counts[VerdictCode.PARTIAL],
        violated=counts[VerdictCode.VIOLATED],
    )
    bar = bar_of(it.all, tongue)
    whole = Bar(tongue.says("compliance"), bar.parts, bar.total, bar.told)
    return Section(
        "compliance", tongue.says("compliance"), share(it.all.complied_share), (sentence,), (whole,)
    )


def _groups(key: str, groups: Sequence[Compliance], tongue: Tongue) -> Section:
    decided = [(g.complied_share, g.name) for g in groups if g.complied_share is not None]
    says = [tongue.says("group_none")]
    if decided:
        least, name = min(decided)
        named = name or tongue.says("unnamed")
        says = [tongue.says("group_says", name=named, share=share(least))]
    if len(groups) > MOST_GROUPS:
        says.append(tongue.says("more", n=len(groups) - MOST_GROUPS))
    bars = tuple(bar_of(group, tongue) for group in groups[:MOST_GROUPS])
    return Section(key, tongue.says(key), sentences=tuple(says), bars=bars)


def _top(it: Assessment, tongue: Tongue) -> Section:
    if not it.top:
        return Section("top", tongue.says("top"), sentences=(tongue.says("top_none"),))
    rows = tuple(
        (
            line.enterprise.name,
            line.enterprise.district or NOTHING,
            tongue.word("verdict", line.code.value),
            share(line.required_cut),
            share(line.saved.achieved_cut if line.saved else None),
            number(line.avoidable_kwh),
        )
        for line in it.top
    )
    keys = ("h_name", "h_district", "h_verdict", "h_required", "h_achieved", "h_avoidable")
    total = number(sum(line.avoidable_kwh for line in it.top))
    says = tongue.says("top_says", n=len(rows), kwh=total)
    table = Table(tuple(map(tongue.says, keys)), rows, 3)
    return Section("top", tongue.says("top"), sentences=(says,), table=table)


def _repeated(it: Assessment, tongue: Tongue) -> Section:
    found = it.repeated
    names = [
        tongue.says("times", name=line.enterprise.name, n=len(line.missed_before))
        for line in found[:MOST_NAMES]
    ]
    told = tongue.says("comma").join(names) + ("…" if len(found) > MOST_NAMES else "")
    says = (
        tongue.says("repeated_says", n=len(found), names=told)
        if found
        else tongue.says("repeated_none")
    )
    return Section("repeated", tongue.says("repeated"), number(len(found)), (says,))


def _rebound(it: Assessment, tongue: Tongue) -> Section:
    title, total = tongue.says("rebound"), it.rebound
    if total is None:
        why = tongue.word("rebound", it.rebound_why)
        return Section("rebound", title, sentences=(tongue.says("rebound_none", why=why),))
    ratio = share(total.kwh / total.usual_kwh if total.usual_kwh > 0 else None)
    says = tongue.says(
        "rebound_says", n=total.enterprises, kwh=number(total.kwh), share=ratio, high=total.high
    )
    return Section("rebound", title, ratio, (says,))


def caveat_sentences(it: Assessment, tongue: Tongue) -> tuple[str, ...]:
    """What the figures do not carry; nothing is said of what does not occur."""
    known = it.caveats
    whys = [
        tongue.says("counted", what=tongue.word("why", why), n=n)
        for why, n in known.undecided.items()
    ]
    undecided = it.all.counts[VerdictCode.INSUFFICIENT_DATA]
    first = (
        tongue.says("undecided", n=undecided, whys=tongue.says("and").join(whys))
        if undecided
        else tongue.says("undecided_none")
    )
    rest = {
        "unmeasured": known.unmeasured,
        "silent": known.silent_meters,
        "only_main": known.only_main_meter,
        "turned_late": known.turned_late,
    }
    return (first, *(tongue.says(key, n=n) for key, n in rest.items() if n))


def note_counts(lines: Sequence[PlantLine], tongue: Tongue) -> list[tuple[str, int]]:
    """What was told with verdicts, the most frequent first."""
    found = Counter(note for line in lines for note in line.notes)
    return [(tongue.word("note", code), n) for code, n in found.most_common()]


def _caveats(it: Assessment, tongue: Tongue) -> Section:
    return Section("caveats", tongue.says("caveats"), sentences=caveat_sentences(it, tongue))


def _notes(it: Assessment, tongue: Tongue) -> Section:
    told = [tongue.says("counted", what=what, n=n) for what, n in note_counts(it.lines, tongue)]
    says = tongue.says("and").join(told) or tongue.says("notes_none")
    return Section("notes", tongue.says("notes"), sentences=(says,))


def paper_of(it: Assessment, language: str, zone: ZoneInfo) -> Paper:
    """The page in `zh` or `en`, times in `zone`."""
    tongue = Tongue(language)
    as_of = when(it.as_of, zone) if it.as_of else tongue.says("nothing_judged")
    return Paper(
        language=language,
        title=tongue.says("title"),
        alert_id=it.alert.alert_id,
        sections=(
            _course(it, tongue, zone),
            _saved(it, tongue),
            _compliance(it, tongue),
            _groups("by_district", it.districts, tongue),
            _groups("by_industry", it.industries, tongue),
            _top(it, tongue),
            _repeated(it, tongue),
            _rebound(it, tongue),
            _caveats(it, tongue),
            _notes(it, tongue),
        ),
        foot=tongue.says("foot", as_of=as_of),
    )
