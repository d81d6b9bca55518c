"""The answer key: what really happened, beside the files of a simulated city.

`answer_key.json`: `scenario`, `from`, `to`, and `incidents`, each with enterprise_id, kind (a code
of the rule catalogue, or a confuser's name), from, to, circuits, pairing_id, lawful, why, and
`parts`: where the condition held (production running, treatment off); empty = from…to as a whole.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from gateway_sim.city import City
from gateway_sim.effects import Incident
from gateway_sim.faults.metering import FOR_EVER_S
from wattwitness.domain.instants import format_instant, from_us

FILE_NAME = "answer_key.json"


def answer_key(city: City) -> Mapping[str, Any]:
    """The key as a JSON object."""
    return {
        "scenario": {f.name: _plain(getattr(city.scenario, f.name)) for f in fields(city.scenario)},
        "from": _instant(city.start_us // 1_000_000),
        "to": _instant(city.end_us // 1_000_000),
        "incidents": [incident_record(incident) for incident in city.incidents],
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
