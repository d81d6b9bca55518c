"""A whole city: registry, plants, what happens to them, and the answer key.

    city = build_city(Scenario(enterprises=40, seed=7), start)
    for plant in city.plants:
        rows = plant.readings(city.start_us, city.end_us)

Everything follows from (scenario, start). Nothing reads a clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from gateway_sim.blueprint import Blueprint
from gateway_sim.effects import Incident
from gateway_sim.faults.assignment import plan_incidents
from gateway_sim.industries import industry_of
from gateway_sim.inspections import draw_inspections
from gateway_sim.layout import draw_blueprint
from gateway_sim.names import DISTRICTS
from gateway_sim.noise import key_of, uniform_at
from gateway_sim.orders.plans import varied_plan
from gateway_sim.orders.season import season
from gateway_sim.physics import Circumstances
from gateway_sim.plant import Plant
from gateway_sim.scenario import Scenario
from wattwitness.domain.instants import DEFAULT_ZONE, to_us
from wattwitness.domain.registry import Alert, Declaration, Registry

ALERT_DISTRICTS = DISTRICTS[:2]
VERIFIED_SHARE = 0.85  # of the enterprises; the others' references stay provisional


@dataclass(frozen=True)
class City:
    """Everything about a simulated city.

    Attributes:
        scenario: what it was built from.
        start_us: start of the history [µs since 1970].
        end_us: end of the history, where live begins [µs].
        registry: as an office would have it; `circuit_keys` number the circuits from 1.
        plants: one per enterprise, in order of their ids.
        incidents: what happens, lawful or not, by enterprise and time.
        conducts: (alert id, enterprise id) → what the plant does about the alert.
    """

    scenario: Scenario
    start_us: int
    end_us: int
    registry: Registry
    plants: tuple[Plant, ...]
    incidents: tuple[Incident, ...]
    conducts: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def plant(self, enterprise_id: str) -> Plant:
        """The plant of an enterprise; KeyError if there is none."""
        return self._plants[enterprise_id]

    @cached_property
    def _plants(self) -> Mapping[str, Plant]:
        return {plant.enterprise_id: plant for plant in self.plants}


def build_city(scenario: Scenario, start: datetime, zone: ZoneInfo = DEFAULT_ZONE) -> City:
    """Build the city whose history begins at `start` (brought down to a whole minute).

    Args:
        scenario: its parameters.
        start: aware datetime.
        zone: of shifts, breaks and holidays.
    """
    begins = start.astimezone(UTC).replace(second=0, microsecond=0)
    begins -= timedelta(minutes=begins.minute % max(1, scenario.interval_s // 60))
    ends = begins + timedelta(minutes=round(scenario.days * 1440))
    start_us, end_us = to_us(begins), to_us(ends)
    blueprints = [
        _verified(_drawn(scenario, rank), scenario, begins) for rank in range(scenario.enterprises)
    ]
    circuits = [c.circuit_id for b in blueprints for c in b.circuits]
    keys = {name: rank for rank, name in enumerate(circuits, start=1)}
    around = Circumstances(holidays=frozenset(scenario.holidays), zone=zone)
    calm = [Plant(b, around, start_us // 1_000_000, keys) for b in blueprints]
    alerts = _alerts(scenario, begins, ends, zone)
    happens = plan_incidents(scenario, calm, alerts, (start_us, end_us))
    plants = tuple(plant.with_effects(happens.effects[plant.enterprise_id]) for plant in calm)
    papers = [d for i in happens.incidents for d in i.declarations]
    registry = _registry(blueprints, keys, alerts, [*papers, *happens.declarations])
    inspections = draw_inspections(scenario.seed, blueprints, begins, ends, zone)
    registry = replace(registry, inspections=inspections)
    return City(scenario, start_us, end_us, registry, plants, happens.incidents, happens.conducts)


def _drawn(scenario: Scenario, rank: int) -> Blueprint:
    """One enterprise, with its meters and its plan as the scenario wants them."""
    alone = uniform_at(key_of(scenario.seed, rank, "main only"), 0) < scenario.main_only
    blueprint = draw_blueprint(scenario.seed, rank, scenario.interval_s, main_only=alone)
    if scenario.plans == "guide":
        return blueprint
    measures = varied_plan(blueprint, scenario.seed, kiln=industry_of(rank).kiln)
    return replace(blueprint, measures=measures)


def _verified(blueprint: Blueprint, scenario: Scenario, begins: datetime) -> Blueprint:
    """With the clean days at the beginning as the officer's verified period, mostly."""
    if scenario.clean_days < 1 or uniform_at(blueprint.key, 1) >= VERIFIED_SHARE:
        return blueprint
    enterprise = replace(
        blueprint.enterprise,
        verified_from=begins,
        verified_to=begins + timedelta(days=int(scenario.clean_days)),
    )
    return replace(blueprint, enterprise=enterprise)


def _alerts(
    scenario: Scenario, begins: datetime, ends: datetime, zone: ZoneInfo
) -> tuple[Alert, ...]:
    if scenario.alert == "none":
        return ()
    if scenario.alert == "season":
        return season(scenario.seed, begins, ends, zone)
    if scenario.alert == "open":
        response, lifted = ends - timedelta(hours=6), None
    else:
        response = begins + 0.72 * (ends - begins)
        response -= timedelta(
            minutes=response.minute, seconds=response.second, microseconds=response.microsecond
        )
        lifted = min(ends, response + timedelta(hours=48))
    alert = Alert(
        alert_id=f"HP-{response:%Y%m%d}",
        level=scenario.alert_level,
        issued_at=response - timedelta(hours=24),
        response_from=response,
        lifted_at=lifted,
        districts=ALERT_DISTRICTS,
    )
    return (alert,)


def _registry(
    blueprints: Sequence[Blueprint],
    keys: Mapping[str, int],
    alerts: Sequence[Alert],
    declarations: Sequence[Declaration],
) -> Registry:
    return Registry(
        enterprises={b.enterprise_id: b.enterprise for b in blueprints},
        gateways={b.gateway.gateway_id: b.gateway for b in blueprints},
        circuits={c.circuit_id: c for b in blueprints for c in b.circuits},
        pairings={p.pairing_id: p for b in blueprints for p in b.pairings},
        measures=tuple(m for b in blueprints for m in b.measures),
        alerts={alert.alert_id: alert for alert in alerts},
        declarations=tuple(sorted(declarations, key=lambda d: (d.enterprise_id, d.from_))),
        circuit_keys=keys,
    )
