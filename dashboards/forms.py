"""Forms that a page posts, without a script: fields, local times, who and why."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeVar
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.requests import Request

from dashboards.desk import Desk
from dashboards.guard import check_loopback
from dashboards.i18n import chosen
from dashboards.words import refusal
from wattwitness.domain.alerts import Signature
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import from_us

_MOST_BYTES: Final = 256 * 1024
_Word = TypeVar("_Word", bound=StrEnum)
_Done = TypeVar("_Done")


@dataclass(frozen=True, slots=True)
class Form:
    """What was filled in; every field may be missing."""

    fields: Mapping[str, list[str]] = field(default_factory=dict)

    def one(self, name: str) -> str:
        """A field, without white space around it; empty = not filled in."""
        return self.fields.get(name, [""])[0].replace("\0", "").strip()

    def many(self, name: str) -> list[str]:
        """All values of a field that may be ticked several times."""
        return [value.replace("\0", "") for value in self.fields.get(name, [])]

    def word(self, name: str, kind: type[_Word]) -> _Word:
        """One of the words of an enumeration.

        Raises:
            InputRefusedError: none of them.
        """
        try:
            return kind(self.one(name))
        except ValueError:
            raise InputRefusedError(f"no {name}") from None

    def time(self, name: str, zone: ZoneInfo) -> datetime | None:
        """A local time of the installation as an instant; None = not filled in.

        Raises:
            InputRefusedError: not a time.
        """
        text = self.one(name)
        if not text:
            return None
        try:
            return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
        except (ValueError, OverflowError):
            raise InputRefusedError("no time") from None

    def wanted_time(self, name: str, zone: ZoneInfo) -> datetime:
        """Likewise, and it has to be there."""
        found = self.time(name, zone)
        if found is None:
            raise InputRefusedError("no time")
        return found

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number within bounds; None = not filled in.

        Raises:
            InputRefusedError: none, or out of bounds.
        """
        text = self.one(name)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            raise InputRefusedError("no number") from None
        if not low <= value <= high:  # NaN is not, either
            raise InputRefusedError("no number")
        return value

    def signature(self, now: datetime) -> Signature:
        """Who does it and why.

        Raises:
            InputRefusedError: one of them is missing.
        """
        for name in ("reason", "actor"):
            if not self.one(name):
                raise InputRefusedError(f"no {name}")
        return Signature(actor=self.one("actor")[:100], reason=self.one("reason")[:2000], at=now)


NOTHING_FILLED_IN: Final = Form()
Act = Callable[[Desk, str, Form, Signature], Awaitable[_Done]]
"""What a form does: to the alert or enterprise of an id, as somebody signed it."""


async def read_form(request: Request) -> Form:
    """The fields of a posted form (application/x-www-form-urlencoded).

    Raises:
        HTTPException: 422, it is too long or no text.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise HTTPException(422, "the form is too long")
    try:
        return Form(parse_qs(body.decode(), keep_blank_values=True, max_num_fields=2000))
    except ValueError:
        raise HTTPException(422, "this is not a form") from None


async def acted(
    request: Request, desk: Desk, act: Act[_Done], subject: str
) -> tuple[Form, _Done | None, str]:
    """Do what a posted form asks, from this machine only.

    Returns:
        The form, what came of it, and why it was refused, in the language of the page.
    """
    check_loopback(request)
    form = await read_form(request)
    try:
        return form, await act(desk, subject, form, form.signature(from_us(desk.now_us()))), ""
    except InputRefusedError as refused:
        return form, None, refusal(desk.languages[chosen(request)], refused)
