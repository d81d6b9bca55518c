"""What the parameters of the rules mean, in which unit, and between which bounds they make sense.

A default of `domain.rules` outside its bounds is a mistake (a test holds the two together).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Parameter:
    """One threshold of a rule."""

    unit: str
    low: float
    high: float
    zh: str
    en: str


_ANY = {
    "episode_min": Parameter("min", 1, 1440, "至少持续多久", "lasts at least"),
    "bridge_unknown_min": Parameter(
        "min", 0, 60, "其间未知时间最长", "longest unknown time in between"
    ),
    "bridge_min": Parameter("min", 0, 2880, "其间间隔最长", "longest interruption"),
    "least_days": Parameter("d", 1, 400, "至少天数", "days at least"),
    "tolerance_min": Parameter("min", 0, 30, "判定容差", "tolerance of two meters and a state"),
}
_OWN = {
    "treatment_off": {
        "warn_min": Parameter("min", 1, 120, "多久之后提示", "warned after"),
        "duty_off_min": Parameter(
            "min", 0, 480, "间歇设备可停歇，至少", "a duty-cycled unit may rest, at least"
        ),
        "duty_off_factor": Parameter("", 1, 10, "或为其通常停歇的倍数", "or times its usual rest"),
        "duty_off_most_min": Parameter("min", 0, 1440, "最多停歇", "and never longer than"),
    },
    "treatment_late_start": {
        "lag_quantile": Parameter(
            "", 0.5, 1, "核实期内自身滞后的分位", "quantile of the pair's own lags, when verified"
        ),
        "lag_most_factor": Parameter(
            "", 1, 5, "学习上限为登记滞后的倍数", "never learns more than, × the registered lag"
        ),
    },
    "treatment_underload": {
        "share": Parameter("", 0.3, 1, "低于参考水平的份额", "below this share of its reference"),
        "clearance": Parameter(
            "", 0, 0.5, "且低于参考期最低再减", "and so far below the reference's lowest"
        ),
        "bridge_blocks": Parameter("", 0, 96, "其间可不判的15分钟段", "quarter hours not judged"),
    },
    "treatment_gradual_underrun": {
        "least_decline": Parameter("", 0.01, 1, "总降幅至少", "declines in all by at least"),
        "least_per_day": Parameter("", 0, 0.1, "每天降幅至少", "a day, at least"),
        "most_per_day": Parameter("", 0.005, 0.5, "每天降幅至多", "a day, at most"),
        "better_than_step": Parameter(
            "", 0.1, 1, "误差与突降模型之比至多", "error against that of a step, at most"
        ),
        "recovered": Parameter("", 0.5, 1.2, "恢复到此即为已修复", "repaired from this share on"),
    },
    "treatment_dummy_load": {
        "bridge_hours": Parameter("h", 0, 240, "其间停机最长", "longest rest in between"),
        "resistor_pf": Parameter("", 0.9, 1, "电阻的功率因数", "power factor of a resistor"),
        "pf_clearance": Parameter("", 0, 0.2, "高于自身参考", "above the unit's own by"),
        "motor_pf": Parameter(
            "", 0.5, 1, "参考高于此则无法区分", "a reference above cannot be told from a resistor"
        ),
        "resistor_exponent_low": Parameter("", 1, 2, "电压指数下限", "lowest exponent"),
        "resistor_exponent_high": Parameter("", 2, 4, "电压指数上限", "highest exponent"),
        "motor_imbalance": Parameter(
            "", 0, 0.5, "电机电流不平衡度至少", "imbalance that a motor shows at least"
        ),
    },
    "treatment_inspection_only": {
        "inside_share": Parameter("", 0, 1, "检查时段运行率至少", "on in those hours, at least"),
        "outside_share": Parameter("", 0, 1, "其余时段运行率至多", "on in other hours, at most"),
        "bridge_days": Parameter("d", 0, 30, "其间停产最长", "longest rest of production"),
        "least_contrast": Parameter("σ", 0, 20, "对比显著性至少", "contrast, at least"),
        "office_from_h": Parameter("h", 0, 24, "办公时间开始", "office hours begin"),
        "office_to_h": Parameter("h", 0, 24, "办公时间结束", "office hours end"),
    },
    "unmetered_production": {
        "margin_share": Parameter("", 0, 0.5, "余量占总表份额", "margin, of the main meter"),
        "long_margin_share": Parameter(
            "", 0, 0.5, "长时段余量占总表份额", "margin of long spells, of the main meter"
        ),
        "margin_kw": Parameter("kW", 0, 100, "余量", "margin"),
        "sum_share": Parameter("", 1, 2, "分表合计与总表之比", "sub-meters ÷ main meter"),
        "bridge_hours": Parameter("h", 0, 240, "其间停用最长", "longest rest in between"),
    },
    "data_gap_at_alert": {
        "window_min": Parameter("min", 1, 240, "前后时间窗", "window on both sides"),
        "most_chance": Parameter("", 0, 0.5, "偶然概率低于", "less likely by chance than"),
    },
    "counter_anomaly": {
        "jump_factor": Parameter("", 1, 10, "额定功率×时间的倍数", "× rated power × time"),
        "energy_share": Parameter("", 0.01, 1, "与功率积分之差", "apart from the power's integral"),
        "longest_interval_s": Parameter(
            "s", 1, 900, "可积分的最长采样间隔", "longest interval that is integrated"
        ),
        "bridge_blind_min": Parameter(
            "min", 0, 2880, "其间不可比最长", "longest time that cannot be compared"
        ),
    },
    "frozen_reading": {
        "register_steps": Parameter("", 1, 1000, "示数应走步数", "register steps overdue"),
        "run_factor": Parameter("", 1, 20, "自身最长不变的倍数", "× its own long runs"),
        "fine_run_min": Parameter("min", 1, 1440, "无示数时至少", "without a register, at least"),
    },
    "replayed_data": {
        "least_blocks": Parameter("", 2, 96, "重复15分钟段至少", "quarter hours, at least"),
        "least_share": Parameter("", 0.1, 1, "占变化段份额至少", "share of those that vary"),
        "bridge_blocks": Parameter("", 0, 96, "其间不重复段至多", "quarter hours in between"),
    },
    "clock_skew": {
        "skew_s": Parameter("s", 1, 86_400, "偏差超过", "off by more than"),
    },
    "phase_loss": {
        "voltage_share": Parameter("", 0, 1, "电压低于额定", "voltage below, of nominal"),
        "current_share": Parameter("", 0, 1, "电流低于另两相", "current below, of the other two"),
    },
    "curtailment_violation": {
        "grace_min": Parameter(
            "min", 0, 2880, "措施未定宽限时取", "grace where a measure has none"
        ),
        "allowed_min": Parameter("min", 0, 120, "每回路允许运行", "may run, per named circuit"),
        "violated_share": Parameter(
            "",
            0.1,
            1,
            "达同期平常运行时间此份额即未落实",
            "not cut from this share of usual running",
        ),
        "missed_complied": Parameter("", 0, 0.5, "缺口至多此份额即落实", "missed share, still cut"),
        "missed_violated": Parameter(
            "", 0.1, 1, "缺口至少此份额即未落实", "missed share, not cut from here on"
        ),
        "least_coverage": Parameter("", 0.5, 1, "数据覆盖至少", "minutes known, at least"),
        "least_like_days": Parameter("d", 5, 60, "限产对比的同类日", "like days of a limit"),
    },
    "production_surge": {
        "share": Parameter("", 1, 5, "为平日的倍数", "times the usual"),
        "like_days": Parameter("d", 3, 60, "对比的同类日", "like days compared with"),
    },
    "capacity_growth": {
        "share": Parameter("", 1, 5, "为此前的倍数", "times what was before"),
        "window_days": Parameter("d", 7, 180, "对比窗口", "window"),
    },
}
_OWNERS: Mapping[str, Mapping[str, Parameter]] = MappingProxyType(_OWN)


def parameter(code: str, name: str) -> Parameter | None:
    """What a parameter of a rule means; None = nobody has described it yet."""
    return _OWNERS.get(code, {}).get(name) or _ANY.get(name)
