"""Sizes, shapes and seeds. Whatever is tuned is tuned on TUNE_SEEDS, never on TEST_SEEDS."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from gateway_sim.faults.catalogue import DEFAULT_SHARES, FURTHER
from gateway_sim.scenario import Scenario
from wattwitness.domain.rules import CATALOGUE

TUNE_SEEDS = (101, 102, 103, 104, 105)
TEST_SEEDS = (9001, 9002, 9003, 9004, 9005)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a city."""

    enterprises: int
    days: int


SIZES = MappingProxyType(
    {
        "small": Size(enterprises=20, days=14),
        "long": Size(enterprises=20, days=60),  # what takes weeks to see: growth, slow decline
        "medium": Size(enterprises=100, days=30),
        "full": Size(enterprises=500, days=60),
    }
)

START = datetime(2026, 9, 7, tzinfo=ZoneInfo("Asia/Shanghai"))
"""All cities begin on the same Monday, local midnight."""

UNLAWFUL_FACTOR = 0.32  # on the simulator's shares: one enterprise-day in twenty is unlawful
LAWFUL_FACTOR = 0.18  # likewise, and FURTHER_SHARE of each further confuser: 40 % of the plants
FURTHER_SHARE = 0.016


def _as_in_a_city() -> dict[str, float]:
    found = dict.fromkeys(FURTHER, FURTHER_SHARE)
    for kind, share in DEFAULT_SHARES.items():
        if kind not in found:
            found[kind] = share * (UNLAWFUL_FACTOR if kind in CATALOGUE else LAWFUL_FACTOR)
    return found | {"curtailment_violation": 0.0}  # scored elsewhere


_EVEN = {  # few plants can have these at all: an alert in the district, several units, weeks
    "production_surge": 1.0,
    "data_gap_at_alert": 0.7,
    "capacity_growth": 0.15,
    "treatment_gradual_underrun": 0.12,
    "curtailment_violation": 0.0,
}
SHAPES: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "default": _as_in_a_city(),
        "even": {**dict.fromkeys(DEFAULT_SHARES, 0.16), **_EVEN},
    }
)
"""Shape → kind → share of the enterprises. `default`: as rare as in a city; `even`: every kind
often enough for a figure of its own."""


def scenario_of(size: Size, seed: int, shape: str) -> Scenario:
    """The city of a size, seed and shape."""
    return Scenario(
        enterprises=size.enterprises,
        days=size.days,
        seed=seed,
        alert="closed",
        shares=SHAPES[shape],
    )


def use_of(seed: int) -> str:
    """What a seed may be used for."""
    return "test" if seed in TEST_SEEDS else "tuning" if seed in TUNE_SEEDS else "free"


def seeds_of(text: str) -> tuple[int, ...]:
    """`test`, `tune`, or numbers between commas.

    Raises:
        ValueError: none of these.
    """
    named = {"test": TEST_SEEDS, "tune": TUNE_SEEDS}
    return named.get(text) or tuple(int(part) for part in text.split(","))
