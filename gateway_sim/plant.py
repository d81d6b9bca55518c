"""A plant: readings of any interval, true states of any interval, both pure.

Registers are the only thing with a memory. They start at the plant's origin and are the exact sum
of whole micro-kWh since then; the plant remembers the sums it has met (a cache, nothing more).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from gateway_sim.blueprint import Blueprint
from gateway_sim.effects import Effect
from gateway_sim.machines import States
from gateway_sim.meters import Columns, energy_micro_kwh, read
from gateway_sim.network import US, transmit
from gateway_sim.noise import Ints, key_of
from gateway_sim.physics import Circumstances, TrueLoad, true_load
from gateway_sim.spells import Spell, from_mask
from gateway_sim.tamper import LOOKS_BACK, NETWORK, look_back
from wattwitness.domain.instants import day_bounds, to_us
from wattwitness.domain.readings import MEASURANDS, Readings, empty_readings
from wattwitness.domain.states import State

CHUNK_S = 7 * 86_400  # how much is computed at a time; bounds memory


class Plant:
    """One enterprise, alive.

    Args:
        blueprint: what it is built of.
        around: what happens to it.
        origin_s: where the registers start [s since 1970]; nothing can be asked for before.
        keys: circuit id → the integer that readings carry.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        around: Circumstances,
        origin_s: int,
        keys: Mapping[str, int] | None = None,
    ) -> None:
        self.blueprint = blueprint
        self.around = around
        self.origin_s = origin_s
        self.circuit_ids = tuple(c.circuit_id for c in blueprint.circuits)
        self.keys = keys or {name: rank for rank, name in enumerate(self.circuit_ids, start=1)}
        starts = [meter.register_start_micro_kwh for meter in blueprint.meters]
        self._registers: dict[int, Ints] = {origin_s: np.array(starts, dtype=np.int64)}

    @property
    def enterprise_id(self) -> str:
        """The enterprise's id."""
        return self.blueprint.enterprise_id

    def with_effects(self, effects: Sequence[Effect]) -> "Plant":
        """The same plant with other things happening to it."""
        around = replace(self.around, effects=tuple(effects))
        return Plant(self.blueprint, around, self.origin_s, self.keys)

    def load(self, from_s: int, to_s: int) -> TrueLoad:
        """What really happens in [from_s, to_s)."""
        return true_load(self.blueprint, self.around, (from_s, to_s))

    def day(self, day: date, keys: Mapping[str, int] | None = None) -> Readings:
        """The readings of one local day, in (circuit, ts) order."""
        start, end = day_bounds(day, self.around.zone)
        return self.readings(to_us(start), to_us(end), keys)

    def readings(self, from_us: int, to_us: int, keys: Mapping[str, int] | None = None) -> Readings:
        """Readings sampled in [from_us, to_us), in (circuit, ts) order.

        Late ones are included with their `received_at`; lost ones are not. `ts` is the device's
        time: under a skewed clock it may lie outside the interval.

        Args:
            from_us: start [µs since 1970]; not before the plant's origin.
            to_us: end [µs].
            keys: circuit id → integer key; the city's own numbering if left out.
        """
        start_s, end_s = -(-from_us // US), -(-to_us // US)
        keys = keys or self.keys
        blocks = []
        while start_s < end_s:
            upto_s = min(end_s, start_s - start_s % CHUNK_S + CHUNK_S)
            blocks.append(self._block(start_s, upto_s, keys))
            start_s = upto_s
        if not blocks:
            return empty_readings()
        rows = np.concatenate(blocks)
        if len(blocks) > 1:
            rows = rows[np.argsort(rows["circuit"], kind="stable")]
        return rows

    def true_states(self, from_us: int, to_us: int) -> tuple[Ints, Mapping[str, States]]:
        """(instants [µs], circuit id → state at each): what the states really are.

        Each instant stands for one step (the interval, at most a minute) from there on.
        """
        load = self.load(-(-from_us // US), -(-to_us // US))
        by_circuit = {name: load.states[n] for n, name in enumerate(self.circuit_ids)}
        return load.at_s * US, by_circuit

    def live_without_treatment(self, pairing_id: str, from_s: int, to_s: int) -> list[Spell]:
        """When the pairing's production ran and none of its treatment did, in whole steps."""
        load = self.load(from_s, to_s)
        pairing = next(p for p in self.blueprint.pairings if p.pairing_id == pairing_id)
        index = {name: n for n, name in enumerate(self.circuit_ids)}
        live = (load.states[[index[c] for c in pairing.production]] == State.RUNNING).any(axis=0)
        on = (load.states[[index[c] for c in pairing.treatment]] == State.RUNNING).any(axis=0)
        return from_mask(live & ~on, load.at_s, self.blueprint.step_s)

    def _energy(self, load: TrueLoad) -> Ints:
        """(circuits, n) what each register counts in each step [micro-kWh]."""
        return np.array(
            [
                energy_micro_kwh(
                    meter, load.p_kw[n], load.at_s, self.blueprint.step_s, self.around.effects
                )
                for n, meter in enumerate(self.blueprint.meters)
            ]
        )

    def _nearest(self, from_s: int) -> int:
        """The last instant at or before `from_s` whose registers are known; makes more known."""
        if from_s < self.origin_s:
            raise ValueError(f"plant {self.enterprise_id} begins at {self.origin_s}, not {from_s}")
        known = max(at for at in self._registers if at <= from_s)
        while known + CHUNK_S <= from_s:
            upto_s = known - known % CHUNK_S + CHUNK_S
            counted = self._energy(self.load(known, upto_s)).sum(axis=1)
            self._registers[upto_s] = self._registers[known] + counted
            known = upto_s
        return known

    def _block(self, from_s: int, to_s: int, keys: Mapping[str, int]) -> Readings:
        known = self._nearest(from_s)
        load = self.load(known, to_s)
        counted = self._energy(load)
        after = np.cumsum(counted, axis=1) + self._registers[known][:, None]
        before = after - counted
        if load.at_s.size:
            self._remember(to_s, after[:, -1])
        sampled = (load.at_s >= from_s) & (load.at_s % self.blueprint.gateway.interval_s == 0)
        at_s = load.at_s[sampled]
        blocks = []
        for n, meter in enumerate(self.blueprint.meters):
            columns = read(
                meter,
                load.p_kw[n, sampled],
                load.q_kvar[n, sampled],
                load.volts[sampled],
                before[n, sampled],
                at_s,
                self.around.effects,
            )
            blocks.append(self._rows(meter.circuit_id, keys[meter.circuit_id], columns, at_s))
        return np.concatenate(blocks)

    def _remember(self, at_s: int, registers: Ints) -> None:
        if at_s % self.blueprint.step_s:  # registers are known at whole steps only
            return
        self._registers[at_s] = registers
        if len(self._registers) > 64:  # a live plant meets a new instant every minute
            keep = sorted(self._registers)[-8:]
            kept = {at: r for at, r in self._registers.items() if at in keep or at % CHUNK_S == 0}
            self._registers = {self.origin_s: self._registers[self.origin_s], **kept}

    def _rows(self, circuit_id: str, key: int, columns: Columns, at_s: Ints) -> Readings:
        rows = empty_readings(at_s.size)
        rows["circuit"] = key
        for name in MEASURANDS:
            rows[name] = columns[name]
        look_back(rows, at_s, circuit_id, self.around.effects, self._honest)
        gateway_key = key_of(self.blueprint.key, "network")
        rows, arrives = transmit(rows, at_s, circuit_id, gateway_key, self.around.effects)
        rows = rows if arrives.all() else rows[arrives]
        return rows if np.all(np.diff(rows["ts"]) > 0) else np.sort(rows, order="ts")

    def _honest(self, circuit_id: str, from_s: int, to_s: int) -> Readings:
        """What a meter would have shown without the effects that need this question."""
        left_out = LOOKS_BACK | NETWORK
        honest = self.with_effects([e for e in self.around.effects if e.action not in left_out])
        honest._registers = self._registers  # noqa: SLF001 - same physics, same sums
        rows = honest.readings(from_s * US, to_s * US, honest.keys)
        mine: Readings = rows[rows["circuit"] == honest.keys[circuit_id]]
        return mine
