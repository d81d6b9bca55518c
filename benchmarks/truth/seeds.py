"""Sizes and seeds. Thresholds may be tuned on TUNE_SEEDS, never on TEST_SEEDS."""

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

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
        "medium": Size(enterprises=100, days=30),
        "full": Size(enterprises=500, days=60),
    }
)


START = datetime(2026, 9, 7, tzinfo=ZoneInfo("Asia/Shanghai"))
"""All cities begin on the same Monday, local midnight."""


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
