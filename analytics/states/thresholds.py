"""Classes and nameplate → thresholds with hysteresis.

Where a class is missing, caution decides: production must clearly run before anyone is blamed, and
treatment counts as running as soon as it plausibly does. So the running edge of production stands
high in the gap above "off", the one of treatment low.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.states.classes import OFF_BELOW, Classes, PowerClass, find_classes
from analytics.states.histograms import BINS_PER_OCTAVE, bin_edge_kw
from wattwitness.domain.registry import Circuit, Role
from wattwitness.domain.states import Thresholds

RUNNING_SHARE = {  # of rated power: a level below is not what the machine does when it runs
    Role.PRODUCTION: 0.15,
    Role.COMBINED: 0.15,
    Role.TREATMENT: 0.10,
    Role.MAIN: 0.02,
    Role.AUXILIARY: 0.05,
}
TYPICAL_SHARE = 0.7  # of rated power: the level assumed before the machine was seen running
ALWAYS_RUNNING_KW = 0.2  # without a nameplate, a steady level below is leakage
RESOLVED_STEPS = 3
UNSEEN_STANDBY_SHARE = 0.25  # of the level: production below may idle in a way not seen so far
RELEASE_SHARE = 0.75  # lower edge ÷ upper edge where no gap says otherwise
_NAN = math.nan
UNKNOWN_THRESHOLDS = Thresholds(
    standby_kw=_NAN,
    standby_release_kw=_NAN,
    running_kw=_NAN,
    running_release_kw=_NAN,
    running_level_kw=_NAN,
    basis="none",
)


@dataclass(frozen=True, slots=True)
class _Edges:
    """Two edges of a hysteresis [kW]."""

    enter: float
    release: float


def _single(enter_kw: float) -> _Edges:
    return _Edges(enter_kw, RELEASE_SHARE * enter_kw)


def _between(lower: PowerClass, upper: PowerClass) -> _Edges:
    """Edges in the gap between two classes, or around their border if they touch."""
    gap = upper.lower - lower.upper
    if gap >= 2:
        return _Edges(bin_edge_kw(lower.upper + 0.6 * gap), bin_edge_kw(lower.upper + 0.4 * gap))
    border = 0.5 * (upper.lower + lower.upper)
    return _Edges(bin_edge_kw(border + 0.75), bin_edge_kw(border - 0.75))


def _running_over_off(off: PowerClass | None, running: PowerClass, role: Role) -> _Edges:
    """The running edges where no standby was seen."""
    level = running.level_kw
    floor = bin_edge_kw(off.upper) if off is not None and off.median > 0 else 0.0
    if role in (Role.PRODUCTION, Role.COMBINED):
        half_of_lowest = bin_edge_kw(running.lower - BINS_PER_OCTAVE)
        enter = max(half_of_lowest, UNSEEN_STANDBY_SHARE * level, 1.5 * floor)
        return _Edges(enter, max(0.8 * enter, 1.1 * floor))
    enter = max(min(0.15 * level, bin_edge_kw(running.lower)), 1.5 * floor)
    return _Edges(enter, max(0.6 * enter, 1.1 * floor))


def _standby_edges(classes: Classes, level_kw: float, resolution_kw: float) -> _Edges:
    least = max(0.5 * OFF_BELOW * level_kw, 0.5 * resolution_kw)
    if classes.off is not None and classes.standby is not None and classes.off.median > 0:
        return _between(classes.off, classes.standby)
    if classes.standby is not None:
        return _single(max(least, 0.3 * bin_edge_kw(classes.standby.lower)))
    floor = 0.0
    if classes.off is not None and classes.off.median > 0:
        floor = bin_edge_kw(classes.off.upper)
    return _single(max(OFF_BELOW * level_kw, 1.35 * floor, least))


def _learned(classes: Classes, running: PowerClass, circuit: Circuit) -> Thresholds:
    level = running.level_kw
    if classes.standby is not None:
        edges = _between(classes.standby, running)
    elif classes.off is not None:
        edges = _running_over_off(classes.off, running, circuit.role)
    else:
        edges = _Edges(0.3 * level, 0.2 * level)
    standby = _standby_edges(classes, level, circuit.resolution_kw or 0.0)
    enter = min(standby.enter, edges.release)
    return Thresholds(
        standby_kw=enter,
        standby_release_kw=min(standby.release, RELEASE_SHARE * enter),
        running_kw=edges.enter,
        running_release_kw=edges.release,
        running_level_kw=level,
        basis="learned",
    )


def _nameplate(rated_kw: float, role: Role) -> Thresholds:
    enter = max(RUNNING_SHARE[role], 0.1) * rated_kw
    return Thresholds(
        standby_kw=OFF_BELOW * rated_kw,
        standby_release_kw=RELEASE_SHARE * OFF_BELOW * rated_kw,
        running_kw=enter,
        running_release_kw=0.8 * enter,
        running_level_kw=TYPICAL_SHARE * rated_kw,
        basis="nameplate",
    )


def _idle(level_kw: float, resolution_kw: float) -> Thresholds:
    """Only "nothing" was ever seen and no nameplate is known: 0 is off, more is not known."""
    enter = max(ALWAYS_RUNNING_KW, 2.0 * level_kw, RESOLVED_STEPS * resolution_kw)
    return Thresholds(
        standby_kw=enter,
        standby_release_kw=enter,
        running_kw=_NAN,
        running_release_kw=_NAN,
        running_level_kw=_NAN,
        basis="none",
    )


def _unresolvable(level_kw: float) -> Thresholds:
    return Thresholds(
        standby_kw=_NAN,
        standby_release_kw=_NAN,
        running_kw=_NAN,
        running_release_kw=_NAN,
        running_level_kw=level_kw,
        basis="unresolvable",
    )


def thresholds_of(classes: Classes, circuit: Circuit) -> Thresholds:
    """Thresholds from the classes of a circuit's history and its nameplate."""
    resolution = circuit.resolution_kw or 0.0
    rated = circuit.rated_kw
    seen = classes.running
    if classes.off is None and seen is None:
        return UNKNOWN_THRESHOLDS
    if rated is not None and rated > 0:
        if seen is None or seen.level_kw < RUNNING_SHARE[circuit.role] * rated:
            found = _nameplate(rated, circuit.role)
        else:
            found = _learned(classes, seen, circuit)
    elif seen is None:
        return _idle(0.0, resolution)
    elif classes.off is None and classes.standby is None and seen.level_kw < ALWAYS_RUNNING_KW:
        return _idle(seen.level_kw, resolution)
    else:
        found = _learned(classes, seen, circuit)
    if found.running_level_kw < RESOLVED_STEPS * resolution:
        return _unresolvable(found.running_level_kw)
    return found


def learn(minutes: NDArray[np.float64], circuits: list[Circuit]) -> list[Thresholds]:
    """Thresholds of many histories.

    Args:
        minutes: weighted minutes per power bin [n, 256].
        circuits: whose history each row is [n].
    """
    resolution = np.array([c.resolution_kw or 0.0 for c in circuits])
    plausible = minutes.copy()
    for row, circuit in enumerate(circuits):  # above the nameplate is broken, not a level
        if circuit.rated_kw:
            top = math.ceil((math.log2(1.5 * circuit.rated_kw) + 10.0) * BINS_PER_OCTAVE) + 1
            plausible[row, max(1, top) :] = 0.0
    classes = find_classes(plausible, resolution)
    return [thresholds_of(found, c) for found, c in zip(classes, circuits, strict=True)]
