"""Industries of a polluting city: their lines, machines and treatment.

Ratings and shifts are typical for plants of a county town; no-load shares lie in the 3.6–11.1 %
that was measured on four motors. `city` repeats the list in order of `weight`.
"""

from dataclasses import dataclass

from gateway_sim.blueprint import Drive, TreatmentMode
from gateway_sim.schedule import (
    BATCHES,
    KILN,
    LONG_DAY,
    NIGHT_MELT,
    ONE_SHIFT,
    THREE_SHIFTS,
    TWO_SHIFTS,
    ShiftPattern,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineKind:
    """A production machine as the catalogue knows it."""

    zh: str
    rated_kw: tuple[float, float]
    load: tuple[float, float] = (0.6, 0.85)
    no_load: tuple[float, float] = (0.036, 0.111)
    swing: float = 0.08
    ripple: float = 0.04
    drive: Drive = Drive.MOTOR


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatmentKind:
    """A kind of treatment group."""

    zh: str
    rated_kw: tuple[float, float]
    mode: TreatmentMode = TreatmentMode.EACH
    units: int = 1
    need: int = 0
    drive: Drive = Drive.MOTOR
    lead_min: int = 0
    run_on_min: int = 12
    bridge_min: int = 25
    pump_kw: tuple[float, float] | None = None  # an extra circulating pump that cycles
    shared: bool = True  # one group for all lines, or one for each line


@dataclass(frozen=True, slots=True, kw_only=True)
class Industry:
    """An archetype."""

    code: str
    zh: str
    product: str  # as it stands in company names
    weight: int
    lines: tuple[int, int]  # fewest, most
    patterns: tuple[ShiftPattern, ...]
    machines: tuple[MachineKind, ...]  # of each line
    treatments: tuple[TreatmentKind, ...]  # one is drawn
    compressor: bool = False
    kiln: bool = False  # cannot be stopped quickly; treatment stays on


_BAG = TreatmentKind(zh="布袋除尘风机", rated_kw=(30, 90), run_on_min=15)
_BAG_EACH = TreatmentKind(zh="除尘风机", rated_kw=(15, 45), shared=False)
_CARBON = TreatmentKind(zh="活性炭吸附风机", rated_kw=(11, 37))
_CARBON_VFD = TreatmentKind(zh="活性炭变频风机", rated_kw=(15, 45), drive=Drive.VFD)
_SCRUBBER = TreatmentKind(zh="喷淋塔风机", rated_kw=(11, 30), pump_kw=(3, 7.5))
_RTO = TreatmentKind(
    zh="RTO蓄热燃烧", rated_kw=(45, 110), lead_min=30, run_on_min=25, bridge_min=90
)
_SPARE = TreatmentKind(
    zh="引风机", rated_kw=(22, 55), mode=TreatmentMode.SPARE, units=3, need=2, run_on_min=20
)
_LINES = TreatmentKind(zh="集中除尘机组", rated_kw=(18, 37), mode=TreatmentMode.LINES)
_KILN_FAN = TreatmentKind(zh="窑尾收尘风机", rated_kw=(90, 250), mode=TreatmentMode.ALWAYS)
_DESULPHUR = TreatmentKind(
    zh="脱硫塔循环泵", rated_kw=(22, 55), mode=TreatmentMode.SPARE, units=3, need=2
)

INDUSTRIES: tuple[Industry, ...] = (
    Industry(
        code="foundry", zh="铸造", product="铸造", weight=3, lines=(2, 4),
        patterns=(NIGHT_MELT, TWO_SHIFTS),
        machines=(
            MachineKind(zh="中频炉", rated_kw=(400, 1100), no_load=(0.04, 0.1), ripple=0.02),
        ),
        treatments=(_BAG, _LINES), compressor=True,
    ),
    Industry(
        code="coating", zh="工业涂装", product="金属涂装", weight=3, lines=(2, 4),
        patterns=(ONE_SHIFT, LONG_DAY),
        machines=(MachineKind(zh="喷涂线", rated_kw=(60, 180)),),
        treatments=(_RTO, _CARBON_VFD, _SCRUBBER), compressor=True,
    ),
    Industry(
        code="furniture", zh="家具制造", product="家具", weight=2, lines=(2, 4),
        patterns=(ONE_SHIFT, LONG_DAY),
        machines=(MachineKind(zh="开料砂光", rated_kw=(30, 90), ripple=0.12, swing=0.14),),
        treatments=(_BAG_EACH, _CARBON),
    ),
    Industry(
        code="chemical", zh="化工", product="化工", weight=3, lines=(2, 4),
        patterns=(BATCHES, THREE_SHIFTS),
        machines=(MachineKind(zh="反应釜", rated_kw=(75, 220), swing=0.05, ripple=0.02),),
        treatments=(_RTO, _SCRUBBER, _SPARE), compressor=True,
    ),
    Industry(
        code="brick_kiln", zh="砖瓦窑", product="新型建材", weight=2, lines=(1, 1),
        patterns=(KILN,),
        machines=(MachineKind(zh="隧道窑", rated_kw=(160, 320), swing=0.04, ripple=0.02),),
        treatments=(_DESULPHUR,), kiln=True,
    ),
    Industry(
        code="cement", zh="水泥", product="水泥", weight=1, lines=(1, 2),
        patterns=(KILN, THREE_SHIFTS),
        machines=(
            MachineKind(zh="回转窑", rated_kw=(600, 1500), swing=0.04, ripple=0.015),
            MachineKind(zh="水泥磨", rated_kw=(800, 2000), swing=0.05, ripple=0.02),
        ),
        treatments=(_KILN_FAN,), kiln=True,
    ),
    Industry(
        code="feed_mill", zh="饲料加工", product="饲料", weight=2, lines=(1, 3),
        patterns=(TWO_SHIFTS, LONG_DAY),
        machines=(
            MachineKind(zh="粉碎机", rated_kw=(90, 160), ripple=0.1),
            MachineKind(zh="制粒机", rated_kw=(110, 220), swing=0.12, ripple=0.06),
        ),
        treatments=(_BAG_EACH, _BAG),
    ),
    Industry(
        code="printing", zh="包装印刷", product="印务包装", weight=2, lines=(2, 4),
        patterns=(LONG_DAY, TWO_SHIFTS),
        machines=(MachineKind(zh="凹印机", rated_kw=(75, 200), drive=Drive.VFD),),
        treatments=(_RTO, _CARBON, _CARBON_VFD),
    ),
    Industry(
        code="ceramics", zh="陶瓷", product="陶瓷", weight=2, lines=(1, 2),
        patterns=(KILN, THREE_SHIFTS),
        machines=(MachineKind(zh="辊道窑", rated_kw=(250, 600), swing=0.05, ripple=0.02),),
        treatments=(_DESULPHUR, _KILN_FAN), kiln=True,
    ),
    Industry(
        code="rubber", zh="橡胶制品", product="橡塑制品", weight=2, lines=(2, 4),
        patterns=(THREE_SHIFTS, TWO_SHIFTS),
        machines=(MachineKind(zh="密炼机", rated_kw=(110, 280), swing=0.15, ripple=0.15),),
        treatments=(_CARBON, _SPARE, _LINES), compressor=True,
    ),
)  # fmt: skip


def industry_of(rank: int) -> Industry:
    """The industry of the n-th enterprise: all in turn, heavier ones more often."""
    most = max(industry.weight for industry in INDUSTRIES)
    turns = [i for round_ in range(most) for i in INDUSTRIES if i.weight > round_]
    return turns[rank % len(turns)]
