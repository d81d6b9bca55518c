"""Energy that an enterprise avoided under an alert, from its judged measures. Pure.

Only measures with a word, an energy and a baseline with its interval count; the grace before their
judged time does not. Of measures that share a circuit at the same time only the widest counts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from wattwitness.domain.registry import MeasureAction, Registry, Role
from wattwitness.domain.verdicts import MeasureVerdict, VerdictCode

_DECIDED = (VerdictCode.COMPLIED, VerdictCode.PARTIAL, VerdictCode.VIOLATED)
_MISSED = (VerdictCode.PARTIAL, VerdictCode.VIOLATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """Baseline less what was used; negative = more than usual was used."""

    used_kwh: float
    baseline_kwh: float
    interval_kwh: tuple[float, float]  # of what was avoided
    widest_kwh: tuple[float, float]  # if all deviations had one cause
    enterprises: int = 1  # measured

    @property
    def kwh(self) -> float:
        """Avoided."""
        return self.baseline_kwh - self.used_kwh

    @property
    def achieved_cut(self) -> float | None:
        """Share of the baseline that was avoided; None = no baseline."""
        return self.kwh / self.baseline_kwh if self.baseline_kwh > 0 else None


def _meters(measure: MeasureVerdict, registry: Registry) -> tuple[frozenset[str], frozenset[str]]:
    """(circuits that it names, these and all that feed them)."""
    own, above = set(measure.circuits), set(measure.circuits)
    for name in measure.circuits:
        circuit = registry.circuits.get(name)
        while circuit is not None and circuit.parent_circuit_id not in {None, *above}:
            above.add(str(circuit.parent_circuit_id))
            circuit = registry.circuits.get(str(circuit.parent_circuit_id))
        if name in registry.circuits:
            beside = registry.circuits_of(registry.enterprise_of(name))
            above |= {c.circuit_id for c in beside if c.role is Role.MAIN}
    return frozenset(own), frozenset(above)


def counted(measures: Sequence[MeasureVerdict], registry: Registry) -> list[MeasureVerdict]:
    """The measures whose energy is counted, in time: none shares a circuit and a minute.

    A circuit shares what is metered above it as well: the main meter counts its feeders.
    """
    known = [
        m
        for m in measures
        if m.verdict in _DECIDED
        and m.energy_kwh is not None
        and m.baseline_kwh is not None
        and m.interval_kwh is not None
    ]
    known.sort(key=lambda m: (-(m.baseline_kwh or 0.0), m.from_, m.action, m.scope))
    meters = [_meters(m, registry) for m in known]
    chosen: list[int] = []
    for n, m in enumerate(known):
        own, above = meters[n]
        if not any(
            m.from_ < known[k].to
            and known[k].from_ < m.to
            and (own & meters[k][1] or above & meters[k][0])
            for k in chosen
        ):
            chosen.append(n)
    return sorted((known[n] for n in chosen), key=lambda m: (m.from_, m.scope))


def saved_by(measures: Sequence[MeasureVerdict]) -> Saved | None:
    """What one enterprise avoided; None = nothing of it is measured.

    The ends of the intervals of its measures are added: one plant deviates as a whole.
    """
    if not measures:
        return None
    used = math.fsum(m.energy_kwh or 0.0 for m in measures)
    ends = [m.interval_kwh or (0.0, 0.0) for m in measures]
    span = math.fsum(low for low, _ in ends) - used, math.fsum(high for _, high in ends) - used
    return Saved(
        used_kwh=used,
        baseline_kwh=math.fsum(m.baseline_kwh or 0.0 for m in measures),
        interval_kwh=span,
        widest_kwh=span,
    )


def avoidable_kwh(measure: MeasureVerdict, allowed_share: float) -> float:
    """Energy that was used although it was to be cut.

    Of a limit: used less allowed. Of a stop or of hours: the usual energy by the share of the usual
    minutes in which it ran, at most what was used; standby is not counted.

    Args:
        measure: with energy and baseline.
        allowed_share: of the baseline, of a limit.
    """
    if measure.verdict not in _MISSED or measure.energy_kwh is None:
        return 0.0
    baseline = measure.baseline_kwh or 0.0
    if measure.action is MeasureAction.LIMIT:
        return max(0.0, measure.energy_kwh - allowed_share * baseline)
    if measure.running_share is None:
        return 0.0
    return min(measure.energy_kwh, measure.running_share * baseline)
