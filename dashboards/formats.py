"""How times, spans, ages and numbers are written on pages, in one zone and one language."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal, format_percent

from dashboards.i18n import Language
from wattwitness.domain.instants import from_us

NOTHING = "–"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Formats:
    """Formats of one language in the zone of the installation."""

    zone: ZoneInfo
    language: Language

    def when(self, instant: datetime | int | None) -> str:
        """`2026-11-22 12:00` in local time; an int is µs."""
        if instant is None:
            return NOTHING
        moment = from_us(instant) if isinstance(instant, int) else instant
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def day(self, day: date) -> str:
        """`2026-11-22`."""
        return day.isoformat()

    def span(self, start: datetime, end: datetime) -> str:
        """From–to without repeating the day (or year) that both share."""
        first, last = start.astimezone(self.zone), end.astimezone(self.zone)
        if first.date() == last.date():
            return f"{first:%Y-%m-%d %H:%M}–{last:%H:%M}"
        if first.year == last.year:
            return f"{first:%Y-%m-%d %H:%M} – {last:%m-%d %H:%M}"
        return f"{first:%Y-%m-%d %H:%M} – {last:%Y-%m-%d %H:%M}"

    def duration(self, length: timedelta | float) -> str:
        """`3 d 4 h`, `2 h 15 min`, `40 min`, `12 s`; a number is seconds."""
        _ = self.language.gettext
        total = int(length.total_seconds() if isinstance(length, timedelta) else length)
        if total < _MINUTE:
            return _("%(n)s s") % {"n": total}
        days, rest = divmod(total, _DAY)
        hours, rest = divmod(rest, _HOUR)
        minutes = rest // _MINUTE
        parts = []
        if days:
            parts.append(_("%(n)s d") % {"n": days})
        if hours:
            parts.append(_("%(n)s h") % {"n": hours})
        if minutes and not days:
            parts.append(_("%(n)s min") % {"n": minutes})
        return " ".join(parts)

    def age(self, then_us: int | None, now_us: int) -> str:
        """How long ago; a dash when never."""
        if then_us is None:
            return NOTHING
        seconds = max(0, (now_us - then_us) // 1_000_000)
        ago: str = self.language.gettext("%(age)s ago") % {"age": self.duration(float(seconds))}
        return ago

    def number(self, value: float | None, digits: int = 0, *, fixed: bool = False) -> str:
        """A number with grouping and at most (or exactly) `digits` decimals; a dash for none."""
        if value is None or value != value:  # noqa: PLR0124 - NaN
            return NOTHING
        pattern = "#,##0" + ("." + ("0" if fixed else "#") * digits if digits else "")
        return format_decimal(value, format=pattern, locale=self.language.locale)

    def percent(self, share: float | None, digits: int = 1) -> str:
        """A share as a percentage; a dash when there is none."""
        if share is None or share != share:  # noqa: PLR0124 - NaN
            return NOTHING
        pattern = "#,##0." + "0" * digits + "%" if digits else "#,##0%"
        return format_percent(share, format=pattern, locale=self.language.locale)
