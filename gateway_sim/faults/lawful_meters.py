"""Confusers of metering: what real meters and gateways do without anybody's bad intent."""

from gateway_sim.effects import Action, Incident
from gateway_sim.faults.lawful import lawful_incident
from gateway_sim.faults.metering import FOR_EVER_S
from gateway_sim.faults.site import Site, effect
from gateway_sim.spells import Spell
from wattwitness.domain.registry import Role

SMALL_KW = 45.0  # what is ever wired to a single phase
ROLLS_AT_KWH = (1e4, 1e5, 1e6, 1e7)


def _one(site: Site, *roles: Role) -> str | None:
    circuits = site.circuits(*roles)
    return circuits[int(site.rng.integers(len(circuits)))] if circuits else None


def _register(site: Site) -> str | None:
    """A circuit to whose register nothing else happens."""
    free = [
        c
        for c in site.circuits(Role.PRODUCTION, Role.TREATMENT, Role.MAIN)
        if c not in site.registers
    ]
    return free[int(site.rng.integers(len(free)))] if free else None


def _register_kwh(site: Site, circuit_id: str, at_s: int) -> float:
    """What the register shows at an instant, after what is planned so far."""
    step_s = site.plant.blueprint.gateway.interval_s
    start = -(-at_s // step_s) * step_s
    plant = site.plant.with_effects((*site.plant.around.effects, *site.planned))
    rows = plant.readings(start * 1_000_000, (start + step_s) * 1_000_000)
    return float(rows["e_kwh"][rows["circuit"] == plant.keys[circuit_id]][0])


def reversed_ct(site: Site) -> list[Incident]:
    """A current transformer that was put back the wrong way round, until somebody sees it."""
    circuit = _one(site, Role.PRODUCTION, Role.TREATMENT, Role.MAIN)
    spell = site.anywhere(3 * 60, 14 * 60) if circuit is not None else None
    if circuit is None or spell is None:
        return []
    turned = effect(Action.REVERSED, (circuit,), spell)
    why = "current transformer the wrong way round"
    return [lawful_incident(site, "reversed_ct", spell, why, turned, circuits=(circuit,))]


def meter_replaced(site: Site) -> list[Incident]:
    """A meter is exchanged: minutes of silence, then a register that begins near nothing."""
    circuit = _register(site)
    spell = site.anywhere(15, 75) if circuit is not None else None
    if circuit is None or spell is None:
        return []
    site.registers.add(circuit)
    begins_kwh = float(site.rng.uniform(0.0, 20.0))
    lost_kwh = round(_register_kwh(site, circuit, spell[1]) - begins_kwh, 1)
    effects = (
        effect(Action.LOSE, (circuit,), spell),
        effect(Action.REGISTER_BACK, (circuit,), (spell[1], FOR_EVER_S), lost_kwh),
    )
    why = "the meter was exchanged"
    return [lawful_incident(site, "meter_replaced", spell, why, *effects, circuits=(circuit,))]


def register_rolled_over(site: Site) -> list[Incident]:
    """A full register begins again at nothing."""
    circuit = _register(site)
    if circuit is None:
        return []
    spell = site.inside_one_of(site.running((circuit,)), 2, 3)
    if spell is None:
        return []
    site.registers.add(circuit)
    full_kwh = _register_kwh(site, circuit, spell[0])
    used_kwh = full_kwh - _register_kwh(site, circuit, site.plant.origin_s)
    rolls_at = next(kwh for kwh in ROLLS_AT_KWH if kwh > used_kwh)
    always = (site.plant.origin_s, FOR_EVER_S)
    effects = (
        effect(Action.REGISTER_BACK, (circuit,), always, full_kwh - rolls_at),
        effect(Action.REGISTER_ROLL, (circuit,), always, rolls_at),
    )
    why = f"the register is full at {rolls_at:.0f} kWh"
    return [
        lawful_incident(site, "register_rolled_over", spell, why, *effects, circuits=(circuit,))
    ]


def late_queue(site: Site) -> list[Incident]:
    """After an outage the gateway works its queue off and marks nothing as resent."""
    spell = site.anywhere(60, 6 * 60)
    if spell is None:
        return []
    pace_s = float(site.rng.uniform(2.0, 12.0))
    queued = effect(Action.QUEUE, site.circuits(), spell, pace_s)
    return [lawful_incident(site, "late_queue", spell, "a queue that is worked off", queued)]


def single_phase_load(site: Site) -> list[Incident]:
    """A small load on one phase, by wiring."""
    able = [
        c.circuit_id
        for c, meter in zip(site.plant.blueprint.circuits, site.plant.blueprint.meters, strict=True)
        if meter.electrical and c.role is not Role.MAIN and (c.rated_kw or 0.0) <= SMALL_KW
    ]
    if not able:
        return []
    circuit = able[int(site.rng.integers(len(able)))]
    always: Spell = (site.plant.origin_s, FOR_EVER_S)
    wired = effect(Action.SINGLE_PHASE, (circuit,), always)
    why = "wired to one phase"
    return [lawful_incident(site, "single_phase_load", site.span, why, wired, circuits=(circuit,))]


def coarse_meter(site: Site) -> list[Incident]:
    """A meter that shows whole kilowatts, whatever its papers say."""
    able = [
        c.circuit_id
        for c in site.plant.blueprint.circuits
        if c.role is not Role.MAIN and (c.rated_kw or 0.0) >= 15.0
    ]
    if not able:
        return []
    circuit = able[int(site.rng.integers(len(able)))]
    always: Spell = (site.plant.origin_s, FOR_EVER_S)
    rounded = effect(Action.COARSE, (circuit,), always, 1.0)
    why = "shows whole kilowatts"
    return [lawful_incident(site, "coarse_meter", site.span, why, rounded, circuits=(circuit,))]
