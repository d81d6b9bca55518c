"""An alert: who does what is ordered, who does not, and what else happens around it."""

from collections.abc import Sequence

from gateway_sim.blueprint import Blueprint
from gateway_sim.effects import Action, Effect, Incident
from gateway_sim.faults.metering import FOR_EVER_S
from gateway_sim.faults.site import DAY_S, HOUR_S, Site, effect
from gateway_sim.machines import local_days, midnight_s
from gateway_sim.spells import Spell, clip
from wattwitness.domain.instants import to_us
from wattwitness.domain.registry import Alert, Measure, MeasureAction, Role

DEFAULT_GRACE_MIN = 120.0


def ordered(blueprint: Blueprint, alert: Alert) -> tuple[Measure, ...]:
    """The measures that an alert puts in force for a plant."""
    district = blueprint.enterprise.district
    if alert.districts and district not in alert.districts:
        return ()
    return tuple(m for m in blueprint.measures if m.level is alert.level)


def alert_span(alert: Alert) -> Spell:
    """[response, lift) [s since 1970]; an open alert never ends."""
    end = FOR_EVER_S if alert.lifted_at is None else to_us(alert.lifted_at) // 1_000_000
    return to_us(alert.response_from) // 1_000_000, end


def compliance(site: Site, measures: Sequence[Measure], alert: Alert) -> tuple[Effect, ...]:
    """What an obedient plant does, within the grace of each measure."""
    effects: list[Effect] = []
    start, end = alert_span(alert)
    for measure in measures:
        grace_s = int(60 * (measure.grace_min or DEFAULT_GRACE_MIN))
        spell = (start + int(grace_s * site.rng.uniform(0.2, 0.85)) // 60 * 60, end)
        lines = tuple(line.name for line in site.plant.blueprint.lines)
        if measure.action is MeasureAction.STOP:
            scope = lines if measure.scope == ("*",) else measure.scope
            effects.append(effect(Action.LINE_STOP, scope, spell))
        elif measure.action is MeasureAction.LIMIT:
            effects += _limited(site, lines, (measure.limit_pct or 0.0) / 100, spell)
        elif measure.hours is not None:
            allowed = tuple(t.hour + t.minute / 60 for t in measure.hours)
            effects += _in_hours(site, lines, (allowed[0], allowed[1]), spell)
    return tuple(effects)


def _limited(site: Site, lines: tuple[str, ...], share: float, spell: Spell) -> list[Effect]:
    """Stop whole lines as far as they go, and lower the load of the rest."""
    stopped = int(len(lines) * (1 - share))
    left = len(lines) * share / max(1, len(lines) - stopped)
    found = [effect(Action.LINE_STOP, lines[len(lines) - stopped :], spell)] if stopped else []
    if left < 1:
        machines = site.plant.blueprint.machines
        targets = tuple(m.circuit_id for m in machines)
        found.append(effect(Action.SCALE, targets, spell, max(0.35, left * 0.94)))
    return found


def _in_hours(
    site: Site, lines: tuple[str, ...], allowed_h: tuple[float, float], spell: Spell
) -> list[Effect]:
    zone = site.plant.around.zone
    horizon = (spell[0], min(spell[1], site.span[1] + 7 * DAY_S))
    found = []
    for day in local_days(*horizon, zone):
        at = midnight_s(day, zone)
        night = (at + int(allowed_h[1] * HOUR_S), at + DAY_S + int(allowed_h[0] * HOUR_S))
        found += [effect(Action.LINE_STOP, lines, part) for part in clip([night], *horizon)]
    return found


def curtailment_violation(site: Site, measures: Sequence[Measure], alert: Alert) -> Incident:
    """The plant works on as if nothing had been ordered."""
    start, end = alert_span(alert)
    grace_s = int(60 * max(m.grace_min or DEFAULT_GRACE_MIN for m in measures))
    circuits = site.circuits(Role.PRODUCTION, Role.COMBINED) or site.circuits()
    return Incident(
        kind="curtailment_violation",
        enterprise_id=site.enterprise_id,
        from_s=start + grace_s,
        to_s=end,
        circuits=circuits,
        lawful=False,
        why="works on under the alert",
    )


def production_surge(site: Site) -> list[Incident]:
    """The day before the response: as much as the machines give."""
    if site.alert is None:
        return []
    start, _ = alert_span(site.alert)
    spell = (max(start - DAY_S, site.plant.origin_s), start)
    machines = tuple(m.circuit_id for m in site.plant.blueprint.machines)
    lines = tuple(line.name for line in site.plant.blueprint.lines)
    more = effect(Action.SCALE, machines, spell, 1.25)
    longer = effect(Action.LINE_RUN, lines, (spell[0] + 6 * HOUR_S, spell[1] - 2 * HOUR_S))
    return [
        Incident(
            kind="production_surge",
            enterprise_id=site.enterprise_id,
            from_s=spell[0],
            to_s=spell[1],
            circuits=site.circuits(Role.PRODUCTION, Role.COMBINED) or site.circuits(Role.MAIN),
            lawful=True,
            why="surge before the alert",
            effects=(more, longer),
        )
    ]


def capacity_growth(site: Site) -> list[Incident]:
    """A third more within weeks, without a filing."""
    if site.days < 40:
        return []
    machines = tuple(m.circuit_id for m in site.plant.blueprint.machines)
    spell = (site.span[0], site.span[0] + int(site.days * 0.4) * DAY_S)
    grown = effect(Action.RAMP, machines, spell, float(site.rng.uniform(1.28, 1.45)))
    return [
        Incident(
            kind="capacity_growth",
            enterprise_id=site.enterprise_id,
            from_s=spell[0],
            to_s=site.span[1],
            circuits=site.circuits(Role.PRODUCTION, Role.COMBINED) or site.circuits(Role.MAIN),
            lawful=True,
            why="capacity grown without a filing",
            effects=(grown,),
        )
    ]


def data_gap_at_alert(site: Site) -> list[Incident]:
    """Sub-meters fall silent when the alert begins; the main meter goes on and tells."""
    silent = site.circuits(Role.PRODUCTION, Role.TREATMENT)
    if site.alert is None or not silent or not site.circuits(Role.MAIN):
        return []
    start = alert_span(site.alert)[0] + 60 * int(site.rng.integers(-25, 26))
    spell = (start, start + site.minutes(90, 5 * 60))
    if not site.free(spell):
        return []
    site.take(spell)
    return [
        Incident(
            kind="data_gap_at_alert",
            enterprise_id=site.enterprise_id,
            from_s=spell[0],
            to_s=spell[1],
            circuits=silent,
            lawful=False,
            why="sub-meters unplugged at the alert",
            effects=(effect(Action.LOSE, silent, spell),),
        )
    ]
