"""Words of the assessment, code → (中文, English); the pages say the same words for codes.

Sentences have named holes for `str.format`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

Both = tuple[str, str]
LANGUAGES: Final = ("zh", "en")

CODES: Final[Mapping[str, Mapping[str, Both]]] = MappingProxyType(
    {
        "verdict": {
            "violated": ("未落实", "not cut"),
            "partial": ("部分落实", "partly cut"),
            "insufficient_data": ("无法判断", "cannot say"),
            "complied": ("已落实", "cut made"),
            "exempt": ("豁免", "exempt"),
        },
        "why": {
            "not_judged": ("尚未核查", "not judged yet"),
            "not_begun": ("响应尚未开始", "the response has not begun"),
            "grace": ("仍在宽限期或允许时段内", "its grace, or its allowed hours, still run"),
            "just_begun": ("核查时间尚短", "judged for too short a time yet"),
            "low_coverage": ("缺失分钟过多", "too many minutes are unknown"),
            "missing_minutes": ("缺失的分钟可能改变结论", "missing minutes could turn it"),
            "few_like_days": ("可比日偏少", "few like days to compare with"),
            "wide_interval": (
                "平时用电波动过大，无法判断",
                "its usual energy varies too much to tell",
            ),
            "unknown_scope": ("范围内有回路无数据", "a circuit in scope tells nothing"),
            "no_circuits": ("未登记回路", "no circuit is registered"),
            "no_cut": ("限产比例不要求减量", "the limit asks for no cut"),
            "usually_idle": ("该时段平时也不生产", "would have stood still anyway"),
            "own_swing": ("平时也会自行降到这么低", "falls as low by itself now and then"),
            "near_allowed": (
                "仅凭总表判断，略多于允许时间",
                "little more than allowed, by the main meter alone",
            ),
            "shifted_unmetered": (
                "总表有用电而各分表没有显示",
                "the main meter saw power that no sub-meter saw",
            ),
            "line_count": (
                "按运行回路数和运行时长判定",
                "decided by how many circuits ran, and how long",
            ),
            "declared": ("已有报备", "a declaration covers it"),
            "called_off": ("预警在响应前取消", "the alert was called off before its response"),
            "voluntary": ("该绩效等级自主减排", "its grade takes measures of its own will"),
            "no_measure": ("该级别下无措施", "no measure at this level"),
        },
        "note": {
            "shifted_before": ("预警前突击生产", "produced more before the alert"),
            "shifted_unmetered": (
                "产能转移至未监测回路",
                "production moved to feeders without a meter",
            ),
            "shifted_night": ("产能转移至夜间", "production moved into the night"),
            "silent_with_alert": ("电表随预警失联", "meters fell silent with the alert"),
            "treatment_off_while_held": (
                "生产未停而治污停运",
                "treatment off while production goes on",
            ),
        },
        "alert": {
            "yellow": ("黄色预警", "Yellow alert"),
            "orange": ("橙色预警", "Orange alert"),
            "red": ("红色预警", "Red alert"),
        },
        "level": {
            "yellow": ("黄色", "yellow"),
            "orange": ("橙色", "orange"),
            "red": ("红色", "red"),
        },
        "grade": {
            "A": ("A 级", "grade A"),
            "B": ("B 级", "grade B"),
            "B-": ("B- 级", "grade B-"),
            "C": ("C 级", "grade C"),
            "D": ("D 级", "grade D"),
            "leading": ("引领性", "leading"),
            "none": ("未分级", "ungraded"),
        },
        "rebound": {
            "not_lifted": ("预警尚未解除", "the alert is not lifted"),
            "not_over": ("解除后尚不足 24 小时", "24 hours have not passed since the lift"),
            "few_like_days": ("可比日偏少", "few like days to compare with"),
            "too_little_data": ("数据不足", "too little data"),
        },
    }
)

SAYS: Final[Mapping[str, Both]] = MappingProxyType(
    {
        "title": ("预警评估", "Assessment of an alert"),
        "course": ("预警过程", "Course"),
        "course_says": (
            "{steps}；{end}。{where}，{n} 家企业。",
            "{steps}; {end}; {where}, {n} enterprises.",
        ),
        "from": ("{when} 起{level}", "{level} from {when}"),
        "lifted": ("{when} 解除", "lifted {when}"),
        "not_lifted": ("尚未解除：以下为当前数据", "not lifted: figures are as of now"),
        "everywhere": ("全部区县", "all districts"),
        "saved": ("减少用电", "Energy avoided"),
        "saved_says": (
            "{n} 家企业实测合计减少 {kwh} kWh（区间 {low} 至 {high}），为平时用电的 {share}。",
            (
                "{n} measured enterprises avoided {kwh} kWh (interval {low} to {high}), "
                "{share} of their usual use."
            ),
        ),
        "saved_how": (
            (
                "平时用电取可比日中位数，区间来自各企业自身无预警日的波动：同一企业内逐项相加"
                "，企业之间按平方和合并；若偏差同源，区间为 {low} 至 {high}。宽限期不计；共用"
                "回路只计一次。"
            ),
            (
                "Usual = median of like days; intervals are each plant's own swing without "
                "an alert: added inside a plant, combined in squares between plants; if all "
                "deviations had one cause: {low} to {high}. Grace is not counted; shared "
                "circuits count once."
            ),
        ),
        "saved_none": ("尚无实测的减少用电量。", "No avoided energy is measured yet."),
        "compliance": ("落实情况", "Compliance"),
        "compliance_says": (
            (
                "{ordered} 家企业应减排，{decided} 家可判定（{share}）；其中 {complied} 家已"
                "落实，{partial} 家部分落实，{violated} 家未落实。"
            ),
            (
                "{ordered} enterprises had to cut; {decided} are decided ({share}): "
                "{complied} made the cut, {partial} partly, {violated} did not."
            ),
        ),
        "by_district": ("按区县", "By district"),
        "by_industry": ("按行业", "By industry"),
        "group_says": (
            "已判定企业中落实最少：{name}（{share}）。",
            "Least of the decided made the cut in {name} ({share}).",
        ),
        "group_none": ("尚无可判定的企业。", "Nothing is decided yet."),
        "unnamed": ("未登记", "not registered"),
        "more": ("另有 {n} 项见工作簿。", "{n} more are in the workbook."),
        "top": ("可避免用电前十", "Top ten of avoidable energy"),
        "top_says": (
            "前 {n} 家多用了本应减下的 {kwh} kWh。",
            "These {n} used {kwh} kWh that were to be cut.",
        ),
        "top_none": ("没有实测的可避免用电。", "No avoidable energy is measured."),
        "repeated": ("屡次未落实", "Repeat non-compliers"),
        "repeated_says": (
            "{n} 家企业在以往预警中也未完全落实：{names}。",
            "{n} missed a cut under an earlier alert as well: {names}.",
        ),
        "repeated_none": (
            "没有企业在以往预警中也未落实。",
            "Nobody missed a cut under an earlier alert as well.",
        ),
        "times": ("{name}（此前 {n} 次）", "{name} ({n} before)"),
        "rebound": ("解除后反弹", "After the lift"),
        "rebound_says": (
            (
                "解除后 24 小时，{n} 家可测企业生产用电 {kwh} kWh，为平时的 {share}；{high} "
                "家高于其任一可比日。"
            ),
            (
                "In the 24 h after the lift {n} measured enterprises used {kwh} kWh for "
                "production, {share} of the usual; {high} more than on any of their like "
                "days."
            ),
        ),
        "rebound_none": ("未测得：{why}。", "Not measured: {why}."),
        "caveats": ("数据说明", "What the data do not carry"),
        "undecided": ("{n} 家无法判断：{whys}。", "{n} cannot be judged: {whys}."),
        "undecided_none": ("没有无法判断的企业。", "No enterprise is undecided."),
        "unmeasured": (
            "{n} 家应减排企业的减少电量未测得。",
            "Avoided energy is not measured for {n} that had to cut.",
        ),
        "silent": ("{n} 家电表随预警失联。", "Meters of {n} fell silent with the alert."),
        "only_main": ("{n} 家只有总表。", "{n} have only a main meter."),
        "turned_late": ("{n} 家的结论因补传数据而改变。", "Verdicts of {n} turned with late data."),
        "notes": ("随结论提示", "Told with the verdicts"),
        "notes_none": ("没有随结论的提示。", "Nothing was told beside the verdicts."),
        "counted": ("{what}：{n}", "{what}: {n}"),
        "foot": (
            "数据截至 {as_of}。核查结论是检查线索，不是违法认定。",
            "By data up to {as_of}. A verdict is a reason to look, not a finding of violation.",
        ),
        "nothing_judged": ("尚无核查", "nothing judged"),
        "and": ("；", "; "),
        "comma": ("、", ", "),
        "h_name": ("企业", "Enterprise"),
        "h_id": ("企业编号", "Enterprise id"),
        "h_district": ("区县", "District"),
        "h_industry": ("行业", "Industry"),
        "h_grade": ("绩效等级", "Grade"),
        "h_verdict": ("结论", "Verdict"),
        "h_confidence": ("置信度", "Confidence"),
        "h_required": ("应减比例", "Cut ordered"),
        "h_achieved": ("实减比例", "Cut made"),
        "h_baseline": ("平时用电 kWh", "Usual kWh"),
        "h_used": ("实际用电 kWh", "Used kWh"),
        "h_saved": ("减少 kWh", "Avoided kWh"),
        "h_low": ("减少下限 kWh", "Avoided, at least kWh"),
        "h_high": ("减少上限 kWh", "Avoided, at most kWh"),
        "h_avoidable": ("可避免 kWh", "Avoidable kWh"),
        "h_why": ("原因", "Why"),
        "h_notes": ("提示", "Notes"),
        "h_before": ("此前未落实的预警", "Missed before under"),
        "h_rebound": ("解除后 24 小时 kWh", "24 h after the lift kWh"),
        "h_rebound_usual": ("平时 24 小时 kWh", "Usual 24 h kWh"),
        "h_late": ("补传前结论", "Before late data"),
        "h_main": ("仅总表", "Only a main meter"),
        "h_ordered": ("应减排", "Had to cut"),
        "h_decided": ("可判定比例", "Decided"),
        "h_complied": ("落实比例", "Made, of decided"),
        "h_what": ("项目", "What"),
        "h_value": ("数值", "Value"),
        "h_n": ("企业数", "Enterprises"),
        "s_summary": ("概要", "summary"),
        "s_districts": ("按区县", "by district"),
        "s_industries": ("按行业", "by industry"),
        "s_enterprises": ("企业", "enterprises"),
        "s_caveats": ("数据说明", "caveats"),
        "yes": ("是", "yes"),
    }
)


class Tongue:
    """One of the two languages."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._at = LANGUAGES.index(language)

    def says(self, key: str, **holes: object) -> str:
        """A sentence with its holes filled."""
        return SAYS[key][self._at].format(**holes)

    def word(self, group: str, code: str) -> str:
        """The word for a code; one without a word is shown as it is."""
        found = CODES[group].get(code)
        return code.replace("_", " ") if found is None else found[self._at]
