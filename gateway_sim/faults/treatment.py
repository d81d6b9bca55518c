"""Treatment that does not do what its papers say."""

from dataclasses import replace
from itertools import pairwise

from gateway_sim.blueprint import TreatmentMode
from gateway_sim.effects import Action, Incident
from gateway_sim.faults.site import DAY_S, HOUR_S, Site, effect
from gateway_sim.machines import local_days, midnight_s
from gateway_sim.spells import Spell, clip
from wattwitness.domain.instants import from_us
from wattwitness.domain.registry import (
    Declaration,
    DeclarationReason,
    DeclarationStatus,
    Pairing,
)

PAUSE_S = 15 * 60  # production with shorter pauses counts as one stretch of work
LONG_GAP_S = 75 * 60  # after which a start is a real start
OFFICE_HOURS = (8.5, 17.5)


def _incident(
    site: Site, kind: str, pairing: Pairing, spell: Spell, why: str, *extra: str
) -> Incident:
    return Incident(
        kind=kind,
        enterprise_id=site.enterprise_id,
        from_s=spell[0],
        to_s=spell[1],
        circuits=tuple(extra) or pairing.treatment,
        lawful=False,
        why=why,
        pairing_id=pairing.pairing_id,
    )


def _refused(site: Site, pairing: Pairing, spell: Spell) -> tuple[Declaration, ...]:
    """Now and then the plant filed something, and no officer accepted it."""
    if site.rng.random() >= 0.2:
        return ()
    status = DeclarationStatus.REFUSED if site.rng.random() < 0.5 else DeclarationStatus.FILED
    return (
        Declaration(
            enterprise_id=site.enterprise_id,
            from_=from_us(spell[0] * 1_000_000),
            to=from_us(spell[1] * 1_000_000),
            reason=DeclarationReason.MAINTENANCE,
            circuits=pairing.treatment,
            status=status,
        ),
    )


def treatment_off(site: Site) -> list[Incident]:
    """Production runs, its treatment does not: half an hour to many hours, several times."""
    pairing = site.pairing()
    if pairing is None:
        return []
    found = []
    unbroken = site.running(pairing.production)
    with_pauses = site.running(pairing.production, PAUSE_S)
    for _ in range(2 + int(site.rng.poisson(site.days / 6))):
        # across pauses only when long: half an hour must remain without one
        long = site.rng.random() < 0.25
        spell = site.inside_one_of(with_pauses if long else unbroken, 150 if long else 36, 14 * 60)
        if spell is None:
            continue
        off = effect(Action.FORCE_OFF, pairing.treatment, spell)
        incident = _incident(site, "treatment_off", pairing, spell, "switched off by hand")
        papers = _refused(site, pairing, spell)
        found.append(replace(incident, effects=(off,), declarations=papers))
    return found


def off_at(site: Site, pairing: Pairing, spell: Spell, why: str) -> Incident:
    """A treatment_off at a given time; the lines are made to work if they would rest."""
    site.take(spell)
    group = site.group_of(pairing)
    work = (spell[0] - 1800, spell[1] + 1800)
    effects = [effect(Action.FORCE_OFF, pairing.treatment, spell)]
    busy = any(a <= spell[0] and spell[1] <= b for a, b in site.running(pairing.production, 0))
    if not busy:
        effects.append(effect(Action.LINE_RUN, group.lines[:1], work))
    incident = _incident(site, "treatment_off", pairing, spell, why)
    return replace(incident, effects=tuple(effects))


def treatment_late_start(site: Site) -> list[Incident]:
    """Treatment starts 15 to 28 min after production, on some mornings."""
    pairing = site.pairing()
    if pairing is None:
        return []
    found = []
    work = site.running(pairing.production, PAUSE_S)
    for before, (start, end) in pairwise(work):
        late = (start, start + site.minutes(15, 28))
        if start - before[1] < LONG_GAP_S or end < late[1] + HOUR_S or site.rng.random() > 0.5:
            continue
        if not site.free(late):
            continue
        site.take(late)
        off = effect(Action.FORCE_OFF, pairing.treatment, (start - HOUR_S, late[1]))
        incident = _incident(site, "treatment_late_start", pairing, late, "started late")
        found.append(replace(incident, effects=(off,)))
    return found


def treatment_early_stop(site: Site) -> list[Incident]:
    """Treatment stops 15 to 28 min before production ends, on some evenings."""
    pairing = site.pairing()
    if pairing is None:
        return []
    found = []
    group = site.group_of(pairing)
    work = site.running(pairing.production, PAUSE_S)
    for (start, end), after in pairwise(work):
        early = (end - site.minutes(15, 28), end)
        if after[0] - end < LONG_GAP_S or early[0] < start + HOUR_S or site.rng.random() > 0.5:
            continue
        if not site.free(early):
            continue
        site.take(early)
        rest = (early[0], min(end + 2 * group.run_on_s, after[0] - max(group.lead_s * 2, 600)))
        off = effect(Action.FORCE_OFF, pairing.treatment, rest)
        incident = _incident(site, "treatment_early_stop", pairing, early, "stopped early")
        found.append(replace(incident, effects=(off,)))
    return found


def treatment_underload(site: Site) -> list[Incident]:
    """Treatment throttled to 55-80 % of its power while production runs."""
    pairing = site.pairing()
    if pairing is None:
        return []
    found = []
    work = site.running(pairing.production, PAUSE_S)
    for _ in range(2):
        spell = site.inside_one_of(work, 60, 10 * 60)
        if spell is not None:
            factor = float(site.rng.uniform(0.55, 0.8))
            throttled = effect(Action.SCALE, pairing.treatment, spell, factor)
            why = f"throttled to {factor:.0%} of its power"
            incident = _incident(site, "treatment_underload", pairing, spell, why)
            found.append(replace(incident, effects=(throttled,)))
    return found


def treatment_gradual_underrun(site: Site) -> list[Incident]:
    """Treatment that loses 1-2 % a day, never noticed from one day to the next."""
    pairing = site.pairing()
    if pairing is None or site.days < 7:
        return []
    factor = max(0.4, float((1 - site.rng.uniform(0.01, 0.02)) ** site.days))
    decline = effect(Action.RAMP, pairing.treatment, site.take(site.span), factor)
    why = f"declined slowly to {factor:.0%}"
    incident = _incident(site, "treatment_gradual_underrun", pairing, site.span, why)
    return [replace(incident, effects=(decline,))]


def treatment_dummy_load(site: Site) -> list[Incident]:
    """The fan is off; a heater of the same power keeps its meter busy."""
    pairing = site.pairing()
    if pairing is None:
        return []
    spell = site.anywhere(8 * 60, min(72.0, site.days * 12) * 60)
    if spell is None:
        return []
    heater = effect(Action.RESISTOR, pairing.treatment, spell)
    incident = _incident(site, "treatment_dummy_load", pairing, spell, "a heater on its feeder")
    return [replace(incident, effects=(heater,))]


def treatment_inspection_only(site: Site) -> list[Incident]:
    """Treatment runs in office hours; at night production goes on without it."""
    pairing = site.pairing()
    if pairing is None or site.days < 4:
        return []
    length_s = int(min(site.days - 1, 12)) * DAY_S
    spell = site.inside_one_of([site.span], length_s / 60, length_s / 60)
    if spell is None:
        return []
    found = []
    work = site.running(pairing.production, PAUSE_S)
    nights = []
    for day in local_days(*spell, site.plant.around.zone):
        at = midnight_s(day, site.plant.around.zone)
        evening, morning = (int(h * HOUR_S) for h in (OFFICE_HOURS[1], 24 + OFFICE_HOURS[0]))
        nights += clip([(at + evening, at + morning)], *spell)
    off = tuple(effect(Action.FORCE_OFF, pairing.treatment, night) for night in nights)
    for night in nights:
        for part in clip(work, *night):
            if part[1] - part[0] >= 30 * 60:
                why = "at night, outside inspection hours"
                found.append(_incident(site, "treatment_off", pairing, part, why))
    if len(found) < 3:
        return []
    why = "runs only when an inspection may come"
    incident = _incident(site, "treatment_inspection_only", pairing, spell, why)
    return [replace(incident, effects=off), *found]


def shared_treatment_short(site: Site) -> list[Incident]:
    """One unit fewer than the running lines need."""
    many = (TreatmentMode.LINES, TreatmentMode.SPARE)
    groups = [g for g in site.plant.blueprint.groups if g.mode in many and len(g.units) > 1]
    pairings = {p.pairing_id: p for p in site.plant.blueprint.pairings}
    groups = [g for g in groups if g.pairing_id in pairings]
    if not groups:
        return []
    group = groups[0]
    pairing = pairings[group.pairing_id]
    # the unit that is missing must be one that is in demand: it ran there before
    unit = group.units[0].circuit_id
    others = tuple(u.circuit_id for u in group.units[1:])
    together = [
        part for mine in site.running((unit,)) for part in clip(site.running(others), *mine)
    ]
    both = [part for work in site.running(pairing.production) for part in clip(together, *work)]
    spell = site.inside_one_of(both, 45, 6 * 60)
    if spell is None:
        return []
    off = effect(Action.FORCE_OFF, (unit,), spell)
    why = "one unit of several is missing"
    incident = _incident(site, "shared_treatment_short", pairing, spell, why, unit)
    return [replace(incident, effects=(off,))]
