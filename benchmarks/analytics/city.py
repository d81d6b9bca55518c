"""A city for the benchmark: a few simulated plants, replicated with noise, so that it is quick.

A model is an enterprise of exactly so many circuits, put together from plants of the simulator
(their feeders under one roof, one gateway and one set of pairings each). The city consists of
copies of the models under names of their own, each with readings that differ a little.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np

from gateway_sim.city import City, build_city
from gateway_sim.history import arrived_rows
from gateway_sim.plant import Plant
from gateway_sim.scenario import Scenario
from wattwitness.domain.instants import DEFAULT_ZONE
from wattwitness.domain.readings import Readings
from wattwitness.domain.registry import Circuit, Gateway, Pairing, Registry

FIRST_DAY = date(2026, 8, 3)
NOISE = 0.002  # of the power of each reading of a copy
PLANTS_PER_MODEL = 5


@dataclass(frozen=True)
class Model:
    """One enterprise over its history and the day that is measured."""

    enterprise_id: str
    registry: Registry  # of this enterprise alone; keys from 1
    rows: Readings  # (circuit, ts) order
    days: tuple[date, ...]  # history, then the measured day


def _parts(plants: Iterator[Plant], circuits: int) -> list[tuple[Plant, tuple[str, ...]]]:
    """Plants, and which of their circuits are taken, to `circuits` in all."""
    found: list[tuple[Plant, tuple[str, ...]]] = []
    left = circuits
    while left:
        plant = next(plants)
        own = tuple(plant.circuit_ids[:left])
        found.append((plant, own))
        left -= len(own)
    return found


def _renamed(
    city: City, parts: Sequence[tuple[Plant, tuple[str, ...]]], enterprise_id: str
) -> tuple[Registry, dict[int, int]]:
    """A registry of one enterprise made of parts, and old key → new key."""
    old = city.registry
    taken = [name for _, own in parts for name in own]
    named = {name: f"{enterprise_id}-{n:02d}" for n, name in enumerate(sorted(taken), 1)}
    keys = {new: n for n, new in enumerate(sorted(named.values()), 1)}
    gateways = {old.circuits[name].gateway_id for name in taken}
    parent = {name: old.circuits[name].parent_circuit_id for name in taken}
    circuits = {
        new: replace(
            old.circuits[name],
            circuit_id=new,
            gateway_id=f"{enterprise_id}-{old.circuits[name].gateway_id}",
            channel=f"{name}",
            parent_circuit_id=named.get(parent[name] or ""),
        )
        for name, new in named.items()
    }
    pairings = [
        replace(
            p,
            pairing_id=f"{enterprise_id}-{p.pairing_id}",
            production=tuple(named[c] for c in p.production),
            treatment=tuple(named[c] for c in p.treatment),
        )
        for p in old.pairings.values()
        if set(p.production) | set(p.treatment) <= named.keys()
    ]
    first = parts[0][0].enterprise_id
    registry = Registry(
        enterprises={
            enterprise_id: replace(
                old.enterprises[first], enterprise_id=enterprise_id, credit_code=None
            )
        },
        gateways={
            f"{enterprise_id}-{g}": replace(
                old.gateways[g], gateway_id=f"{enterprise_id}-{g}", enterprise_id=enterprise_id
            )
            for g in gateways
        },
        circuits=circuits,
        pairings={p.pairing_id: p for p in pairings},
        circuit_keys=keys,
    )
    return registry, {old.circuit_keys[name]: keys[new] for name, new in named.items()}


def models(count: int, circuits: int, history_days: int, seed: int) -> Iterator[Model]:
    """Model enterprises, one by one.

    Args:
        count: how many.
        circuits: of each.
        history_days: before the measured day.
        seed: of the simulator.
    """
    start = datetime.combine(FIRST_DAY, datetime.min.time(), DEFAULT_ZONE)
    scenario = Scenario(enterprises=count * PLANTS_PER_MODEL, days=history_days + 1, seed=seed)
    city = build_city(scenario, start)
    plants = iter(city.plants)
    days = tuple(FIRST_DAY + timedelta(days=n) for n in range(history_days + 1))
    for n in range(count):
        name = f"M{n:02d}"
        parts = _parts(plants, circuits)
        registry, keys = _renamed(city, parts, name)
        rows = np.concatenate(
            [
                _taken(arrived_rows(plant, city.start_us, city.end_us, city.end_us), keys)
                for plant, _ in parts
            ]
        )
        rows = rows[np.lexsort((rows["ts"], rows["circuit"]))]
        yield Model(name, registry, rows, days)


def _taken(rows: Readings, keys: dict[int, int]) -> Readings:
    """Rows of the circuits with a new key, under it."""
    table = np.zeros(max(int(rows["circuit"].max()), *keys) + 1, dtype=np.int32)
    table[list(keys)] = list(keys.values())
    rows = rows[table[rows["circuit"]] > 0]
    rows["circuit"] = table[rows["circuit"]]
    return rows


def copied_name(model: Model, name: str, enterprise_id: str) -> str:
    """An id of a model as a copy has it."""
    return name.replace(model.enterprise_id, enterprise_id, 1)


def copied_registry(model: Model, enterprise_id: str, first_key: int) -> Registry:
    """The registry of a copy, its keys from `first_key` on."""

    def named(name: str) -> str:
        return copied_name(model, name, enterprise_id)

    def gateway(g: Gateway) -> Gateway:
        return replace(g, gateway_id=named(g.gateway_id), enterprise_id=enterprise_id)

    def circuit(c: Circuit) -> Circuit:
        parent = None if c.parent_circuit_id is None else named(c.parent_circuit_id)
        return replace(
            c,
            circuit_id=named(c.circuit_id),
            gateway_id=named(c.gateway_id),
            parent_circuit_id=parent,
        )

    def pairing(p: Pairing) -> Pairing:
        return replace(
            p,
            pairing_id=named(p.pairing_id),
            production=tuple(map(named, p.production)),
            treatment=tuple(map(named, p.treatment)),
        )

    old = model.registry
    return Registry(
        enterprises={
            enterprise_id: replace(
                old.enterprises[model.enterprise_id], enterprise_id=enterprise_id
            )
        },
        gateways={named(k): gateway(g) for k, g in old.gateways.items()},
        circuits={named(k): circuit(c) for k, c in old.circuits.items()},
        pairings={named(k): pairing(p) for k, p in old.pairings.items()},
        circuit_keys={named(k): key + first_key - 1 for k, key in old.circuit_keys.items()},
    )


def together(registries: Sequence[Registry]) -> Registry:
    """One registry of many enterprises."""
    return Registry(
        enterprises={k: v for r in registries for k, v in r.enterprises.items()},
        gateways={k: v for r in registries for k, v in r.gateways.items()},
        circuits={k: v for r in registries for k, v in r.circuits.items()},
        pairings={k: v for r in registries for k, v in r.pairings.items()},
        circuit_keys={k: v for r in registries for k, v in r.circuit_keys.items()},
    )


def copied_rows(rows: Readings, first_key: int, seed: int) -> Readings:
    """Readings of a copy: other keys, powers that differ a little."""
    found = rows.copy()
    found["circuit"] += first_key - 1
    noise = np.random.default_rng(seed).standard_normal(len(found))
    found["p_kw"] = np.round(found["p_kw"] * (1.0 + NOISE * noise), 2)
    return found
