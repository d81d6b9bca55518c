"""The rule catalogue: every code that an episode may carry, with its words in both languages.

Parameters are defaults of this project unless marked (sourced). A rule whose `since` is empty has
its place here and in the tree but is not judged yet; testability says so for every enterprise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from wattwitness.domain.leads import Matter

RULE_VERSION = "2026.11.1"
"""Goes into every episode; changes whenever a default or a method changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One code of the catalogue."""

    code: str
    zh: str
    en: str
    matter: Matter
    parameters: Mapping[str, float] = field(default_factory=dict)
    since: str = ""  # rule version that first judged it; empty = not judged yet


_T, _M, _C, _P = Matter.TREATMENT, Matter.METERING, Matter.CURTAILMENT, Matter.CAPACITY

_RULES = (
    Rule(
        code="treatment_off",
        zh="治污设施未运行",
        en="Treatment off while production ran",
        matter=_T,
        parameters={
            "episode_min": 30,
            "bridge_unknown_min": 10,  # also bridges a pause of production while treatment is off
            "duty_off_min": 60,  # duty-cycled treatment may rest at least this long …
            "duty_off_factor": 3,  # … or this many of its usual rests …
            "duty_off_most_min": 120,  # … and never longer than this
        },
        since="2026.11.1",
    ),
    Rule(code="treatment_late_start", zh="治污启动滞后", en="Treatment started late", matter=_T),
    Rule(code="treatment_early_stop", zh="治污提前停运", en="Treatment stopped early", matter=_T),
    Rule(code="treatment_underload", zh="治污低负荷运行", en="Treatment under load", matter=_T),
    Rule(
        code="treatment_gradual_underrun",
        zh="治污负荷逐渐下降",
        en="Treatment load declines",
        matter=_T,
    ),
    Rule(code="treatment_dummy_load", zh="治污假负载", en="Dummy load on treatment", matter=_T),
    Rule(
        code="treatment_inspection_only",
        zh="仅检查时段运行治污",
        en="Treatment runs for inspections only",
        matter=_T,
    ),
    Rule(
        code="shared_treatment_short",
        zh="共用治污设施不足",
        en="Too few shared treatment units",
        matter=_T,
    ),
    Rule(code="unmetered_production", zh="生产用电未接入监测", en="Unmetered load", matter=_M),
    Rule(code="data_gap_at_alert", zh="预警期间数据缺失", en="Data gap at an alert", matter=_M),
    Rule(code="counter_anomaly", zh="电能表计数异常", en="Energy register anomaly", matter=_M),
    Rule(code="frozen_reading", zh="读数冻结", en="Frozen readings", matter=_M),
    Rule(code="replayed_data", zh="数据重放", en="Replayed data", matter=_M),
    Rule(code="clock_skew", zh="时钟偏差", en="Clock skew", matter=_M),
    Rule(code="phase_loss", zh="缺相", en="Phase loss", matter=_M),
    Rule(
        code="curtailment_violation",
        zh="应急减排未落实",
        en="Ordered curtailment not found",
        matter=_C,
    ),
    Rule(code="production_surge", zh="预警前突击生产", en="Surge before an alert", matter=_C),
    Rule(code="capacity_growth", zh="用电规模增长", en="Capacity growth", matter=_P),
)

CATALOGUE: Mapping[str, Rule] = MappingProxyType({rule.code: rule for rule in _RULES})
"""Code → rule, in the order of the catalogue."""
