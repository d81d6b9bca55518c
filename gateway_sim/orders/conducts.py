"""What plants do when an alert asks something of them; the truth is told by `truth` alone.

Each conduct is a function of a `Duty`; None = this plant cannot behave so (no main meter to be seen
by, no lines to choose from, nothing that must go on).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import time
from types import MappingProxyType

from gateway_sim.effects import Action, Effect
from gateway_sim.faults.site import DAY_S, HOUR_S, effect
from gateway_sim.orders.duties import clock_spells, grace_s, named_circuits
from gateway_sim.orders.following import Duty, Played, follow, whole_minute, within_grace
from wattwitness.domain.instants import from_us
from wattwitness.domain.registry import (
    Declaration,
    DeclarationReason,
    DeclarationStatus,
    MeasureAction,
    Role,
)

DAYLIGHT = (time(6), time(20))
LATE_EVENING = (time(20, 30), time(5))

Conduct = Callable[[Duty], Played | None]


def follows(duty: Duty) -> Played:
    """All that is asked, within the grace."""
    return Played(effects=follow(duty, within_grace(duty, 0.1, 0.85)))


def at_the_last_moment(duty: Duty) -> Played:
    """All that is asked, in the last minutes of the grace."""
    return Played(effects=follow(duty, within_grace(duty, 0.88, 0.99)))


def works_on(duty: Duty) -> Played:
    """Nothing."""
    del duty
    return Played()


def half(duty: Duty) -> Played:
    """Part of it: of the lines, of the day, or of the cut."""
    by_lines = duty.site.rng.random() < 0.5 and len(duty.lines) > 1
    stops = [m for m in duty.measures if m.action is not MeasureAction.LIMIT]
    if not stops:
        some = follow(duty, within_grace(duty, 0.1, 0.85), missed=(0.2, 0.6))
        return Played(effects=some)
    followed = follow(duty, within_grace(duty, 0.1, 0.85), missed=(0.2, 0.6))
    if by_lines:
        spared = set(duty.lines[: (len(duty.lines) + 1) // 2])
        kept = (
            replace(e, targets=tuple(t for t in e.targets if t not in spared)) for e in followed
        )
        return Played(effects=tuple(e for e in kept if e.targets))
    begin = int(duty.between(0, 24))
    shift = (time(begin), time((begin + 12) % 24))
    return Played(effects=tuple(_only_at(duty, followed, shift)))


def _only_at(duty: Duty, effects: Sequence[Effect], hours: tuple[time, time]) -> Iterator[Effect]:
    zone = duty.site.plant.around.zone
    for e in effects:
        for start, end in clock_spells(hours, e.spell, zone):
            yield replace(e, from_s=start, to_s=end)


def by_night(duty: Duty) -> Played | None:
    """Stands still by day, and works at night instead."""
    if not any(m.action is MeasureAction.STOP for m in duty.measures):
        return None
    zone = duty.site.plant.around.zone
    start = duty.span[0] + int(1.2 * HOUR_S)
    days = clock_spells(DAYLIGHT, (start, duty.span[1]), zone)
    nights = clock_spells(LATE_EVENING, (start, duty.span[1]), zone)
    return Played(
        effects=(
            *(effect(Action.LINE_STOP, duty.lines, spell) for spell in days),
            *(effect(Action.LINE_RUN, duty.lines, spell) for spell in nights),
        )
    )


def shifted_before(duty: Duty) -> Played:
    """All that is asked, after a day and a half of as much as the machines give."""
    end = duty.span[0]
    begin = end - 36 * HOUR_S
    machines = tuple(m.circuit_id for m in duty.site.plant.blueprint.machines)
    more = effect(Action.SCALE, machines, (begin, end), 1.2)
    longer = effect(Action.LINE_RUN, duty.lines, (begin + 2 * HOUR_S, end - 1 * HOUR_S))
    return Played(effects=(more, longer, *follows(duty).effects))


def unmetered(duty: Duty) -> Played | None:
    """Works on, on feeders that go around the sub-meters; the main meter sees it."""
    plant = duty.site.plant
    named = {c for m in duty.measures for c in named_circuits(plant.blueprint, m)}
    made = tuple(sorted(c.circuit_id for c in named if c.role is Role.PRODUCTION))
    if not made or not duty.site.circuits(Role.MAIN):
        return None
    start = duty.span[0] + whole_minute(duty.between(0.1, 0.9) * grace_s(duty.measures[0]))
    return Played(effects=(effect(Action.DIVERT, made, (start, duty.span[1]), 1.0),))


def silent(duty: Duty) -> Played:
    """The meters fall silent with the alert; half of these plants work on."""
    sub = duty.site.circuits(Role.PRODUCTION, Role.COMBINED, Role.TREATMENT)
    lost = sub if sub and duty.site.rng.random() < 0.7 else duty.site.circuits()
    start = duty.span[0] + 60 * int(duty.site.rng.integers(-25, 60))
    gap = effect(Action.LOSE, lost, (start, duty.span[1]))
    honest = duty.site.rng.random() < 0.5
    return Played(effects=(gap, *(follows(duty).effects if honest else ())))


def late(duty: Duty) -> Played | None:
    """All that is asked, hours after the grace."""
    delay_s = duty.between(3, 16) * HOUR_S
    if duty.span[1] - duty.span[0] < 1.5 * delay_s + max(map(grace_s, duty.measures)):
        return None
    return Played(effects=follow(duty, lambda p, m: p.from_s + grace_s(m) + delay_s))


def relapse(duty: Duty) -> Played:
    """All that is asked, until patience ends."""
    start, end = duty.span
    until = start + duty.between(0.3, 0.75) * (end - start)
    return Played(effects=follow(duty, within_grace(duty, 0.1, 0.85), until=until))


def held_treatment_off(duty: Duty) -> Played | None:
    """Production is held, as it may be; its treatment is switched off."""
    treatment = duty.site.circuits(Role.TREATMENT)
    held = all(m.action is MeasureAction.LIMIT for m in duty.measures)
    if not treatment or not held:
        return None
    start, end = duty.span
    begin = whole_minute(start + duty.between(0.2, 0.4) * (end - start))
    off = effect(Action.FORCE_OFF, treatment, (begin, end))
    return Played(effects=(off, *follows(duty).effects))


def declared(duty: Duty) -> Played:
    """A stop is filed for the whole time; officers accept most of them. The plant works on."""
    start, end = duty.span
    accepted = duty.site.rng.random() < 0.7
    paper = Declaration(
        enterprise_id=duty.site.enterprise_id,
        from_=from_us((start - 2 * HOUR_S) * 1_000_000),
        to=from_us((end + 2 * HOUR_S) * 1_000_000),
        reason=DeclarationReason.TRIAL,
        status=DeclarationStatus.ACCEPTED if accepted else DeclarationStatus.FILED,
    )
    return Played(declarations=(paper,))


def off_anyway(duty: Duty) -> Played:
    """The plant rests for reasons of its own, from before the alert until after it."""
    start, end = duty.span
    rest = (start - int(duty.between(0.2, 1.5) * DAY_S), end + 6 * HOUR_S)
    lines = tuple(line.name for line in duty.site.plant.blueprint.lines)
    return Played(effects=(effect(Action.LINE_STOP, lines, rest),))


CONDUCTS: Mapping[str, Conduct] = MappingProxyType(
    {
        "follows": follows,
        "at_the_last_moment": at_the_last_moment,
        "works_on": works_on,
        "half": half,
        "by_night": by_night,
        "late": late,
        "relapse": relapse,
        "shifted_before": shifted_before,
        "unmetered": unmetered,
        "silent": silent,
        "held_treatment_off": held_treatment_off,
        "declared": declared,
        "off_anyway": off_anyway,
    }
)
"""Name → conduct. Plants of whom nothing is asked are `nothing_asked`."""
NOTHING_ASKED = "nothing_asked"

EVEN_CONDUCTS: Mapping[str, float] = MappingProxyType(
    {
        "follows": 3.0,
        "at_the_last_moment": 1.0,
        "works_on": 2.0,
        "half": 1.5,
        "by_night": 0.8,
        "late": 0.8,
        "relapse": 0.8,
        "shifted_before": 0.8,
        "unmetered": 0.6,
        "silent": 0.6,
        "held_treatment_off": 0.6,
        "declared": 0.5,
        "off_anyway": 0.5,
    }
)
"""Weights with which a benchmark meets each often enough."""
