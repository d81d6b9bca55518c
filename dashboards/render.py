"""Pages out of contexts: one dataclass per page, one Jinja2 environment per language.

What a template may use is the fields of its context, `frame`, and the few globals given here;
docs/pages.md lists the fields, and a test compares all three.
"""

from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from functools import cache, partial
from typing import Annotated, Any, ClassVar, get_type_hints
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from dashboards.assets import asset
from dashboards.desk import desk_of
from dashboards.formats import Formats
from dashboards.i18n import CODES, COOKIE, Language, chosen
from dashboards.words import N_, word, words_of

_YEAR_S = 365 * 86_400
_SENTENCES = {
    400: N_("This request cannot be understood."),
    404: N_("There is nothing at this address."),
    405: N_("This address does not take that kind of request."),
    422: N_("A part of this address is not valid."),
    500: N_("Something broke on our side. It has been logged."),
    503: N_("The database cannot be reached right now. The page tries again by itself."),
}


@dataclass(frozen=True, kw_only=True)
class PageContext:
    """Base of all contexts; a subclass names its template and annotates each field with its doc."""

    template: ClassVar[str]

    @classmethod
    def documented(cls) -> dict[str, str]:
        """Field → what it is, as its annotation says."""
        hints = get_type_hints(cls, include_extras=True)
        return {f.name: str(hints[f.name].__metadata__[0]) for f in fields(cls)}

    def values(self) -> dict[str, Any]:
        """Field → value, not copied."""
        names: tuple[Field[Any], ...] = fields(self)
        return {f.name: getattr(self, f.name) for f in names}


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What stands around every page."""

    page: str  # which entry of the navigation is lit
    other: Language  # the language to switch to
    switch_url: str  # this page in the other language
    now_us: int
    alert_open: bool  # then the board comes first


@cache
def environment(language: Language, zone: ZoneInfo) -> Environment:
    """Templates in one language."""
    found = Environment(
        loader=PackageLoader("dashboards"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.install_gettext_callables(  # type: ignore[attr-defined]
        language.gettext, language.ngettext, newstyle=True
    )
    found.globals.update(
        asset=asset,
        fmt=Formats(zone, language),
        language=language,
        word=partial(word, language),
        words_of=partial(words_of, language),
    )
    return found


def _switch_url(request: Request, code: str) -> str:
    kept = [(k, v) for k, v in request.query_params.multi_items() if k != "lang"]
    return f"{request.url.path}?{urlencode([*kept, ('lang', code)])}"


def _respond(
    request: Request, template: str, values: Mapping[str, Any], page: str, status: int
) -> Response:
    desk = desk_of(request)
    code = chosen(request)
    other = next(c for c in CODES if c != code)
    frame = Frame(
        page=page,
        other=desk.languages[other],
        switch_url=_switch_url(request, other),
        now_us=desk.now_us(),
        alert_open=desk.alert_is_open(),
    )
    found = environment(desk.languages[code], desk.zone).get_template(template)
    response = HTMLResponse(found.render(frame=frame, **values), status)
    response.headers["content-language"] = desk.languages[code].html
    response.headers["vary"] = "Accept-Language, Cookie"
    if request.query_params.get("lang") == code:
        response.set_cookie(COOKIE, code, max_age=_YEAR_S, samesite="lax")
    return response


def render(request: Request, page: str, context: PageContext, status: int = 200) -> Response:
    """A page from its context, in the language of the request."""
    return _respond(request, context.template, context.values(), page, status)


@dataclass(frozen=True, kw_only=True)
class ErrorPage(PageContext):
    """A refusal, for people: first in their language, then in the other."""

    template = "error.html"

    status: Annotated[int, "HTTP status."]
    code: Annotated[str, "Code of the refusal, as in the JSON shape."]
    message: Annotated[str, "What the server says, for whoever helps."]
    sentences: Annotated[tuple[str, str], "The refusal in the chosen and in the other language."]


def error_page(
    request: Request, status: int, code: str, message: str, headers: Mapping[str, str] | None
) -> Response:
    """The page of a refusal."""
    desk = desk_of(request)
    first = chosen(request)
    order = [first, *(c for c in CODES if c != first)]
    said = _SENTENCES.get(status, _SENTENCES[500 if status >= 500 else 400])
    ours, theirs = (desk.languages[c].gettext(said) for c in order)
    context = ErrorPage(status=status, code=code, message=message, sentences=(ours, theirs))
    response = _respond(request, context.template, context.values(), "", status)
    response.headers.update(headers or {})
    return response
