"""The inbox: leads found by level, district, enterprise and words, in the order of their rank."""

from dataclasses import dataclass

from dashboards.desk import Desk
from wattwitness.domain.leads import Lead, LeadLevel
from wattwitness.domain.registry import Registry
from wattwitness.store.findings import list_leads


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is looked for; empty fields do not filter."""

    level: LeadLevel | None = None
    district: str = ""
    enterprise_id: str = ""
    words: str = ""
    status: str = ""  # `open`, `decided`
    check: bool = False  # only those whose registration is to be checked


def matches(lead: Lead, registry: Registry, wish: Wish) -> bool:
    """Whether a lead is looked for; every word must occur in its name, ids or reason."""
    enterprise = registry.enterprises.get(lead.enterprise_id)
    if wish.level is not None and lead.level != wish.level:
        return False
    if wish.enterprise_id and lead.enterprise_id != wish.enterprise_id:
        return False
    if wish.district and (enterprise is None or enterprise.district != wish.district):
        return False
    if wish.status and lead.is_open != (wish.status == "open"):
        return False
    if wish.check and not lead.registration_check:
        return False
    name = "" if enterprise is None else enterprise.name
    text = " ".join([name, lead.enterprise_id, lead.lead_id, *lead.reason.values()]).lower()
    return all(part in text for part in wish.words.lower().split())


async def find_leads(desk: Desk, wish: Wish) -> list[Lead]:
    """All leads that are looked for, ranked among all."""
    registry = await desk.registry()
    everything = await list_leads(desk.db)
    return [lead for lead in everything if matches(lead, registry, wish)]


def districts(registry: Registry) -> list[str]:
    """All districts that enterprises name."""
    return sorted({e.district for e in registry.enterprises.values() if e.district})
