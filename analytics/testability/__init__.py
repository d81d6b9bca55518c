"""Honest limits: what the meters of an enterprise can show, told per kind and pairing.

Not testable is an answer of its own, never "clean". Codes of `why`:

    not_yet_judged        the kind has its place in the catalogue, this version does not judge it
    not_applicable        there is nothing to test (no alert, a single unit, no circuit)
    only_main_meter       production and treatment are not metered apart
    combined_meter        production and treatment share a meter (产治一体)
    no_production_meter, no_treatment_meter, no_pairing, no_main_meter, no_sub_meters
    below_resolution      a circuit runs below three steps of its meter
    too_little_history    never seen running, or no reference to hold it against
    duty_cycled           a unit that rests lawfully cannot be late
    no_voltage_or_power_factor, no_three_phases, no_register, no_receipt_times, power_only,
    too_coarse            the readings do not carry what the method needs
"""

from collections.abc import Mapping

from analytics.detectors.stages import History
from analytics.testability.meters import LIMITS
from analytics.testability.pairings import KINDS, kind_limit, pairing_limit, plant_limit
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.testability import NOT_APPLICABLE, Testability


def _limits(history: History) -> tuple[str, Mapping[str, str]]:
    """Why nothing at all can be tested about treatment: in the enterprise, and per pairing."""
    plant = history.plant
    limit = plant_limit(plant)
    return limit, {
        p.pairing_id: limit or pairing_limit(plant, p, history.thresholds) for p in plant.pairings
    }


def _about_pairings(
    history: History, kind: str, limit: str, limits: Mapping[str, str]
) -> list[tuple[str | None, str]]:
    """The enterprise (can it be tested anywhere?), then pairing by pairing."""
    whys = {
        p.pairing_id: limits[p.pairing_id] or kind_limit(history, p, kind)
        for p in history.plant.pairings
    }
    overall = limit or ("" if "" in whys.values() else next(iter(whys.values())))
    return [(None, overall), *whys.items()]


def testability_of(history: History) -> list[Testability]:
    """Every kind of the catalogue for one enterprise; pairing by pairing where it is about one."""
    found = []
    limit, limits = _limits(history)
    for kind, rule in CATALOGUE.items():
        rows: list[tuple[str | None, str]]
        if not rule.since:
            rows = [(None, "not_yet_judged")]
        elif kind in KINDS:
            rows = _about_pairings(history, kind, limit, limits)
        else:
            why = LIMITS[kind](history) if history.plant.circuits else NOT_APPLICABLE
            rows = [(None, why)]
        found += [
            Testability(
                enterprise_id=history.plant.enterprise_id,
                kind=kind,
                pairing_id=pairing_id,
                testable=not why,
                why=why,
            )
            for pairing_id, why in rows
        ]
    return found
