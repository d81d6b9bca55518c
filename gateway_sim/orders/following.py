"""One plant under one alert, and what it takes to do what is asked of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway_sim.effects import Action, Effect
from gateway_sim.faults.site import Site, effect
from gateway_sim.orders.duties import (
    Phase,
    grace_s,
    named_circuits,
    named_lines,
    outside,
)
from gateway_sim.orders.limits import WAYS, Cut, cut_down
from gateway_sim.orders.truth import energy_kwh
from gateway_sim.spells import Spell, clip
from wattwitness.domain.registry import Alert, Declaration, Measure, MeasureAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One plant under one alert that asks something of it."""

    site: Site
    alert: Alert
    phases: Sequence[Phase]

    @property
    def span(self) -> Spell:
        """From the response to the lift, or to the end of the history."""
        return self.phases[0].from_s, self.phases[-1].to_s

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Everything that is asked at any time."""
        return tuple(m for phase in self.phases for m in phase.measures)

    @property
    def lines(self) -> tuple[str, ...]:
        """All lines that any measure names."""
        named = {x for m in self.measures for x in named_lines(self.site.plant.blueprint, m)}
        return tuple(x.name for x in self.site.plant.blueprint.lines if x.name in named)

    def between(self, low: float, high: float) -> float:
        """A uniform draw."""
        return float(self.site.rng.uniform(low, high))


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a conduct comes to."""

    effects: tuple[Effect, ...] = ()
    declarations: tuple[Declaration, ...] = ()


def whole_minute(at_s: float) -> int:
    """Brought down to its minute [s]."""
    return int(at_s) // 60 * 60


def follow(
    duty: Duty,
    begins: Callable[[Phase, Measure], float],
    *,
    until: float | None = None,
    missed: tuple[float, float] = (0.0, 0.0),
) -> tuple[Effect, ...]:
    """Do what every measure asks, from `begins` on.

    Args:
        duty: what is asked.
        begins: when the plant begins with a measure [s].
        until: when it gives up [s].
        missed: of the cut of a limit, the least and most that is left out.
    """
    found: tuple[Effect, ...] = ()
    for number, phase in enumerate(duty.phases):
        for measure in phase.measures:
            # a plant that already holds back does not start again for the grace of the next phase
            start = phase.from_s if number else whole_minute(begins(phase, measure))
            end = phase.to_s if until is None else min(phase.to_s, whole_minute(until))
            if start < end:
                found += _one(duty, phase, measure, (start, end), found, duty.between(*missed))
    return found


def _one(
    duty: Duty, phase: Phase, measure: Measure, spell: Spell, so_far: Sequence[Effect], miss: float
) -> tuple[Effect, ...]:
    plant = duty.site.plant
    lines = named_lines(plant.blueprint, measure)
    if measure.action is MeasureAction.STOP:
        return (effect(Action.LINE_STOP, lines, spell),)
    if measure.action is MeasureAction.HOURS and measure.hours is not None:
        closed = outside(measure.hours, spell, plant.around.zone)
        return tuple(effect(Action.LINE_STOP, lines, part) for part in closed)
    window = clip([phase.window(measure)], *spell)
    if not window:
        return ()
    circuits = named_circuits(plant.blueprint, measure)
    usual = energy_kwh(plant, circuits, window[0])
    share = (measure.limit_pct or 0.0) / 100
    # who complies keeps a little below; who does not, misses that part of the cut
    aim = share * duty.between(0.9, 0.995) if miss <= 0 else share + miss * (1.0 - share)
    held = plant.with_effects((*plant.around.effects, *so_far))
    cut = Cut(
        plant=held,
        circuits=circuits,
        lines=lines,
        spell=spell,
        window=window[0],
        target_kwh=usual * aim,
    )
    kiln = all(x.pattern.continuous and not x.pattern.breaks for x in plant.blueprint.lines)
    ways = WAYS[:2] if kiln else WAYS
    return cut_down(cut, ways[int(duty.site.rng.integers(len(ways)))])


def within_grace(duty: Duty, low: float, high: float) -> Callable[[Phase, Measure], float]:
    """A beginning somewhere in the grace of each measure, shares of it."""
    share = duty.between(low, high)
    return lambda phase, measure: phase.from_s + share * grace_s(measure)
