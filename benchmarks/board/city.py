"""A made-up city: a few kinds of plants, each many times over, that differ in nothing but names.

Plants work round the clock, so that the hour of a run does not matter. Under the alert, plants of
one kind stop, of another stop half of their machines, of a third go on, of a fourth stop when the
live minutes begin.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import US_PER_MINUTE, to_us
from wattwitness.domain.readings import Readings, empty_readings
from wattwitness.domain.registry import (
    Alert,
    AlertLevel,
    Circuit,
    Enterprise,
    Gateway,
    Measure,
    MeasureAction,
    Pairing,
    Registry,
    Role,
)

KINDS = 8
CIRCUITS = 20
MACHINES = 10
ALERT_ID = "B-ALERT"
_ROLES = (Role.MAIN, *[Role.PRODUCTION] * MACHINES, *[Role.TREATMENT] * 8, Role.AUXILIARY)


def name_of(n: int) -> str:
    """Id of an enterprise; all are as long."""
    return f"B{n:04d}"


@dataclass(frozen=True)
class City:
    """So many enterprises with twenty circuits each."""

    enterprises: int
    response_from: datetime
    live_from_us: int

    def registry(self) -> Registry:
        """All of it, with an open alert and a plan for each enterprise."""
        names = [name_of(n) for n in range(self.enterprises)]
        alert = Alert(
            alert_id=ALERT_ID,
            level=AlertLevel.ORANGE,
            issued_at=self.response_from - timedelta(hours=24),
            response_from=self.response_from,
        )
        return Registry(
            enterprises={
                e: Enterprise(enterprise_id=e, name=f"Plant {e}", district=f"D{n % 6}")
                for n, e in enumerate(names)
            },
            gateways={f"{e}-G": Gateway(gateway_id=f"{e}-G", enterprise_id=e) for e in names},
            circuits={c.circuit_id: c for e in names for c in _circuits(e)},
            pairings={p.pairing_id: p for e in names for p in _pairings(e)},
            measures=tuple(_measure(e, n % KINDS) for n, e in enumerate(names)),
            alerts={alert.alert_id: alert},
        )

    def power(self, kind: int, from_us: int, minutes: int) -> NDArray[np.float64]:
        """Power of the plants of a kind, the same whenever it is asked for [20, minutes]."""
        at = from_us // US_PER_MINUTE + np.arange(minutes)
        level = 20.0 + 10.0 * np.arange(CIRCUITS) + kind
        noise = 1.0 + 0.05 * np.sin(at * (1.0 + 0.37 * kind) + np.arange(CIRCUITS)[:, np.newaxis])
        # a machine pauses for a quarter of an hour now and then
        works = (at // 15 + 7 * np.arange(CIRCUITS)[:, np.newaxis]) % 11 > 0
        found = level[:, np.newaxis] * noise * works
        running = np.ones(found.shape, dtype=np.bool_)
        machines = slice(1, 1 + MACHINES)
        under = at * US_PER_MINUTE >= to_us(self.response_from)
        live = at * US_PER_MINUTE >= self.live_from_us
        way = kind % 4
        if way == 0:
            running[machines] = ~under
        elif way == 1:
            running[1 : 1 + MACHINES // 2] = ~under
        elif way == 3:
            running[machines] = ~live
        found[1:] *= running[1:]
        found[0] = found[1:].sum(axis=0)
        return np.asarray(np.round(found, 2))

    def readings(
        self, numbers: NDArray[np.int64], keys: NDArray[np.int64], from_us: int, minutes: int
    ) -> Readings:
        """Readings of enterprises over some minutes.

        Args:
            numbers: of the enterprises [n].
            keys: circuit keys [enterprises, 20].
            from_us: a whole minute.
            minutes: how many.
        """
        rows = empty_readings(len(numbers) * CIRCUITS * minutes)
        shape = (len(numbers), CIRCUITS, minutes)
        ts = from_us + np.arange(minutes) * US_PER_MINUTE
        by_kind = [self.power(kind, from_us, minutes) for kind in range(KINDS)]
        rows["circuit"] = np.broadcast_to(keys[numbers][:, :, np.newaxis], shape).ravel()
        rows["ts"] = np.broadcast_to(ts, shape).ravel()
        rows["p_kw"] = np.stack([by_kind[n % KINDS] for n in numbers.tolist()]).ravel()
        rows["received_at"] = rows["ts"] + 1_000_000
        return rows


def _circuits(enterprise: str) -> list[Circuit]:
    return [
        Circuit(
            circuit_id=f"{enterprise}-C{c:02d}",
            gateway_id=f"{enterprise}-G",
            channel=f"C{c:02d}",
            role=role,
            line="L1" if c <= MACHINES // 2 else "L2",
            rated_kw=400.0 if role is not Role.MAIN else 4000.0,
        )
        for c, role in enumerate(_ROLES)
    ]


def _pairings(enterprise: str) -> list[Pairing]:
    first = 1 + MACHINES
    return [
        Pairing(
            pairing_id=f"{enterprise}-R{k}",
            production=(f"{enterprise}-C{1 + 2 * k:02d}", f"{enterprise}-C{2 + 2 * k:02d}"),
            treatment=(f"{enterprise}-C{first + k:02d}",),
        )
        for k in range(5)
    ]


def _measure(enterprise: str, kind: int) -> Measure:
    if kind < KINDS // 2:
        return Measure(
            enterprise_id=enterprise,
            level=AlertLevel.ORANGE,
            action=MeasureAction.STOP,
            scope=("L1", "L2"),
            grace_min=30.0,
        )
    return Measure(
        enterprise_id=enterprise,
        level=AlertLevel.ORANGE,
        action=MeasureAction.LIMIT,
        limit_pct=50.0,
        grace_min=30.0,
    )
