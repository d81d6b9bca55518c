"""How a lead could be wrong, checked against what is known. Shown beside it, never hidden."""

from collections.abc import Sequence

from analytics.leads.scoring import number
from wattwitness.domain.episodes import Episode
from wattwitness.domain.registry import Declaration, DeclarationStatus

Doubt = dict[str, str]
CHRONIC_EPISODES = 10


def _filed(episodes: Sequence[Episode], declarations: Sequence[Declaration]) -> list[Doubt]:
    waiting = [
        d
        for d in declarations
        if d.status is DeclarationStatus.FILED
        and any(d.from_ < e.to and e.from_ < d.to for e in episodes)
    ]
    if not waiting:
        return []
    return [
        {
            "zh": f"有{len(waiting)}份已提交但未受理的报备与时段重叠，请先审核。",
            "en": f"{len(waiting)} declaration(s) filed but not accepted overlap it: review first.",
        }
    ]


def _gaps(main: Episode) -> list[Doubt]:
    missing = round(number(main, "missing_minutes"))
    if missing == 0:
        return []
    return [
        {
            "zh": f"时段内有{missing}分钟无数据，未计入。",
            "en": f"{missing} min inside it have no data and were not counted.",
        }
    ]


def _never_seen(main: Episode) -> list[Doubt]:
    if main.evidence.get("levels", {}).get("value") != "nameplate":
        return []
    return [
        {
            "zh": "该回路运行水平来自铭牌，未曾实测到运行：请核对电流互感器接线与回路登记。",
            "en": "A running level is the nameplate's, it was never seen: check the current "
            "transformer and the registration of the circuit.",
        }
    ]


def _main_meter(main: Episode) -> list[Doubt]:
    if "main_mean" not in main.evidence:
        return []
    main_kw, production_kw = number(main, "main_mean"), number(main, "production_mean")
    if main_kw >= 0.85 * production_kw:
        return []
    return [
        {
            "zh": f"总表平均{main_kw:.1f} kW，低于生产回路{production_kw:.1f} kW：计量可能有误。",
            "en": f"The main meter saw {main_kw:.1f} kW, production alone {production_kw:.1f} kW: "
            "one of the meters may be wrong.",
        }
    ]


def _chronic(episodes: Sequence[Episode]) -> list[Doubt]:
    if len(episodes) < CHRONIC_EPISODES:
        return []
    return [
        {
            "zh": f"共{len(episodes)}次：可能是产治关联登记有误，请先核对登记。",
            "en": f"{len(episodes)} episodes: the pairing itself may be registered wrongly; check "
            "the registration.",
        }
    ]


def doubts(
    main: Episode, episodes: Sequence[Episode], declarations: Sequence[Declaration]
) -> list[Doubt]:
    """What speaks against a lead, or has to be checked on site.

    Args:
        main: the gravest episode.
        episodes: all of the lead, that one included.
        declarations: of the enterprise, any status.
    """
    always = {
        "zh": "电量只能说明设备未用电：请现场核实是否更换计量回路、启用备用设备或停产检修。",
        "en": "Electricity only shows that the unit drew no power: check on site for a moved "
        "meter, an unmetered spare or a repair that was not declared.",
    }
    return [
        *_filed(episodes, declarations),
        *_gaps(main),
        *_never_seen(main),
        *_main_meter(main),
        *_chronic(episodes),
        always,
    ]
