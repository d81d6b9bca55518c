"""What the rows of the registry say about each other: references, ownership, cycles.

A row may refer to what stands in the same import or to what the store already has. A refused row
takes with it what refers to it, unless the store still has an older version of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wattwitness.domain.alerts import Complaint, complaint_of_change
from wattwitness.domain.plans import unknown_part
from wattwitness.domain.registry import (
    Circuit,
    Declaration,
    Gateway,
    Inspection,
    Measure,
    Pairing,
    Registry,
)
from wattwitness.files.registry_sheets import AlertChangeRow


@dataclass(frozen=True, slots=True)
class Draft:
    """A value read from a row, not yet accepted."""

    row: int
    value: Any
    cells: Mapping[str, str]  # the texts that it was read from


Drafts = Mapping[str, list[Draft]]
"""Noun → drafts in file order."""


def merged(known: Registry, drafts: Drafts) -> Registry:
    """The registry as it would be with these drafts."""

    def over(noun: str, key: str) -> dict[str, Any]:
        found = dict(getattr(known, noun))
        return found | {getattr(d.value, key): d.value for d in drafts.get(noun, ())}

    return Registry(
        enterprises=over("enterprises", "enterprise_id"),
        gateways=over("gateways", "gateway_id"),
        circuits=over("circuits", "circuit_id"),
        alerts=over("alerts", "alert_id"),
    )


def refuse_unfounded(known: Registry, drafts: Drafts) -> Iterator[tuple[str, Draft, Complaint]]:
    """Take out of `drafts`, and yield, every row that cannot stand; repeat until all others can."""
    while True:
        world = _World(merged(known, drafts))
        refused = [
            (noun, draft, complaint)
            for noun, check in _CHECKS.items()
            for draft in drafts.get(noun, ())
            if (complaint := check(draft.value, world)) is not None
        ]
        if not refused:
            return
        for noun, draft, _ in refused:
            drafts[noun].remove(draft)
        yield from refused


class _World:
    """The merged registry, with the look-ups that the checks need."""

    def __init__(self, registry: Registry) -> None:
        self.enterprises = registry.enterprises
        self.gateways = registry.gateways
        self.circuits = registry.circuits
        self.wired: dict[tuple[str, str], str] = {}
        self.alerts = registry.alerts
        self.own: dict[str, set[str]] = {e: set() for e in registry.enterprises}
        self.lines: dict[str, set[str]] = {e: set() for e in registry.enterprises}
        for circuit in registry.circuits.values():
            self.wired.setdefault((circuit.gateway_id, circuit.channel), circuit.circuit_id)
            owner = self.owner(circuit.circuit_id)
            if owner in self.own:
                self.own[owner].add(circuit.circuit_id)
                self.lines[owner] |= {circuit.line} if circuit.line else set()

    def owner(self, circuit_id: str) -> str | None:
        """The enterprise of a circuit; None when either is unknown."""
        circuit = self.circuits.get(circuit_id)
        gateway = self.gateways.get(circuit.gateway_id) if circuit else None
        return gateway.enterprise_id if gateway else None

    def in_cycle(self, circuit: Circuit) -> bool:
        """Whether a circuit is metered under itself, however far up."""
        seen = {circuit.circuit_id}
        parent = circuit.parent_circuit_id
        while parent is not None and parent in self.circuits:
            if parent == circuit.circuit_id:
                return True
            if parent in seen:
                return False  # a cycle further up; its own rows are refused
            seen.add(parent)
            parent = self.circuits[parent].parent_circuit_id
        return False


def _unknown_enterprise(enterprise_id: str, world: _World) -> Complaint | None:
    if enterprise_id in world.enterprises:
        return None
    return "enterprise_id", f"no enterprise {enterprise_id!r} - add it to enterprises first"


def _gateway(it: Gateway, world: _World) -> Complaint | None:
    return _unknown_enterprise(it.enterprise_id, world)


def _circuit(it: Circuit, world: _World) -> Complaint | None:
    if it.gateway_id not in world.gateways:
        return "gateway_id", f"no gateway {it.gateway_id!r} - add it to gateways first"
    holder = world.wired[it.gateway_id, it.channel]
    if holder != it.circuit_id:
        return "channel", f"channel {it.channel!r} of {it.gateway_id} belongs to circuit {holder}"
    return _parent(it, it.parent_circuit_id, world) if it.parent_circuit_id else None


def _parent(it: Circuit, parent: str, world: _World) -> Complaint | None:
    if parent not in world.circuits:
        return "parent_circuit_id", f"no circuit {parent!r} - add it to circuits first"
    if world.in_cycle(it):
        return "parent_circuit_id", f"{it.circuit_id} would be metered under itself"
    if world.owner(parent) not in {None, world.owner(it.circuit_id)}:
        return "parent_circuit_id", f"{parent} belongs to another enterprise"
    return None


def _circuits_of_one(
    named: Sequence[tuple[str, str]], owner: str | None, world: _World
) -> Complaint | None:
    """Complain about the first (column, circuit id) that is unknown or of another enterprise."""
    for column, circuit_id in named:
        if circuit_id not in world.circuits:
            return column, f"no circuit {circuit_id!r} - add it to circuits first"
        if world.owner(circuit_id) != owner:
            return column, f"{circuit_id} belongs to another enterprise than {owner}'s circuits"
    return None


def _pairing(it: Pairing, world: _World) -> Complaint | None:
    named = [("production", c) for c in it.production] + [("treatment", c) for c in it.treatment]
    return _circuits_of_one(named, world.owner(it.production[0]), world)


def _measure(it: Measure, world: _World) -> Complaint | None:
    unknown = _unknown_enterprise(it.enterprise_id, world)
    if unknown:
        return unknown
    part = unknown_part(it, world.own[it.enterprise_id], world.lines[it.enterprise_id])
    if part is None:
        return None
    reason = f"{part!r} is neither a circuit nor a line of {it.enterprise_id}"
    return "scope", f"{reason} - write circuit ids, a line, or *"


def _alert_change(it: AlertChangeRow, world: _World) -> Complaint | None:
    if it.alert_id not in world.alerts:
        return "alert_id", f"no alert {it.alert_id!r} - add it to alerts first"
    return complaint_of_change(world.alerts[it.alert_id], it.change)


def _declaration(it: Declaration, world: _World) -> Complaint | None:
    named = [("circuits", circuit_id) for circuit_id in it.circuits]
    return _unknown_enterprise(it.enterprise_id, world) or _circuits_of_one(
        named, it.enterprise_id, world
    )


def _inspection(it: Inspection, world: _World) -> Complaint | None:
    return _unknown_enterprise(it.enterprise_id, world)


_CHECKS: Mapping[str, Callable[[Any, _World], Complaint | None]] = {
    "gateways": _gateway,
    "circuits": _circuit,
    "pairings": _pairing,
    "measures": _measure,
    "alert_changes": _alert_change,
    "declarations": _declaration,
    "inspections": _inspection,
}
