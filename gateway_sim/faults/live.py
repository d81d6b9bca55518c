"""Two treatment_off on demand: one just past, one about to begin. For demonstrations."""

from collections.abc import Sequence

from gateway_sim.effects import Incident
from gateway_sim.faults.site import HOUR_S, Site
from gateway_sim.faults.treatment import PAUSE_S, off_at
from gateway_sim.spells import Spell, clip
from wattwitness.domain.registry import Pairing

LIVE_MIN = 95
RECENT_MIN = (45, 150)


def _steady(site: Site) -> Pairing | None:
    """A pairing whose treatment does not cycle."""
    return next((p for p in site.plant.blueprint.pairings if not p.duty_cycled), None)


def _works(site: Site, pairing: Pairing, spell: Spell) -> bool:
    """Whether production and treatment both work just before, and production all the time."""
    around = (spell[0] - 900, spell[1] + 300)
    busy = any(
        a <= around[0] and around[1] <= b for a, b in site.running(pairing.production, PAUSE_S)
    )
    return busy and any(
        a <= spell[0] - 600 and spell[0] + 60 <= b for a, b in site.running(pairing.treatment, 60)
    )


def live_fault(sites: Sequence[Site], at_s: int) -> Incident | None:
    """A treatment_off that begins at `at_s`, in a plant that works then; else one is made to."""
    spell = (at_s, at_s + LIVE_MIN * 60)
    why = "switched off in front of the audience"
    able = [(site, pairing) for site in sites if (pairing := _steady(site)) is not None]
    for site, pairing in able:
        if site.free(spell) and _works(site, pairing, spell):
            return off_at(site, pairing, spell, why)
    return off_at(*able[0], spell, why) if able else None


def recent_fault(sites: Sequence[Site], end_s: int) -> Incident | None:
    """A treatment_off within the eight hours before `end_s`, the latest that is possible."""
    able = [(site, pairing) for site in sites if (pairing := _steady(site)) is not None]
    best: tuple[Spell, Site, Pairing] | None = None
    for site, pairing in able:
        window = (end_s - 8 * HOUR_S, end_s - 600)
        for work in clip(site.running(pairing.production), *window):
            start = max(work[0] + 600, work[1] - RECENT_MIN[1] * 60)
            spell = (start - start % 60, work[1])
            if spell[1] - start < RECENT_MIN[0] * 60 or not site.free(spell):
                continue
            if _works(site, pairing, (spell[0], spell[0] + 60)) and (
                best is None or spell[1] > best[0][1]
            ):
                best = (spell, site, pairing)
    why = "switched off in the last hours"
    if best is not None:
        return off_at(best[1], best[2], best[0], why)
    spell = (end_s - 2 * HOUR_S, end_s - HOUR_S)
    return off_at(*able[-1], spell, why) if able else None
