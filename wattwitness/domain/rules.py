"""The rule catalogue: every code that an episode may carry, with its words in both languages.

Parameters are defaults of this project unless marked (sourced). A rule whose `since` is empty has
its place here and in the tree but is not judged yet; testability says so for every enterprise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from wattwitness.domain.leads import Matter

RULE_VERSION = "2026.11.4"
"""Goes into every episode; changes whenever a default or a method changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One code of the catalogue."""

    code: str
    zh: str
    en: str
    matter: Matter
    parameters: Mapping[str, float] = field(default_factory=dict)
    severity: float = 0.6  # 0 … 1, of an episode whose untreated energy is not known
    informs: bool = False  # worth knowing, no suspicion by itself
    since: str = ""  # rule version that first judged it; empty = not judged yet


_T, _M, _C, _P = Matter.TREATMENT, Matter.METERING, Matter.CURTAILMENT, Matter.CAPACITY

_RULES = (
    Rule(
        code="treatment_off",
        zh="治污设施未运行",
        en="Treatment off while production ran",
        matter=_T,
        parameters={
            "warn_min": 10,
            "episode_min": 30,
            "bridge_unknown_min": 10,  # also bridges a pause of production while treatment is off
            "duty_off_min": 60,  # duty-cycled treatment may rest at least this long …
            "duty_off_factor": 3,  # … or this many of its usual rests …
            "duty_off_most_min": 120,  # … and never longer than this
        },
        since="2026.11.1",
    ),
    Rule(
        code="treatment_late_start",
        zh="治污启动滞后",
        en="Treatment started late",
        matter=_T,
        parameters={
            "tolerance_min": 2,  # of two meters and a state
            "lag_quantile": 0.95,  # of a pair's own lags, in its verified period
            "lag_most_factor": 1.5,  # × the registered lag: no more is ever learned
        },
        since="2026.11.2",
    ),
    Rule(
        code="treatment_early_stop",
        zh="治污提前停运",
        en="Treatment stopped early",
        matter=_T,
        parameters={
            "tolerance_min": 2,  # as for a late start, likewise the learned lag
        },
        since="2026.11.2",
    ),
    Rule(
        code="treatment_underload",
        zh="治污低负荷运行",
        en="Treatment under load",
        matter=_T,
        severity=0.6,
        parameters={
            "share": 0.85,  # of the verified level of the same duty
            "clearance": 0.02,  # below what the reference itself showed
            "episode_min": 30,
            "bridge_blocks": 3,  # of 15 min without a judgement
        },
        since="2026.11.2",
    ),
    Rule(
        code="treatment_gradual_underrun",
        zh="治污负荷逐渐下降",
        en="Treatment load declines",
        matter=_T,
        severity=0.6,
        parameters={
            "least_days": 6,
            "least_decline": 0.07,  # of the reference
            "least_per_day": 0.004,
            "most_per_day": 0.05,  # faster is a step
            "better_than_step": 0.8,  # × the squared error of a step
            "recovered": 0.97,  # of the reference: repaired
        },
        since="2026.11.2",
    ),
    Rule(
        code="treatment_dummy_load",
        zh="治污假负载",
        en="Dummy load on treatment",
        matter=_T,
        severity=0.95,
        parameters={
            "episode_min": 60,
            "bridge_hours": 72,  # in which the unit rests
            "resistor_pf": 0.98,
            "pf_clearance": 0.015,  # above the unit's own
            "motor_pf": 0.97,  # a reference above cannot be told from a resistor
            "resistor_exponent_low": 1.4,
            "resistor_exponent_high": 2.6,
            "motor_imbalance": 0.02,
        },
        since="2026.11.2",
    ),
    Rule(
        code="treatment_inspection_only",
        zh="仅检查时段运行治污",
        en="Treatment runs for inspections only",
        matter=_T,
        severity=0.9,
        parameters={
            "least_days": 4,
            "inside_share": 0.55,  # of running minutes
            "outside_share": 0.25,
            "bridge_days": 3,  # without production on both sides
            "least_contrast": 2.0,  # standard deviations
            "office_from_h": 8.5,
            "office_to_h": 17.5,
        },
        since="2026.11.2",
    ),
    Rule(
        code="shared_treatment_short",
        zh="共用治污设施不足",
        en="Too few shared treatment units",
        matter=_T,
        parameters={
            "episode_min": 30,
            "bridge_unknown_min": 10,
        },
        since="2026.11.2",
    ),
    Rule(
        code="unmetered_production",
        zh="生产用电未接入监测",
        en="Unmetered load",
        matter=_M,
        severity=0.8,
        parameters={
            "episode_min": 60,
            "margin_share": 0.03,  # of the main meter
            "long_margin_share": 0.01,  # of its working level, for means over hours
            "margin_kw": 0.5,
            "sum_share": 1.03,  # Σ sub-meters ÷ main
            "bridge_hours": 20,  # in which the unmetered load rests
        },
        since="2026.11.2",
    ),
    Rule(
        code="data_gap_at_alert",
        zh="预警期间数据缺失",
        en="Data gap at an alert",
        matter=_M,
        severity=0.8,
        parameters={
            "window_min": 30,  # before and after
            "episode_min": 30,
            "most_chance": 0.03,  # that chance explains it
        },
        since="2026.11.2",
    ),
    Rule(
        code="counter_anomaly",
        zh="电能表计数异常",
        en="Energy register anomaly",
        matter=_M,
        severity=0.65,
        parameters={
            "jump_factor": 1.2,  # × rated power × elapsed time
            "energy_share": 0.1,  # ∫P dt against the register, in an hour
            "longest_interval_s": 60,  # of readings whose power is integrated
            "bridge_min": 180,  # between two such hours of one episode …
            "bridge_blind_min": 1200,  # … and where no hour between them could be compared
        },
        since="2026.11.2",
    ),
    Rule(
        code="frozen_reading",
        zh="读数冻结",
        en="Frozen readings",
        matter=_M,
        severity=0.65,
        parameters={
            "episode_min": 30,
            "register_steps": 5,  # overdue: the register stands although power flows
            "run_factor": 3,  # × the circuit's own long runs
            "fine_run_min": 60,  # without a register, at least
        },
        since="2026.11.2",
    ),
    Rule(
        code="replayed_data",
        zh="数据重放",
        en="Replayed data",
        matter=_M,
        severity=0.95,
        parameters={
            "least_blocks": 8,  # of 15 min that come again
            "least_share": 0.75,  # of the blocks in which anything moves
            "bridge_blocks": 4,
        },
        since="2026.11.2",
    ),
    Rule(
        code="clock_skew",
        zh="时钟偏差",
        en="Clock skew",
        matter=_M,
        severity=0.4,
        parameters={
            "skew_s": 60,
            "episode_min": 60,
            "bridge_min": 360,  # without readings that would tell
        },
        since="2026.11.2",
    ),
    Rule(
        code="phase_loss",
        zh="缺相",
        en="Phase loss",
        matter=_M,
        severity=0.35,
        parameters={
            "episode_min": 5,
            "voltage_share": 0.78,  # of nominal
            "current_share": 0.05,  # of the mean of the other two
            "bridge_min": 15,
        },
        since="2026.11.2",
    ),
    Rule(
        code="curtailment_violation",
        zh="应急减排未落实",
        en="Ordered curtailment not found",
        matter=_C,
        severity=0.85,
        parameters={
            "grace_min": 120,  # of a measure that tells none (sourced: what can be stopped)
            "allowed_min": 20,  # running, per named circuit
            "violated_share": 0.6,  # of the usual running minutes of that time
            "missed_complied": 0.05,  # of the ordered cut
            "missed_violated": 0.7,
            "least_coverage": 0.9,  # of the judged minutes
            "least_like_days": 10,  # of a limit's baseline
        },
        since="2026.11.3",
    ),
    Rule(
        code="production_surge",
        zh="预警前突击生产",
        en="Surge before an alert",
        matter=_C,
        severity=0.3,
        informs=True,
        parameters={
            "share": 1.3,
            "like_days": 10,
        },
        since="2026.11.2",
    ),
    Rule(
        code="capacity_growth",
        zh="用电规模增长",
        en="Capacity growth",
        matter=_P,
        severity=0.3,
        informs=True,
        parameters={
            "share": 1.2,
            "window_days": 30,
            "least_days": 40,
        },
        since="2026.11.2",
    ),
)

CATALOGUE: Mapping[str, Rule] = MappingProxyType({rule.code: rule for rule in _RULES})
"""Code → rule, in the order of the catalogue."""
