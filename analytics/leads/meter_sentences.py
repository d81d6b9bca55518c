"""One clause per kind that is about meters or energy; numbers are evidence of the episode."""

from collections.abc import Callable, Mapping

from analytics.leads.scoring import number
from analytics.leads.sentences import Clause, Names, kw
from wattwitness.domain.episodes import Episode


def _unmetered(e: Episode, names: Names) -> Clause:
    del names
    main, subs = kw(number(e, "main_mean")), kw(number(e, "sub_meters_mean"))
    residual, usual = kw(number(e, "residual_mean")), kw(number(e, "usual_residual"))
    return (
        f"总表平均{main} kW，分表合计{subs} kW，差{residual} kW（通常{usual} kW）",
        (
            f"the main meter saw {main} kW, its sub-meters {subs} kW: {residual} kW apart, "
            f"{usual} kW are usual"
        ),
    )


def _gap(e: Episode, names: Names) -> Clause:
    minutes, after = round(number(e, "missing_minutes")), round(number(e, "after_occasion"))
    alert = e.evidence.get("occasion", {}).get("value") == "alert"
    zh_what, en_what = ("应急响应", "the response") if alert else ("检查", "the inspection")
    when_zh = f"开始后{after}分钟" if after >= 0 else f"开始前{-after}分钟"
    when_en = f"{after} min after" if after >= 0 else f"{-after} min before"
    return (
        f"{zh_what}{when_zh}，{names.zh}无数据{minutes}分钟",
        f"{names.en} fell silent {when_en} the start of {en_what}, for {minutes} min",
    )


def _counter(e: Episode, names: Names) -> Clause:
    for name, zh, en in (("rolled_back", "倒退", "went back"), ("jumped", "突增", "jumped")):
        if name in e.evidence:
            amount = f"{number(e, name):.1f}"
            before, after = number(e, "register_before"), number(e, "register_after")
            return (
                f"{names.zh}电能表{zh}{amount} kWh（{before:.1f}→{after:.1f}）",
                f"the register of {names.en} {en} {amount} kWh ({before:.1f} → {after:.1f})",
            )
    power, counted = number(e, "energy_of_power"), number(e, "energy_of_register")
    return (
        f"{names.zh}按功率应计{power:.1f} kWh，电能表仅计{counted:.1f} kWh",
        f"the power of {names.en} amounts to {power:.1f} kWh, its register counted {counted:.1f}",
    )


def _frozen(e: Episode, names: Names) -> Clause:
    minutes, power = round(number(e, "minutes")), kw(number(e, "power"))
    return (
        f"{names.zh}各项读数{minutes}分钟不变（{power} kW）",
        f"all values of {names.en} stood still for {minutes} min at {power} kW",
    )


def _replayed(e: Episode, names: Names) -> Clause:
    blocks, hours = round(number(e, "blocks")), number(e, "hours_before")
    circuits = round(number(e, "circuits"))
    zh, en = "", ""
    if circuits > 1:
        zh, en = f"{circuits}个回路合计", f" on {circuits} circuits together"
    return (
        f"{names.zh}的读数与{hours:.0f}小时前逐点相同（{zh}{blocks}段15分钟）",
        (
            f"readings of {names.en} repeat those {hours:.0f} h before, sample by sample "
            f"({blocks} quarter hours{en})"
        ),
    )


def _skew(e: Episode, names: Names) -> Clause:
    skew = number(e, "skew")
    zh_way, en_way = ("快", "ahead") if skew > 0 else ("慢", "behind")
    return (
        f"{names.zh}所在网关时钟偏{zh_way}{abs(skew):.0f}秒",
        f"the clock of the gateway of {names.en} was {abs(skew):.0f} s {en_way}",
    )


def _weakest(e: Episode, side: str) -> tuple[str, float, float] | None:
    """(phase, its mean, its share of the strongest) of the lowest voltage or current."""
    means = {p: number(e, f"{side}_{p}_mean") for p in "abc" if f"{side}_{p}_mean" in e.evidence}
    strongest = max(map(abs, means.values()), default=0.0)
    if len(means) < 3 or strongest <= 0:
        return None
    phase = min(means, key=lambda p: abs(means[p]))
    return phase, means[phase], abs(means[phase]) / strongest


def _phase(e: Episode, names: Names) -> Clause:
    minutes = round(number(e, "known_minutes"))
    found = [(w, unit) for side, unit in (("u", "V"), ("i", "A")) if (w := _weakest(e, side))]
    zh, en = f"{names.zh}缺相{minutes}分钟", f"{names.en} lacked a phase for {minutes} min"
    if found:
        (phase, value, _), unit = min(found, key=lambda item: item[0][2])
        zh += f"，{phase.upper()}相{value:.1f} {unit}"
        en += f" (phase {phase.upper()}: {value:.1f} {unit})"
    return zh, en


_ORDERED = {
    "stop": ("停产", "to stop"),
    "limit": ("限产", "to cut its load"),
    "hours": ("错时生产", "to keep to its hours"),
}
_LEVELS = {
    "yellow": ("黄色", "yellow"),
    "orange": ("橙色", "orange"),
    "red": ("红色", "red"),
}


def _curtailment(e: Episode, names: Names) -> Clause:
    ordered = str(e.evidence["ordered"]["value"])
    zh_order, en_order = _ORDERED[ordered]
    zh_level, en_level = _LEVELS[str(e.evidence["alert_level"]["value"])]
    zh = f"{zh_level}预警要求{zh_order}，{names.zh}"
    en = f"under the {en_level} alert it was {en_order}; {names.en}"
    if ordered == "limit":
        used, usual = number(e, "energy_used"), number(e, "usual_energy")
        missed = number(e, "missed_share")
        zh += f"用电{used:.0f} kWh（同期平常{usual:.0f} kWh），应减量的{missed:.0f}%未减"
        en += f" used {used:.0f} kWh ({usual:.0f} are usual): {missed:.0f} % of the cut is missing"
        return zh, en
    ran = round(number(e, "running_minutes"))
    zh += f"仍运行{ran}分钟"
    en += f" ran for {ran} min"
    if "usual_minutes" in e.evidence:
        usual_min = round(number(e, "usual_minutes"))
        zh += f"（同期平常{usual_min}分钟）"
        en += f" ({usual_min} are usual)"
    return zh, en


def _surge(e: Episode, names: Names) -> Clause:
    del names
    used, usual = number(e, "energy_before_alert"), number(e, "usual_energy")
    times = number(e, "ratio")
    return (
        f"响应前24小时生产用电{used:.0f} kWh，为平日{usual:.0f} kWh的{times:.1f}倍",
        (
            f"production used {used:.0f} kWh in the 24 h before the "
            f"response, {times:.1f} times the "
            f"usual {usual:.0f}"
        ),
    )


def _growth(e: Episode, names: Names) -> Clause:
    del names
    now, before = number(e, "daily_energy"), number(e, "daily_energy_before")
    growth = f"{number(e, 'growth'):.0f}"
    return (
        f"生产日用电由{before:.0f}升至{now:.0f} kWh（+{growth}%），无相应报备",
        (
            f"daily production energy rose from {before:.0f} to {now:.0f} kWh (+{growth} %) "
            "without a filing"
        ),
    )


METERS: Mapping[str, Callable[[Episode, Names], Clause]] = {
    "unmetered_production": _unmetered,
    "data_gap_at_alert": _gap,
    "counter_anomaly": _counter,
    "frozen_reading": _frozen,
    "replayed_data": _replayed,
    "clock_skew": _skew,
    "phase_loss": _phase,
    "curtailment_violation": _curtailment,
    "production_surge": _surge,
    "capacity_growth": _growth,
}
