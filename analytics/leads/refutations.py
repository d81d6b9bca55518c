"""What would refute a finding on site, kind by kind: what only a visit or a paper can tell.

`{name}` stands for evidence of the gravest episode of the kind.
"""

from collections.abc import Mapping

from wattwitness.domain.episodes import Episode

Words = tuple[str, str]
"""Chinese, English."""

_ON_SITE: Mapping[str, Words] = {
    "treatment_off": (
        (
            "电量只能说明设备未用电：请现场核实是否更换计量回路、"
            "启用未计量的备用设备或未报备的检修。"
        ),
        (
            "Electricity only shows that the unit drew no power: "
            "check on site for a moved meter, an "
            "unmetered spare or a repair that was not declared."
        ),
    ),
    "treatment_late_start": (
        (
            "若设备须预热或由联锁延时启动，允许滞后应予登记（现为{lawful_lag}分钟）"
            "；请核对联锁与启停记录。"
        ),
        (
            "If an interlock or a warm-up delays the unit, that lag belongs in the registration "
            "({lawful_lag} min now): check the interlock and the log of starts."
        ),
    ),
    "treatment_early_stop": (
        (
            "若生产此时只是清空余料或降温，允许提前量应予登记（现为{lawful_lag}分钟）"
            "；请核对停机规程。"
        ),
        (
            "If production was only being emptied or cooled down, that "
            "lag belongs in the registration "
            "({lawful_lag} min now): check the shutdown procedure."
        ),
    ),
    "treatment_underload": (
        (
            "变频、分级风量、更换滤材也会降低功率：请对照参考水平{reference_level} "
            "kW核对风量与压差。"
        ),
        (
            "A frequency drive, staged fans or new filters lower the "
            "power as well: check air flow and "
            "pressure against the reference of {reference_level} kW."
        ),
    ),
    "treatment_gradual_underrun": (
        "皮带松动、叶轮磨损或电流互感器老化也会使功率缓降：请核对检修记录与风量。",
        (
            "A slack belt, a worn impeller or an ageing current "
            "transformer lower the power slowly, "
            "too: check the maintenance log and the air flow."
        ),
    ),
    "treatment_dummy_load": (
        "加装变频器或电容补偿也会改变功率因数：请现场查看风机是否转动、有无接入电加热负载。",
        (
            "A frequency drive or capacitors change the power "
            "factor, too: look whether the fan turns "
            "and whether a heater is connected."
        ),
    ),
    "treatment_inspection_only": (
        (
            "若其余时段（{running_unwatched}分钟生产）的工艺不产污，"
            "应在关联中登记：请核对班次与工艺。"
        ),
        (
            "If what runs in the other hours ({running_unwatched} min "
            "of production) does not pollute, "
            "the pairing should say so: check shifts and processes."
        ),
    ),
    "shared_treatment_short": (
        "若当时工况只需部分设备，应登记所需台数（台数、任一或按产线）：请核对设计与检修。",
        (
            "If fewer units suffice for that duty, the pairing "
            "should require fewer: check the design "
            "and the repairs."
        ),
    ),
    "unmetered_production": (
        (
            "新增照明、空调等负荷或互感器变比有误也会加大差值（差{residual_mean} "
            "kW，通常{usual_residual} kW）："
            "请核对分表关系与变比。"
        ),
        (
            "New lighting, cooling or a wrong transformer ratio widen the difference, too "
            "({residual_mean} kW, {usual_residual} kW are usual): check sub-meters and ratios."
        ),
    ),
    "data_gap_at_alert": (
        "网关断电、流量用尽或检修也会断数；偶然发生的概率约{chance}%：请核对网关日志。",
        (
            "A gateway without power or credit falls silent, too; chance alone explains it with "
            "{chance} %: check the gateway's log."
        ),
    ),
    "counter_anomaly": (
        "换表、清零或倍率更改也会使示数突变：请核对换表记录与互感器倍率。",
        (
            "A replaced or reset meter, or a changed ratio, does "
            "the same: check the record of meter "
            "changes and the transformer ratio."
        ),
    ),
    "frozen_reading": (
        "通信模块重复发送旧值也会如此：请核对表计屏显与网关缓存。",
        (
            "A communication module that repeats old values does the "
            "same: compare the meter's display "
            "with the gateway."
        ),
    ),
    "replayed_data": (
        "网关缓存出错也会重复{hours_before}小时前的数据：请核对网关日志与表计存储。",
        (
            "A faulty buffer of the gateway repeats data as well ({hours_before} "
            "h before): compare its "
            "log and the meter's own memory."
        ),
    ),
    "clock_skew": (
        "停电或校时失败也会使时钟偏差{skew}秒，并不表示有意：请核对校时设置。",
        (
            "A power cut or a failed synchronisation shifts a clock by {skew} s as well, without "
            "intent: check its time source."
        ),
    ),
    "phase_loss": (
        "熔断器熔断或电压线松脱也会缺相：请检查接线与熔断器。",
        "A blown fuse or a loose voltage lead does the same: check the wiring and the fuses.",
    ),
    "curtailment_violation": (
        (
            "保温、保养、清料或不产污的工序也会用电，措施所列回路也可能已变更："
            "请现场核实在产工序，并核对应急预案与报备。"
        ),
        (
            "Holding temperature, maintenance, emptying or a step that does not pollute draw "
            "power, too, and the circuits of the plan may have changed: check on site what runs, "
            "and the plan and declarations."
        ),
    ),
    "production_surge": (
        "订单或季节也会增加用电（平日{usual_energy} kWh）：这是信息，不是嫌疑。",
        (
            "Orders or the season raise consumption, too ({usual_energy} kWh are usual): this is "
            "information, not a suspicion."
        ),
    ),
    "capacity_growth": (
        "订单或季节也会使用电增长{growth}%：请核对环评与排污许可，这是信息，不是嫌疑。",
        (
            "Orders or the season explain a growth of {growth} "
            "%, too: compare the permit; this is "
            "information, not a suspicion."
        ),
    ),
}
KINDS = tuple(_ON_SITE)


class _Numbers(dict[str, str]):
    """Evidence as text; what is not there is a dash."""

    def __missing__(self, name: str) -> str:
        return "–"


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


def refutation(episode: Episode) -> Words:
    """What would refute this episode on site, in both languages."""
    numbers = _Numbers({name: _text(item["value"]) for name, item in episode.evidence.items()})
    zh, en = _ON_SITE[episode.kind]
    return zh.format_map(numbers), en.format_map(numbers)
