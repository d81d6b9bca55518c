"""From the meter to the centre: the gateway's clock, lost readings, and readings that come late."""

from collections.abc import Sequence

import numpy as np

from gateway_sim.effects import Action, Effect, spells_of
from gateway_sim.noise import Floats, Ints, uniform, uniform_at
from gateway_sim.spells import Mask, inside
from wattwitness.domain.readings import Readings

US = 1_000_000
BACKFILL_START_S = 45  # after the line is back
BACKFILL_PER_SAMPLE_US = 40_000  # 25 instants a second, oldest first


def latency_us(gateway_key: int, at_s: Ints) -> Ints:
    """From sample to receipt [µs]: 0.8 to 3.3 s; the same for all circuits of one message.

    A gateway asks its meters in a fixed cycle, which takes it its own time; the line adds little,
    and one message in fifty is said twice.
    """
    cycle_us = 800_000 + 1_500_000 * uniform_at(gateway_key, 0)
    drawn = uniform(gateway_key, at_s)
    again_us = np.maximum(0.0, drawn - 0.98) / 0.02 * 850_000
    return (cycle_us + 150_000 * drawn + again_us).astype(np.int64)


def transmit(
    rows: Readings, at_s: Ints, circuit_id: str, gateway_key: int, effects: Sequence[Effect]
) -> tuple[Readings, Mask]:
    """Fill ts, received_at and resent of one circuit's rows; tell which arrive at all.

    Args:
        rows: the circuit's readings, one per element of `at_s`; changed in place.
        at_s: true instants [s since 1970].
        circuit_id: whose readings they are.
        gateway_key: names the gateway's randomness.
        effects: what happened to clock and network.
    """
    ahead_s: Floats = np.zeros(at_s.shape)
    for effect in effects:
        if effect.action is Action.SKEW and circuit_id in effect.targets:
            ahead_s = np.where(inside([effect.spell], at_s), effect.amount, ahead_s)
    rows["ts"] = at_s * US + np.rint(ahead_s * US).astype(np.int64)
    received = at_s * US + latency_us(gateway_key, at_s)
    late = np.zeros(at_s.shape, dtype=np.bool_)
    for effect in effects:
        if effect.action is not Action.DELAY or circuit_id not in effect.targets:
            continue
        held = inside([effect.spell], at_s)
        rank = (at_s - effect.from_s) // max(1, _interval_s(at_s))
        back = (effect.to_s + BACKFILL_START_S) * US + rank * BACKFILL_PER_SAMPLE_US
        received = np.where(held, back, received)
        late |= held
    for effect in effects:
        if effect.action is Action.QUEUE and circuit_id in effect.targets:
            received = _queued(effect, at_s, received)
    rows["received_at"] = received
    rows["resent"] = late
    return rows, ~inside(spells_of(effects, Action.LOSE, circuit_id), at_s)


def _queued(effect: Effect, at_s: Ints, received: Ints) -> Ints:
    """First in, first out: what is sampled while the queue is worked off waits its turn."""
    rank = (at_s - effect.from_s) // max(1, _interval_s(at_s))
    turn = (effect.to_s + BACKFILL_START_S) * US + (rank * effect.amount * US).astype(np.int64)
    return np.where(at_s >= effect.from_s, np.maximum(received, turn), received)


def _interval_s(at_s: Ints) -> int:
    return int(at_s[1] - at_s[0]) if at_s.size > 1 else 60
