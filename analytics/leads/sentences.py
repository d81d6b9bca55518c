"""One clause per kind, in both languages; every number in it is evidence of the episode."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from analytics.leads.scoring import number
from wattwitness.domain.episodes import Episode

Clause = tuple[str, str]
"""Chinese, English; without a full stop."""


@dataclass(frozen=True, slots=True)
class Names:
    """What people call what an episode is about."""

    circuits: Sequence[str]
    production: Sequence[str] = ()
    treatment: Sequence[str] = ()

    @property
    def zh(self) -> str:
        """The circuits, in Chinese punctuation."""
        return listed_zh(self.circuits)

    @property
    def en(self) -> str:
        """The circuits, in English punctuation."""
        return listed_en(self.circuits)


_SHOWN = 3


def listed_zh(names: Sequence[str]) -> str:
    """At most three names, in Chinese punctuation."""
    return "、".join(names[:_SHOWN]) + ("等回路" if len(names) > _SHOWN else "")


def listed_en(names: Sequence[str]) -> str:
    """At most three names, in English punctuation."""
    return ", ".join(names[:_SHOWN]) + (" and others" if len(names) > _SHOWN else "")


def kw(value: float) -> str:
    """A power as people say it [kW]."""
    return f"{value:.1f}" if abs(value) < 1000 else f"{value:.0f}"


def _off(e: Episode, names: Names) -> Clause:
    production, treatment = kw(number(e, "production_mean")), kw(number(e, "treatment_mean"))
    minutes = round(number(e, "known_minutes"))
    zh = f"生产（{listed_zh(names.production)}）平均{production} kW运行{minutes}分钟，"
    zh += f"治污（{listed_zh(names.treatment)}）仅{treatment} kW"
    en = f"production ({listed_en(names.production)}) ran at {production} kW on average "
    en += f"for {minutes} min while treatment ({listed_en(names.treatment)}) drew {treatment} kW"
    if "treatment_running_level" in e.evidence:
        usual = kw(number(e, "treatment_running_level"))
        zh += f"（运行时约{usual} kW）"
        en += f" (about {usual} kW when it runs)"
    return zh, en


def _off_time(zh: str, en: str) -> Callable[[Episode, Names], Clause]:
    """Started late or stopped early: texts with places for `unit` and the minutes of `lag`."""

    def clause(e: Episode, names: Names) -> Clause:
        lag, lawful = round(number(e, "late")), round(number(e, "lawful_lag"))
        return (
            zh.format(unit=listed_zh(names.treatment), lag=lag) + f"（允许{lawful}分钟）",
            en.format(unit=listed_en(names.treatment), lag=lag) + f" ({lawful} min are lawful)",
        )

    return clause


def _underload(e: Episode, names: Names) -> Clause:
    mean, level = kw(number(e, "treatment_mean")), kw(number(e, "reference_level"))
    share = f"{number(e, 'level_share'):.0f}"
    return (
        f"治污（{names.zh}）平均{mean} kW，仅为同工况参考的{share}%（参考水平{level} kW）",
        (
            f"treatment ({names.en}) drew {mean} kW, {share} % of its own reference for that duty "
            f"(its level there: {level} kW)"
        ),
    )


def _gradual(e: Episode, names: Names) -> Clause:
    reached, days = f"{number(e, 'level_reached'):.0f}", round(number(e, "days"))
    pace, level = f"{number(e, 'decline'):.1f}", kw(number(e, "reference_level"))
    return (
        f"治污（{names.zh}）{days}天内每天下降约{pace}%，降至参考水平{level} kW的{reached}%",
        (
            f"treatment ({names.en}) lost about {pace} % a day for "
            f"{days} days, down to {reached} % "
            f"of its reference of {level} kW"
        ),
    )


def _dummy(e: Episode, names: Names) -> Clause:
    mean = kw(number(e, "treatment_mean"))
    zh, en = f"治污（{names.zh}）{mean} kW不像电机", f"the {mean} kW of treatment ({names.en}) are "
    en += "no motor's"
    if "power_factor" in e.evidence:
        now, usual = number(e, "power_factor"), number(e, "power_factor_reference")
        zh += f"：功率因数{now:.2f}（参考{usual:.2f}）"
        en += f": power factor {now:.2f} (reference {usual:.2f})"
    elif "voltage_exponent" in e.evidence:
        zh += f"：功率随电压的{number(e, 'voltage_exponent'):.1f}次方变化"
        en += f": power follows voltage to the {number(e, 'voltage_exponent'):.1f}"
    return zh, en


def _inspection(e: Episode, names: Names) -> Clause:
    inside, outside = number(e, "on_share_watched"), number(e, "on_share_unwatched")
    days = round(number(e, "days"))
    unit_zh, unit_en = listed_zh(names.treatment), listed_en(names.treatment)
    return (
        f"{days}天内，生产时治污（{unit_zh}）在检查时段运行{inside:.0f}%，其余时段仅{outside:.0f}%",
        (
            f"on {days} days treatment ({unit_en}) worked {inside:.0f} "
            f"% of production in inspection "
            f"hours and {outside:.0f} % outside them"
        ),
    )


def _short(e: Episode, names: Names) -> Clause:
    minutes, mean = round(number(e, "known_minutes")), kw(number(e, "treatment_mean"))
    unit_zh, unit_en = listed_zh(names.treatment), listed_en(names.treatment)
    return (
        f"共用治污（{unit_zh}）运行台数不足{minutes}分钟，合计{mean} kW",
        f"too few of the shared units ({unit_en}) worked for {minutes} min, {mean} kW in all",
    )


TREATMENT: Mapping[str, Callable[[Episode, Names], Clause]] = {
    "treatment_off": _off,
    "treatment_late_start": _off_time(
        "随生产应启动的治污（{unit}）晚{lag}分钟才启动",
        "treatment ({unit}) started {lag} min after it was due",
    ),
    "treatment_early_stop": _off_time(
        "生产停止前，治污（{unit}）提前{lag}分钟停运",
        "treatment ({unit}) stopped {lag} min before production",
    ),
    "treatment_underload": _underload,
    "treatment_gradual_underrun": _gradual,
    "treatment_dummy_load": _dummy,
    "treatment_inspection_only": _inspection,
    "shared_treatment_short": _short,
}
