"""A city's parameters, and the TOML file that may carry them (`--scenario FILE`).

    enterprises = 40          # how many plants
    seed = 7                  # the same seed gives the same city, byte for byte
    days = 14                 # length of the history
    interval_s = 60           # 10 … 900
    verified_days = 4         # clean days at the beginning (verified_from, verified_to)
    live_days = 2             # incidents are planned this far beyond the history
    alert = "open"            # "none", "open" (still in force at the end), "closed", "season"
    alert_level = "orange"    # not of a season: its alerts have levels and lengths of their own
    plans = "guide"           # or "varied": measures of every kind, whatever the grade
    main_only = 0.0           # further share of enterprises with a main meter only
    recent_fault = true       # one treatment_off in the last hours of the history
    live_fault_after_min = 5  # one treatment_off this long after the history; negative: none
    holidays = ["2026-10-01"] # local days on which no line works

    [shares]                  # kind of incident → share of the enterprises
    treatment_off = 0.2
    comms_outage = 0

    [conducts]                # what plants do under alerts → weight (see gateway_sim.orders)
    follows = 3               # none told: as `curtailment_violation` says, or all that is asked
    half = 1

Left-out lines keep their defaults; an unknown name is refused.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

from gateway_sim.faults.catalogue import DEFAULT_SHARES
from gateway_sim.orders.conducts import CONDUCTS
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.registry import AlertLevel

ALERTS = ("none", "open", "closed", "season")
PLANS = ("guide", "varied")
_NUMBERS: Mapping[str, tuple[float, float]] = {
    "enterprises": (1, 10_000),
    "seed": (0, 2**63),
    "days": (0.1, 3650),
    "interval_s": (1, 900),
    "verified_days": (0, 365),
    "live_days": (0, 365),
    "live_fault_after_min": (-1e9, 1e6),
    "main_only": (0, 1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A city before it is built. Frozen; change it with `dataclasses.replace`."""

    enterprises: int = 40
    seed: int = 7
    days: float = 14
    interval_s: int = 60
    verified_days: float | None = None  # None: a third of the history, at most 14 days
    live_days: float = 0
    alert: str = "none"
    alert_level: AlertLevel = AlertLevel.ORANGE
    plans: str = "guide"
    main_only: float = 0.0
    recent_fault: bool = False
    live_fault_after_min: float = -1.0
    holidays: tuple[date, ...] = ()
    shares: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_SHARES))
    conducts: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what no city can be built from."""
        for name, (low, high) in _NUMBERS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InputRefusedError(f"{name} = {value} is out of range", f"{low:g} … {high:g}")
        if (self.interval_s > 60 and self.interval_s % 60) or 60 % min(self.interval_s, 60):
            raise InputRefusedError(
                f"interval_s = {self.interval_s} does not divide time evenly",
                "a divisor of 60, or whole minutes up to 900",
            )
        if self.alert not in ALERTS:
            raise InputRefusedError(f"alert = {self.alert!r} is unknown", " | ".join(ALERTS))
        if self.plans not in PLANS:
            raise InputRefusedError(f"plans = {self.plans!r} is unknown", " | ".join(PLANS))
        for name, weight in self.conducts.items():
            if name not in CONDUCTS or not 0 <= weight < float("inf"):
                raise InputRefusedError(
                    f"conducts.{name} = {weight} is not a weight of a known conduct",
                    f"0 or more, and one of {', '.join(CONDUCTS)}",
                )
        for kind, share in self.shares.items():
            if kind not in DEFAULT_SHARES or not 0 <= share <= 1:
                known = ", ".join(sorted(DEFAULT_SHARES))
                raise InputRefusedError(
                    f"shares.{kind} = {share} is not a share of a known kind",
                    f"0 … 1, and one of {known}",
                )

    @property
    def clean_days(self) -> float:
        """Days at the beginning in which nothing is planned."""
        if self.verified_days is not None:
            return min(self.verified_days, self.days)
        return min(14.0, self.days / 3)


def read_scenario(path: Path, start: Scenario | None = None) -> Scenario:
    """A scenario file over defaults.

    Raises:
        InputRefusedError: not readable, not TOML, an unknown name, a value out of range.
    """
    start = start or Scenario()
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputRefusedError(f"{path}: {error.strerror}", "name a scenario file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputRefusedError(f"{path} is not TOML: {error}", "mend the file") from None
    known = {f.name: getattr(start, f.name) for f in fields(Scenario)}
    changes: dict[str, Any] = {}
    for name, value in told.items():
        if name not in known:
            raise InputRefusedError(f"{path}: unknown name {name!r}", ", ".join(sorted(known)))
        changes[name] = _typed(path, name, value, start)
    return replace(start, **changes)


def _typed(path: Path, name: str, value: Any, start: Scenario) -> Any:
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        if name == "shares" and isinstance(value, dict):
            return {**start.shares, **{kind: float(share) for kind, share in value.items()}}
        if name == "conducts" and isinstance(value, dict):
            return {conduct: float(weight) for conduct, weight in value.items()}
        if name == "holidays" and isinstance(value, list):
            return tuple(v if isinstance(v, date) else date.fromisoformat(v) for v in value)
        if name == "alert_level":
            return AlertLevel(value)
    except (TypeError, ValueError):
        raise InputRefusedError(f"{path}: {name} = {value!r} cannot be used", __name__) from None
    whole = name in {"enterprises", "seed", "interval_s"}
    words = dict.fromkeys(("alert", "plans"), isinstance(value, str))
    fits = {**words, "recent_fault": isinstance(value, bool)}
    if not fits.get(name, isinstance(value, int) and numeric if whole else numeric):
        raise InputRefusedError(f"{path}: {name} = {value!r} has the wrong type", "see --help")
    return value
