"""Both catalogues hold every sentence, and the right language is chosen."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from starlette.requests import Request

from dashboards.i18n import CODES, chosen, load_languages, preferred
from dashboards.words import WORDS, word
from wattwitness.domain.leads import LeadLevel
from wattwitness.domain.registry import (
    AlertLevel,
    DeclarationReason,
    DeclarationStatus,
    Grade,
    Role,
)
from wattwitness.domain.rejects import RejectCode
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.states import State

ROOT = Path(__file__).resolve().parents[3] / "dashboards"
HOLE = re.compile(r"%\(\w+\)s|%%|\{\w+\}")


@pytest.fixture(scope="module")
def sentences():
    found = extract_from_dir(
        str(ROOT),
        [("**.py", "python"), ("templates/**.html", "jinja2")],
        options_map={"templates/**.html": {"extensions": "jinja2.ext.i18n"}},
    )
    return {message for _, _, message, _, _ in found}


@pytest.mark.parametrize("code", CODES)
def test_a_catalogue_holds_exactly_the_sentences_of_the_code(code, sentences):
    with (ROOT / "locale" / f"{code}.po").open("rb") as source:
        catalogue = read_po(source, locale=code)
    held = {message.id: message for message in catalogue if message.id}
    assert held.keys() == sentences
    for key, message in held.items():
        told = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(told), f"{code}: {key} is not translated"
        assert not message.fuzzy
        wanted = set(HOLE.findall(key if isinstance(key, str) else key[1]))
        assert all(set(HOLE.findall(text)) == wanted for text in told), key


def test_chinese_is_chinese():
    chinese = load_languages()["zh"]
    with (ROOT / "locale" / "zh.po").open("rb") as source:
        same = [m.id for m in read_po(source, locale="zh") if m.id and m.string == m.id]
    assert same == []
    assert chinese.gettext("Leads") == "线索"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9", "en"),
        ("fr, en;q=0.3, zh;q=0.7", "zh"),
        ("en;q=0", None),
        ("de;q=x, *", None),
        ("", None),
    ],
)
def test_accept_language(header, code):
    assert preferred(header) == code


@pytest.mark.parametrize(
    ("query", "headers", "code"),
    [
        ("lang=en", {"cookie": "lang=zh"}, "en"),
        ("lang=xx", {"cookie": "lang=en"}, "en"),
        ("", {"cookie": "lang=xx", "accept-language": "en"}, "en"),
        ("", {}, "zh"),
    ],
)
def test_the_choice_of_a_request(query, headers, code):
    raw = [(k.encode(), v.encode()) for k, v in headers.items()]
    scope = {"type": "http", "query_string": query.encode(), "headers": raw, "path": "/"}
    assert chosen(Request(scope)) == code


@pytest.mark.parametrize(
    ("group", "codes"),
    [
        ("level", LeadLevel),
        ("alert", AlertLevel),
        ("role", Role),
        ("grade", Grade),
        ("declared", DeclarationReason),
        ("declaration_status", DeclarationStatus),
        ("reject", RejectCode),
        ("state", [state.word for state in State]),
    ],
)
def test_every_code_of_the_domain_has_a_word(group, codes):
    assert set(WORDS[group]) == set(codes)


def test_kinds_speak_both_languages_and_unknown_codes_are_shown():
    languages = load_languages()
    for code, rule in CATALOGUE.items():
        assert word(languages["zh"], "kind", code) == rule.zh
        assert word(languages["en"], "kind", code) == rule.en
    assert word(languages["zh"], "why", "some_new_code") == "some new code"
