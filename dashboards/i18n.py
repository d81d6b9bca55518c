"""Two languages: catalogues read from `locale/*.po` at start, and the choice for one request.

Message ids are the English sentences. A sentence belongs to the code or template that shows it;
`pybabel extract` collects them (docs/pages.md tells how), a test holds catalogue and code together.
"""

import gettext
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from starlette.requests import Request

CATALOGUES = files("dashboards") / "locale"
CODES = ("zh", "en")
DEFAULT = "zh"
COOKIE = "lang"
_HTML = {"zh": "zh-CN", "en": "en"}
_NAMES = {"zh": "中文", "en": "English"}


@dataclass(frozen=True, slots=True)
class Language:
    """One language with its catalogue."""

    code: str
    messages: gettext.NullTranslations
    locale: Locale

    @property
    def html(self) -> str:
        """The value of the `lang` attribute."""
        return _HTML[self.code]

    @property
    def name(self) -> str:
        """Its own name for itself."""
        return _NAMES[self.code]

    def gettext(self, message: str) -> str:
        """The sentence in this language."""
        return self.messages.gettext(message)

    def ngettext(self, one: str, many: str, n: int) -> str:
        """The sentence for `n` things in this language."""
        return self.messages.ngettext(one, many, n)


def load_language(code: str) -> Language:
    """Compile one committed catalogue in memory."""
    with (CATALOGUES / f"{code}.po").open("rb") as source:
        catalogue = read_po(source, locale=code)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Language(code, gettext.GNUTranslations(compiled), Locale.parse(code))


def load_languages() -> Mapping[str, Language]:
    """All languages, by code."""
    return {code: load_language(code) for code in CODES}


def preferred(accept_language: str) -> str | None:
    """The best of our languages in an Accept-Language header; None when it names none."""
    weighted: list[tuple[float, str]] = []
    for item in accept_language.split(","):
        tag, _, parameter = item.strip().partition(";")
        quality = parameter.strip().removeprefix("q=") or "1"
        try:
            weight = float(quality)
        except ValueError:
            continue
        code = tag.strip().lower().split("-")[0]
        if code in CODES and weight > 0:
            weighted.append((-weight, code))
    return min(weighted)[1] if weighted else None


def chosen(request: Request) -> str:
    """The language of a request: `?lang=`, else the cookie, else Accept-Language, else Chinese."""
    for wish in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if wish in CODES:
            return wish
    return preferred(request.headers.get("accept-language", "")) or DEFAULT
