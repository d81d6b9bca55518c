"""The little world that the payloads are about, and its limits, written down once more.

The limits are those of docs/mqtt.md, by hand: the oracle must not ask the code what is right.
"""

from datetime import UTC, datetime
from typing import Final

from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role

GATEWAYS: Final = tuple(f"G{n}" for n in range(12))
CHANNELS: Final = ("P1", "P2", "T1", "总表", "q-5")
STRANGE_CHANNELS: Final = ("P9", "X", "P1 ", "p1", "总")
STRANGERS: Final = tuple(f"U{n}" for n in range(4))
RATED: Final = "P2"  # this channel's circuits are rated, and so are their limits wider
RATED_KW: Final = 150_000.0

MS: Final = 1000
NOW_MS: Final = int(datetime(2026, 6, 1, 4, tzinfo=UTC).timestamp()) * 1000
OLDEST_MS: Final = NOW_MS - 60 * 86_400_000  # of good readings: two months of days, not years
KEEP_FROM_MS: Final = int(datetime(2010, 1, 1, tzinfo=UTC).timestamp()) * 1000
TOLERANCE_MS: Final = 86_400_000
MAX_PAYLOAD: Final = 262_144
LIMITS: Final = {"e": 1e12, "u": 1e6, "i": 1e6, "pf": 1.005}
SCALES: Final = (1000, 1000, 1000, 10, 10, 10, 100, 100, 100, 10_000)
"""Counts per unit of p, e, q, u ×3, i ×3, pf: how finely values are kept."""


def limit_kw(channel: str) -> float:
    """The power beyond which no reading of the channel can be true."""
    return max(1e6, 10 * RATED_KW) if channel == RATED else 1e6


def registry() -> Registry:
    """The registry of this world, without keys."""
    return Registry(
        enterprises={"E": Enterprise(enterprise_id="E", name="E")},
        gateways={g: Gateway(gateway_id=g, enterprise_id="E") for g in GATEWAYS},
        circuits={
            f"{g}/{c}": Circuit(
                circuit_id=f"{g}/{c}",
                gateway_id=g,
                channel=c,
                role=Role.MAIN,
                rated_kw=RATED_KW if c == RATED else None,
            )
            for g in GATEWAYS
            for c in CHANNELS
        },
    )
