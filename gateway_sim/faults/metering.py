"""Meters that are bypassed, frozen, turned back, replayed - or merely sick."""

from gateway_sim.effects import Action, Effect, Incident
from gateway_sim.faults.site import DAY_S, HOUR_S, Site, effect
from gateway_sim.machines import local_days, midnight_s
from gateway_sim.spells import Spell
from wattwitness.domain.registry import Role

FOR_EVER_S = 4_102_444_800  # 2100-01-01


def _incident(
    site: Site,
    kind: str,
    spell: Spell,
    circuits: tuple[str, ...],
    why: str,
    *effects: Effect,
    lawful: bool = False,
) -> Incident:
    return Incident(
        kind=kind,
        enterprise_id=site.enterprise_id,
        from_s=spell[0],
        to_s=spell[1],
        circuits=circuits,
        lawful=lawful,
        why=why,
        effects=effects,
    )


def _one(site: Site, *roles: Role) -> str | None:
    circuits = site.circuits(*roles)
    return circuits[int(site.rng.integers(len(circuits)))] if circuits else None


def unmetered_production(site: Site) -> list[Incident]:
    """Part of a machine's supply goes around its sub-meter; the main meter still sees it."""
    circuit = _one(site, Role.PRODUCTION)
    main = site.circuits(Role.MAIN)
    if circuit is None or not main or site.days < 2:
        return []
    spell = site.anywhere(24 * 60, max(25.0, site.days * 12) * 60)
    if spell is None:
        return []
    share = float(site.rng.uniform(0.4, 0.75))
    bypass = effect(Action.DIVERT, (circuit,), spell, share)
    why = f"{share:.0%} of the power bypasses the sub-meter"
    return [_incident(site, "unmetered_production", spell, (*main, circuit), why, bypass)]


def counter_anomaly(site: Site) -> list[Incident]:
    """A register that was turned back, or counts only part of the energy."""
    circuit = _one(site, Role.PRODUCTION, Role.MAIN)
    if circuit is None:
        return []
    if site.rng.random() < 0.5:
        spell = site.anywhere(1, 1.4)
        if spell is None:
            return []
        lost_kwh = float(site.rng.integers(40, 400) * 10)
        back = effect(Action.REGISTER_BACK, (circuit,), (spell[0], FOR_EVER_S), lost_kwh)
        why = f"register turned back by {lost_kwh:.0f} kWh"
        site.registers.add(circuit)
        return [_incident(site, "counter_anomaly", spell, (circuit,), why, back)]
    spell = site.inside_one_of(site.running((circuit,), HOUR_S), 3 * 60, 30 * 60)
    if spell is None:
        return []
    factor = float(site.rng.uniform(0.4, 0.75))
    slow = effect(Action.REGISTER_SLOW, (circuit,), spell, factor)
    why = f"register counts {factor:.0%} of the energy"
    site.registers.add(circuit)
    return [_incident(site, "counter_anomaly", spell, (circuit,), why, slow)]


def frozen_reading(site: Site) -> list[Incident]:
    """All values of one meter stand still while samples keep coming."""
    circuit = _one(site, Role.PRODUCTION, Role.TREATMENT, Role.MAIN)
    if circuit is None:
        return []
    spell = site.inside_one_of(site.running((circuit,), 0), 100, 9 * 60)
    if spell is None:
        return []
    still = effect(Action.FREEZE, (circuit,), spell)
    return [_incident(site, "frozen_reading", spell, (circuit,), "values stand still", still)]


def replayed_data(site: Site) -> list[Incident]:
    """A day that repeats an earlier day sample by sample."""
    zone = site.plant.around.zone
    days = local_days(*site.span, zone)[2:-2]
    for _ in range(6 if days else 0):
        start = midnight_s(days[int(site.rng.integers(len(days)))], zone)
        age_s = int(site.rng.integers(1, 4)) * DAY_S
        spell = (start, start + DAY_S)
        if start - age_s < site.plant.origin_s or not site.free(spell):
            continue
        site.take(spell)
        again = effect(Action.REPLAY, site.circuits(), spell, float(age_s))
        why = f"repeats the day {age_s // DAY_S} before"
        return [_incident(site, "replayed_data", spell, site.circuits(), why, again)]
    return []


def clock_skew(site: Site) -> list[Incident]:
    """The gateway's clock is wrong by minutes for days."""
    spell = site.anywhere(12 * 60, max(13.0, min(96.0, site.days * 10)) * 60)
    if spell is None:
        return []
    # never whole minutes: at the end of the spell no instant must be told twice
    ahead_s = float(60 * site.rng.integers(2, 9) + 17) * (1 if site.rng.random() < 0.5 else -1)
    skew = effect(Action.SKEW, site.circuits(), spell, ahead_s)
    why = f"clock off by {ahead_s:+.0f} s"
    return [_incident(site, "clock_skew", spell, site.circuits(), why, skew)]


def phase_loss(site: Site) -> list[Incident]:
    """A fuse blows: one phase without voltage and current."""
    circuit = _one(site, Role.TREATMENT, Role.PRODUCTION)
    if circuit is None:
        return []
    spell = site.inside_one_of(site.running((circuit,), 0), 12, 180)
    if spell is None:
        return []
    blown = effect(Action.PHASE_LOSS, (circuit,), spell)
    return [_incident(site, "phase_loss", spell, (circuit,), "fuse of phase b", blown)]


def meter_hiccup(site: Site) -> list[Incident]:
    """Lawful nonsense of real meters: one spike, a register that reads 0, a reversed CT."""
    found = []
    choices = ((Action.SPIKE, 1), (Action.REGISTER_ZERO, 1), (Action.REVERSED, 240))
    for action, minutes in choices:
        circuit = _one(site, Role.PRODUCTION, Role.MAIN)
        spell = site.anywhere(minutes, minutes * 1.3)
        if circuit is None or spell is None or site.rng.random() < 0.3:
            continue
        if action is not Action.REVERSED:
            spell = (spell[0], spell[0] + site.plant.blueprint.gateway.interval_s)
        amount = 1100.0 if action is Action.SPIKE else 0.0
        sick = effect(action, (circuit,), spell, amount)
        why = f"meter: {action.value}"
        found.append(_incident(site, "meter_hiccup", spell, (circuit,), why, sick, lawful=True))
    return found
