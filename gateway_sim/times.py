"""From options to a city: which scenario, and when its history begins."""

import json
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway_sim.answer_key import FILE_NAME
from gateway_sim.city import City, build_city
from gateway_sim.scenario import Scenario, read_scenario
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import parse_instant
from wattwitness.domain.registry import AlertLevel

SHOWN = Scenario(alert="open", recent_fault=True, live_fault_after_min=5, live_days=2)
"""What the command line shows by default: a city in which something is going on."""

YEARS = 1971, 2099
"""A history lies between the beginnings of these years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CityOptions:
    """What the command line says about the city; None = not said."""

    enterprises: int | None = None
    seed: int | None = None
    scenario: Path | None = None
    from_: datetime | None = None
    days: float | None = None
    until: datetime | None = None
    folder: Path | None = None  # of an earlier --history: the same city again


def chosen_city(options: CityOptions, now: datetime, zone: ZoneInfo) -> City:
    """The city that the options ask for; its history ends `now` unless they say otherwise.

    Raises:
        InputRefusedError: options that contradict each other, a file that cannot be used.
    """
    if options.folder is not None:
        _check_alone(options)
        return build_city(*_written(options.folder), zone)
    scenario = SHOWN
    if options.scenario is not None:
        scenario = read_scenario(options.scenario, scenario)
    return build_city(*_over(scenario, options, now), zone)


def check_options(options: CityOptions, now: datetime, live_from: datetime | None) -> None:
    """Check what the command line says by itself, before any file is opened.

    Raises:
        InputRefusedError: options out of range, or that contradict each other.
    """
    if options.folder is not None:
        _check_alone(options)
        return
    _, begins = _over(SHOWN, options, now)
    if options.scenario is not None or live_from is None:
        return  # a scenario file may have a history of another length
    if live_from < begins - timedelta(minutes=15):
        raise InputRefusedError(
            "--live-from lies before the city's history", "name a later instant"
        )


def _check_alone(options: CityOptions) -> None:
    if replace(options, folder=None) != CityOptions():
        raise InputRefusedError("--city says everything about the city", "leave out the rest")


def _over(scenario: Scenario, options: CityOptions, now: datetime) -> tuple[Scenario, datetime]:
    """The scenario with what the options say of it, and the start of its history."""
    days = scenario.days if options.days is None else options.days
    changes: dict[str, Any] = {"days": days}
    for name in ("enterprises", "seed"):
        if getattr(options, name) is not None:
            changes[name] = getattr(options, name)
    scenario = replace(scenario, **changes)  # refuses what is out of range
    try:
        begins, days = _span(options, days, now)
        years = begins.year, (begins + timedelta(days=days)).year
    except OverflowError:
        years = 0, 0
    if not YEARS[0] <= years[0] <= years[1] < YEARS[1]:
        raise InputRefusedError(
            f"the history does not lie between {YEARS[0]} and {YEARS[1]}", "choose another time"
        )
    return replace(scenario, days=days), begins


def _span(options: CityOptions, days: float, now: datetime) -> tuple[datetime, float]:
    """(start, length in days) of the history."""
    if options.from_ is None:
        end = now if options.until is None else options.until
        return end - timedelta(days=days), days
    begins = options.from_
    if options.until is None:
        return begins, days
    if options.days is not None:
        raise InputRefusedError("--from, --until and --days are one too many", "leave one out")
    length = options.until - begins
    if length <= timedelta(0):
        raise InputRefusedError("--until is not after --from", "exchange them")
    return begins, length / timedelta(days=1)


def _written(folder: Path) -> tuple[Scenario, datetime]:
    """The scenario and start that a --history folder was made from."""
    path = folder / FILE_NAME
    try:
        key = json.loads(path.read_text(encoding="utf-8"))
        told: dict[str, Any] = {f.name: key["scenario"][f.name] for f in fields(Scenario)}
        told["alert_level"] = AlertLevel(told["alert_level"])
        told["holidays"] = tuple(date.fromisoformat(day) for day in told["holidays"])
        return Scenario(**told), parse_instant(key["from"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputRefusedError(
            f"{path} is no answer key of a simulated city: {error}",
            "name a folder that --history has written",
        ) from None
