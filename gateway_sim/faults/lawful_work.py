"""Confusers of work: production and treatment do something unusual, and lawful."""

from itertools import pairwise

from gateway_sim.blueprint import GroupSpec, TreatmentMode
from gateway_sim.effects import Action, Effect, Incident
from gateway_sim.faults.lawful import PAPER_MARGIN_S, lawful_incident
from gateway_sim.faults.metering import FOR_EVER_S
from gateway_sim.faults.site import Site, effect
from gateway_sim.faults.treatment import LONG_GAP_S, PAUSE_S
from gateway_sim.spells import Spell, subtract
from wattwitness.domain.instants import from_us
from wattwitness.domain.registry import Declaration, DeclarationReason

SWITCH_OVER_S = 180  # both units run


def _always(site: Site) -> Spell:
    """From the first reading on: how the plant is built, not what happens to it."""
    return site.plant.origin_s, FOR_EVER_S


def _steady_groups(site: Site) -> list[GroupSpec]:
    """Groups with a pairing whose units do not cycle by themselves."""
    named = {p.pairing_id for p in site.plant.blueprint.pairings if not p.duty_cycled}
    return [g for g in site.plant.blueprint.groups if g.pairing_id in named]


def recipe_change(site: Site) -> list[Incident]:
    """Another product for days: a line draws less, or more, than it used to."""
    lines = site.plant.blueprint.lines
    line = lines[int(site.rng.integers(len(lines)))].name
    mine = tuple(m.circuit_id for m in site.plant.blueprint.machines if m.line == line)
    spell = site.anywhere(20 * 60, max(21.0, min(120.0, site.days * 10)) * 60)
    if spell is None:
        return []
    less = site.rng.random() < 0.6
    factor = float(site.rng.uniform(0.6, 0.85) if less else site.rng.uniform(1.08, 1.2))
    other = effect(Action.SCALE, mine, spell, factor)
    why = f"another recipe at {factor:.0%} of the power"
    return [lawful_incident(site, "recipe_change", spell, why, other, circuits=mine)]


def spare_switch(site: Site) -> list[Incident]:
    """A unit rests for hours and the spare one runs in its place."""
    groups = [g for g in _steady_groups(site) if g.mode is TreatmentMode.SPARE]
    found = []
    for group in groups[:1]:
        for unit, spare in pairwise(u.circuit_id for u in (*group.units, group.units[0])):
            alone = subtract(site.running((unit,)), site.running((spare,)))
            inner = [(a + 900, b - 900) for a, b in alone if b - a > 3600]
            spell = site.inside_one_of(inner, 45, 12 * 60)
            if spell is None:
                continue
            both = (spell[0] - SWITCH_OVER_S, spell[1] + SWITCH_OVER_S)
            effects = (
                effect(Action.FORCE_OFF, (unit,), spell),
                effect(Action.FORCE_ON, (spare,), both),
            )
            why = "the spare unit runs instead"
            circuits = (unit, spare)
            found.append(
                lawful_incident(site, "spare_switch", spell, why, *effects, circuits=circuits)
            )
    return found


def duty_cycled_fan(site: Site) -> list[Incident]:
    """A fan on a timer: it rests a few minutes in every twenty, from the beginning."""
    groups = [g for g in _steady_groups(site) if len(g.units) == 1 and g.lead_s == 0]
    if not groups:
        return []
    unit = groups[0].units[0].circuit_id
    share = float(site.rng.uniform(0.58, 0.8))
    cycles = effect(Action.DUTY, (unit,), _always(site), share)
    why = f"on a timer, {share:.0%} of the time"
    return [lawful_incident(site, "duty_cycled_fan", site.span, why, cycles, circuits=(unit,))]


def fan_follows_lines(site: Site) -> list[Incident]:
    """A fan behind a converter that turns faster when more lines work."""
    modes = (TreatmentMode.EACH, TreatmentMode.ALWAYS)
    groups = [g for g in _steady_groups(site) if g.mode in modes and len(g.lines) > 1]
    if not groups:
        return []
    units = tuple(u.circuit_id for u in groups[0].units)
    floor = float(site.rng.uniform(0.35, 0.7))
    follows = effect(Action.FOLLOW_LINES, units, _always(site), floor)
    why = f"{floor:.0%} of its power, more with every line"
    return [lawful_incident(site, "fan_follows_lines", site.span, why, follows, circuits=units)]


def seasonal_level(site: Site) -> list[Incident]:
    """The air grows denser or the filter older: a few per cent over weeks."""
    groups = _steady_groups(site)
    if not groups or site.days < 7:
        return []
    units = tuple(u.circuit_id for u in groups[0].units)
    if any(e.action is Action.RAMP and set(e.targets) & set(units) for e in site.planned):
        return []  # it would only hide the decline that the key tells of
    factor = 1.0 + float(site.rng.uniform(0.02, 0.045)) * (1 if site.rng.random() < 0.5 else -1)
    drifts = effect(Action.RAMP, units, site.span, factor)
    why = f"the season takes it to {factor:.1%}"
    return [lawful_incident(site, "seasonal_level", site.span, why, drifts, circuits=units)]


def long_warm_up(site: Site) -> list[Incident]:
    """Machines are energised long before work and cool down long after it, without load."""
    production = tuple(m.circuit_id for m in site.plant.blueprint.machines)
    known = [c for c in production if c in site.plant.circuit_ids]
    if not known:
        return []
    lines = tuple(line.name for line in site.plant.blueprint.lines)
    found = []
    for before, (start, end) in pairwise(site.running(tuple(known), PAUSE_S)):
        gap_s = start - before[1]
        if gap_s < LONG_GAP_S or end - start < LONG_GAP_S or site.rng.random() < 0.5:
            continue
        longest = min(90 * 60, gap_s // 2 - 600)
        warm = (start - int(longest * site.rng.uniform(0.4, 1.0)) // 60 * 60, start)
        cool = (before[1], before[1] + int(longest * site.rng.uniform(0.4, 1.0)) // 60 * 60)
        whole = (cool[0], warm[1])
        if not site.free(whole):
            continue
        site.take(whole)
        idle = [effect(Action.LINE_IDLE, lines, part) for part in (cool, warm)]
        why = "energised without load before and after work"
        found.append(
            lawful_incident(site, "long_warm_up", whole, why, *idle, circuits=tuple(known))
        )
    return found[: 2 + int(site.days // 7)]


def trial_run(site: Site) -> list[Incident]:
    """A declared and accepted trial of the lines, without treatment."""
    pairing = site.pairing()
    if pairing is None:
        return []
    spell = site.inside_one_of(site.running(pairing.production, PAUSE_S), 40, 4 * 60)
    if spell is None:
        return []
    papers = Declaration(
        enterprise_id=site.enterprise_id,
        from_=from_us((spell[0] - PAPER_MARGIN_S) * 1_000_000),
        to=from_us((spell[1] + PAPER_MARGIN_S) * 1_000_000),
        reason=DeclarationReason.TRIAL,
        circuits=pairing.production,
    )
    off: Effect = effect(Action.FORCE_OFF, pairing.treatment, spell)
    return [
        lawful_incident(
            site,
            "trial_run",
            spell,
            "declared trial run",
            off,
            circuits=(*pairing.production, *pairing.treatment),
            papers=(papers,),
            pairing_id=pairing.pairing_id,
        )
    ]
