"""The answer key: what really happened, beside the files of a simulated city.

`answer_key.json`: `scenario`, `from`, `to`, `incidents` and `verdicts`.

An incident has enterprise_id, kind (a code of the rule catalogue, or a confuser's name), from, to,
circuits, pairing_id, lawful, why, and `parts`: where the condition held (production running,
treatment off); empty = from…to as a whole.

A verdict, one for each alert and enterprise of its districts, has alert_id, enterprise_id, conduct
(what the plant did), verdict (true by the contract's definition, from what really happened), shown
(whether the meters could show it), and `measures` with the figures behind it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from gateway_sim.city import City
from gateway_sim.effects import Incident
from gateway_sim.faults.metering import FOR_EVER_S
from gateway_sim.orders.conducts import NOTHING_ASKED
from gateway_sim.orders.truth import TrueMeasure, TrueVerdict, true_verdict
from wattwitness.domain.instants import format_instant, from_us

FILE_NAME = "answer_key.json"


def answer_key(city: City) -> Mapping[str, Any]:
    """The key as a JSON object."""
    return {
        "scenario": {f.name: _plain(getattr(city.scenario, f.name)) for f in fields(city.scenario)},
        "from": _instant(city.start_us // 1_000_000),
        "to": _instant(city.end_us // 1_000_000),
        "incidents": [incident_record(incident) for incident in city.incidents],
        "verdicts": [_verdict_record(verdict) for verdict in true_verdicts(city)],
    }


def true_verdicts(city: City) -> Iterator[TrueVerdict]:
    """What is true of each enterprise under each alert of its district, up to the end."""
    for alert in sorted(city.registry.alerts.values(), key=lambda a: a.response_from):
        for plant in city.plants:
            name = plant.enterprise_id
            papers = city.registry.declarations_of(name)
            conduct = city.conducts.get((alert.alert_id, name), NOTHING_ASKED)
            verdict = true_verdict(plant, alert, papers, city.end_us // 1_000_000, conduct)
            if verdict is not None:
                yield verdict


def _verdict_record(verdict: TrueVerdict) -> Mapping[str, Any]:
    return {
        "alert_id": verdict.alert_id,
        "enterprise_id": verdict.enterprise_id,
        "conduct": verdict.conduct,
        "verdict": verdict.verdict.value,
        "shown": verdict.shown,
        "measures": [_measure_record(measure) for measure in verdict.measures],
    }


def _measure_record(measure: TrueMeasure) -> Mapping[str, Any]:
    return {
        "action": measure.action.value,
        "level": measure.level.value,
        "scope": list(measure.scope),
        "from": _instant(measure.from_s),
        "to": _instant(measure.to_s),
        "verdict": measure.verdict.value,
        "running_minutes": measure.running_minutes,
        "usual_minutes": measure.usual_minutes,
        "energy_kwh": round(measure.energy_kwh, 3),
        "usual_kwh": round(measure.usual_kwh, 3),
        "missed_share": round(measure.missed_share, 4),
    }


def incident_record(incident: Incident) -> Mapping[str, Any]:
    """One incident as a JSON object."""
    return {
        "enterprise_id": incident.enterprise_id,
        "kind": incident.kind,
        "from": _instant(incident.from_s),
        "to": None if incident.to_s >= FOR_EVER_S else _instant(incident.to_s),
        "circuits": list(incident.circuits),
        "pairing_id": incident.pairing_id,
        "lawful": incident.lawful,
        "declared": [d.declaration_id for d in incident.declarations],
        "why": incident.why,
        "parts": [[_instant(a), _instant(b)] for a, b in incident.parts],
    }


def write_answer_key(city: City, folder: Path) -> Path:
    """Write the key beside the city's files; returns its path."""
    path = folder / FILE_NAME
    text = json.dumps(answer_key(city), ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _instant(at_s: int) -> str:
    return format_instant(from_us(at_s * 1_000_000))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return value
