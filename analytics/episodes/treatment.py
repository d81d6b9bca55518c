"""Stretches of `treatment_off` and `shared_treatment_short` → episodes: evidence, confidence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import History
from analytics.episodes.declared import Part, split
from analytics.episodes.joining import Stretch, Stretches
from analytics.plants import Plant
from analytics.quantiles import median
from wattwitness.domain.episodes import Episode
from wattwitness.domain.registry import Pairing
from wattwitness.domain.rules import CATALOGUE, RULE_VERSION

OFF, SHORT = "treatment_off", "shared_treatment_short"
DUTY_LEAST_STRETCHES = 5
BEST_CONFIDENCE = 0.97  # nothing electric is ever certain
NAMEPLATE_FACTOR = 0.92  # levels assumed from the nameplate, not seen
MAIN_DISAGREES_FACTOR = 0.6
_ROUNDING = 1e-6  # of sums of minutes
MAIN_AGREES_SHARE = 0.85  # main meter ÷ production: below, one of the two is wrong


@dataclass(frozen=True, slots=True)
class Required:
    """How many known minutes make an episode of a stretch."""

    minutes: float
    why: str  # which rule asked for so many


def required_minutes(
    stretch: Stretch, pairing: Pairing, duty_off_min: float, kind: str = OFF
) -> Required:
    """The lawful time of a stretch, or the episode threshold if that is longer.

    The start lag is lawful where the stretch begins with production (or nothing is known about
    the minute before), the stop lag where it ends with it. A duty-cycled unit may rest for three
    of its usual rests.
    """
    episode = CATALOGUE[kind].parameters["episode_min"]
    lag = pairing.start_lag_min * stretch.spells[0].sums.get("begins_with_production", 1.0)
    lag += pairing.stop_lag_min * stretch.spells[-1].sums.get("ends_with_production", 1.0)
    if pairing.duty_cycled and duty_off_min > max(episode, lag):
        return Required(duty_off_min, "duty_cycle")
    return Required(lag, "lawful_lag") if lag > episode else Required(episode, "episode")


def _long_enough(
    stretches: Stretches, pairing: Pairing, duty_off_min: float, kind: str
) -> NDArray[np.intp]:
    """Which stretches are not lawful by their length alone, whatever else is known of them."""
    lag = pairing.start_lag_min * stretches.first("begins_with_production", 1.0)
    lag += pairing.stop_lag_min * stretches.last("ends_with_production", 1.0)
    least = max(
        CATALOGUE[kind].parameters["episode_min"], duty_off_min if pairing.duty_cycled else 0.0
    )
    return np.flatnonzero(stretches.known_min >= np.maximum(lag, least) - _ROUNDING)


def duty_off_minutes(stretches: Stretches) -> float:
    """The longest rest that is lawful for a duty-cycled unit [min].

    Three times the median rest, between bounds of the catalogue: the upper bound keeps a chronic
    offender from teaching the system that long rests are usual.
    """
    parameters = CATALOGUE[OFF].parameters
    low, high = parameters["duty_off_min"], parameters["duty_off_most_min"]
    if len(stretches) < DUTY_LEAST_STRETCHES:
        return low
    usual = median(stretches.known_min)
    return min(high, max(low, parameters["duty_off_factor"] * usual))


def _confidence(stretch: Stretch, required: Required, kind: str) -> float:
    """Provisional until calibrated: what could be wrong takes its share.

    Missing minutes, a treatment power not clearly below its level, production barely running,
    levels never seen, a main meter that contradicts, and a stretch that is barely long enough.
    """
    known, missing = stretch.known_min, stretch.unknown_min
    level = stretch.total("treatment_level_kwh")
    margin = 1.0 - min(1.0, stretch.total("treatment_kwh") / level) if level > 0 else 0.8
    if kind == SHORT:  # the units that do work are part of the treatment power
        margin = 1.0
    usual = stretch.total("production_level_kwh")
    load = min(1.0, 2.0 * stretch.total("production_kwh") / usual) if usual > 0 else 0.8
    confidence = BEST_CONFIDENCE * (known / (known + missing)) * margin * (0.7 + 0.3 * load)
    confidence *= 1.0 - 0.15 * min(1.0, max(0.0, 2.0 - known / required.minutes))
    if stretch.total("nameplate_min") > 0.5 * known:
        confidence *= NAMEPLATE_FACTOR
    if main_disagrees(stretch):
        confidence *= MAIN_DISAGREES_FACTOR
    return round(max(0.0, min(1.0, confidence)), 3)


def main_disagrees(stretch: Stretch) -> bool:
    """Whether the main meter saw clearly less than the production below it."""
    production = stretch.total("production_main_kwh")
    return production > 0 and stretch.total("main_kwh") < MAIN_AGREES_SHARE * production


def _evidence(stretch: Stretch, required: Required) -> dict[str, dict[str, float | str]]:
    known, missing = stretch.known_min, stretch.unknown_min
    hours = known / 60.0

    def mean(name: str) -> dict[str, float | str]:
        return {"value": round(stretch.total(name) / hours, 2), "unit": "kW"}

    evidence: dict[str, dict[str, float | str]] = {
        "production_mean": mean("production_kwh"),
        "production_energy": {"value": round(stretch.total("production_kwh"), 1), "unit": "kWh"},
        "production_running_threshold": mean("production_threshold_kwh"),
        "treatment_mean": mean("treatment_kwh"),
        "treatment_running_level": mean("treatment_level_kwh"),
        "treatment_running_threshold": mean("treatment_threshold_kwh"),
        "known_minutes": {"value": round(known, 1), "unit": "min"},
        "missing_minutes": {"value": round(missing, 1), "unit": "min"},
        "coverage": {"value": round(100.0 * known / (known + missing), 1), "unit": "%"},
        "required_minutes": {"value": round(required.minutes, 1), "unit": "min"},
        "required_by": {"value": required.why, "unit": ""},
        "levels": {
            "value": "nameplate" if stretch.total("nameplate_min") > 0.5 * known else "learned",
            "unit": "",
        },
    }
    if stretch.total("treatment_level_kwh") <= 0:
        del evidence["treatment_running_level"], evidence["treatment_running_threshold"]
    if stretch.total("main_min") > 0:
        main_kw = round(stretch.total("main_kwh") / stretch.total("main_min") * 60.0, 2)
        evidence["main_mean"] = {"value": main_kw, "unit": "kW"}
    return evidence


def warned_after_min(stretch: Stretch, required: Required) -> float:
    """Known minutes after which the rule could first say so: as a warning, before it is exported.

    What is lawful at its beginning (start lag, rest of a duty cycle) has to be over.
    """
    warn = CATALOGUE[OFF].parameters["warn_min"]
    if required.why == "episode":
        return min(warn, stretch.known_min)
    return required.minutes


def _episode(
    part: Part, plant: Plant, pairing: Pairing, required: Required, kind: str
) -> Episode | None:
    stretch = part.stretch
    if stretch.known_min < required.minutes:
        return None
    return Episode(
        enterprise_id=plant.enterprise_id,
        kind=kind,
        from_=stretch.from_,
        to=stretch.to,
        detected_at=stretch.minutes_known_at(warned_after_min(stretch, required)),
        circuits=(*pairing.production, *pairing.treatment),
        pairing_id=pairing.pairing_id,
        confidence=_confidence(stretch, required, kind),
        evidence=_evidence(stretch, required),
        rule_version=RULE_VERSION,
        suppressed_by=part.declaration.declaration_id if part.declaration else None,
    )


def treatment_episodes(history: History, kind: str = OFF) -> list[Episode]:
    """All episodes of one of the two kinds, suppressed ones included, oldest first.

    Args:
        history: of the enterprise.
        kind: `treatment_off` or `shared_treatment_short`.
    """
    plant = history.plant
    bridge = CATALOGUE[kind].parameters["bridge_unknown_min"]
    found: list[Episode] = []
    for pairing in plant.pairings:
        table = history.spell_table(kind, pairing.pairing_id)
        if table is None:
            continue
        stretches = Stretches(table, bridge)
        duty_off_min = duty_off_minutes(stretches) if pairing.duty_cycled else 0.0
        for n in _long_enough(stretches, pairing, duty_off_min, kind).tolist():
            stretch = stretches[n]
            # asked of the whole: a cut by a declaration must not make a part easier to reach
            required = required_minutes(stretch, pairing, duty_off_min, kind)
            for part in split(stretch, pairing, plant.declarations, any_unit=kind == SHORT):
                episode = _episode(part, plant, pairing, required, kind)
                if episode is not None:
                    found.append(episode)
    return sorted(found, key=lambda e: (e.from_, e.kind, e.pairing_id or ""))
