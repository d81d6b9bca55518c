"""Confusers: what looks like a violation, or like trouble, and is lawful."""

from gateway_sim.effects import Action, Effect, Incident
from gateway_sim.faults.site import DAY_S, Site, effect
from gateway_sim.faults.treatment import PAUSE_S
from gateway_sim.machines import local_days, midnight_s
from gateway_sim.spells import Spell
from wattwitness.domain.instants import from_us
from wattwitness.domain.registry import Declaration, DeclarationReason, Role

PAPER_MARGIN_S = 15 * 60  # a declared window is a little wider than the work


def lawful_incident(
    site: Site,
    kind: str,
    spell: Spell,
    why: str,
    *effects: Effect,
    circuits: tuple[str, ...] = (),
    papers: tuple[Declaration, ...] = (),
    pairing_id: str | None = None,
) -> Incident:
    """An entry of the key that nobody may be blamed for; about all circuits unless told."""
    return Incident(
        kind=kind,
        enterprise_id=site.enterprise_id,
        from_s=spell[0],
        to_s=spell[1],
        circuits=circuits or site.circuits(),
        lawful=True,
        why=why,
        pairing_id=pairing_id,
        effects=effects,
        declarations=papers,
    )


def _declared(
    site: Site, reason: DeclarationReason, spell: Spell, circuits: tuple[str, ...] = ()
) -> tuple[Declaration, ...]:
    return (
        Declaration(
            enterprise_id=site.enterprise_id,
            from_=from_us((spell[0] - PAPER_MARGIN_S) * 1_000_000),
            to=from_us((spell[1] + PAPER_MARGIN_S) * 1_000_000),
            reason=reason,
            circuits=circuits,
        ),
    )


def declared_maintenance(site: Site) -> list[Incident]:
    """Treatment is down in a declared and accepted window while production runs."""
    pairing = site.pairing()
    if pairing is None:
        return []
    found = []
    for _ in range(2):
        spell = site.inside_one_of(site.running(pairing.production, PAUSE_S), 40, 6 * 60)
        if spell is not None:
            papers = _declared(site, DeclarationReason.MAINTENANCE, spell, pairing.treatment)
            off = effect(Action.FORCE_OFF, pairing.treatment, spell)
            found.append(
                lawful_incident(
                    site,
                    "declared_maintenance",
                    spell,
                    "declared repair of the treatment",
                    off,
                    circuits=pairing.treatment,
                    papers=papers,
                    pairing_id=pairing.pairing_id,
                )
            )
    return found


def feeder_outage(site: Site) -> list[Incident]:
    """The power fails for all at once: zeros, or silence where the gateway has no battery."""
    spell = site.anywhere(20, 5 * 60)
    if spell is None:
        return []
    effects = [effect(Action.OUTAGE, site.circuits(), spell)]
    if site.rng.random() < 0.5:
        effects.append(effect(Action.LOSE, site.circuits(), spell))
    papers = _declared(site, DeclarationReason.POWER_CUT, spell) if site.rng.random() < 0.5 else ()
    return [lawful_incident(site, "feeder_outage", spell, "power failure", *effects, papers=papers)]


def comms_outage(site: Site) -> list[Incident]:
    """The network is down for hours; the readings come later, marked as resent."""
    found = []
    for _ in range(1 + int(site.rng.poisson(site.days / 14))):
        spell = site.anywhere(40, 20 * 60)
        if spell is not None:
            late = effect(Action.DELAY, site.circuits(), spell)
            found.append(
                lawful_incident(site, "comms_outage", spell, "network down, resent later", late)
            )
    return found


def short_gaps(site: Site) -> list[Incident]:
    """A few minutes of readings lost for good, now and then."""
    found = []
    for _ in range(2 + int(site.rng.poisson(site.days / 4))):
        spell = site.anywhere(2, 14)
        if spell is not None:
            lost = effect(Action.LOSE, site.circuits(), spell)
            found.append(lawful_incident(site, "short_gap", spell, "readings lost", lost))
    return found


def declared_holiday(site: Site) -> list[Incident]:
    """The plant rests for a day or two, as declared."""
    zone = site.plant.around.zone
    days = local_days(*site.span, zone)[2:-3]
    if not days:
        return []
    start = midnight_s(days[int(site.rng.integers(len(days)))], zone)
    spell = (start, start + int(site.rng.integers(1, 3)) * DAY_S)
    if not site.free(spell):
        return []
    site.take(spell)
    lines = tuple(line.name for line in site.plant.blueprint.lines)
    rest = effect(Action.LINE_STOP, lines, spell)
    papers = _declared(site, DeclarationReason.HOLIDAY, spell)
    return [
        lawful_incident(site, "declared_holiday", spell, "declared holiday", rest, papers=papers)
    ]


def standby_idling(site: Site) -> list[Incident]:
    """Machines stay energised for hours without work; extraction rests, as it may."""
    production = site.circuits(Role.PRODUCTION)
    if not production:
        return []
    lines = tuple(line.name for line in site.plant.blueprint.lines)
    found = []
    for _ in range(2):
        spell = site.inside_one_of(site.running(production, PAUSE_S), 90, 5 * 60)
        if spell is not None:
            idle = effect(Action.LINE_IDLE, lines, spell)
            why = "energised without work"
            found.append(
                lawful_incident(site, "standby_idling", spell, why, idle, circuits=production)
            )
    return found
