"""The assessment of an alert as a PDF of one page, with a Chinese font of the system."""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

import typst

from wattwitness.domain.assessment import Assessment
from wattwitness.domain.errors import SetupError
from wattwitness.files.assessment_paper import Paper

CHINESE = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN",
    "Microsoft YaHei", "PingFang SC", "Hiragino Sans GB", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "SimHei", "DengXian", "Droid Sans Fallback", "Noto Serif CJK SC",
    "SimSun", "AR PL UMing CN",
)  # fmt: skip
"""Families that have the characters, the ones that read best in small print first."""


def font_folders() -> list[Path]:
    """Where systems keep their fonts; those that exist."""
    home = Path.home()
    places = {
        "win32": [Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts"],
        "darwin": [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"],
    }
    shared = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts")]
    own = [home / ".local/share/fonts", home / ".fonts"]
    return [p for p in places.get(sys.platform, shared + own) if p.is_dir()]


@cache
def _fonts(folders: tuple[Path, ...]) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[str(p) for p in folders])


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def _needs_chinese(texts: Iterable[str]) -> bool:
    return any("\u2e80" <= mark <= "\uffee" for text in texts for mark in text)


def assessment_pdf(it: Assessment, paper: Paper, folders: Iterable[Path] | None = None) -> bytes:
    """The page; the same assessment and fonts give the same bytes.

    Args:
        it: for the time that the file bears.
        paper: its text.
        folders: with fonts; None = those of the system.

    Raises:
        SetupError: no font there has the Chinese characters that the page needs.
    """
    fonts = _fonts(tuple(font_folders() if folders is None else folders))
    known = set(fonts.families())
    chinese = [family for family in CHINESE if family in known][:1]
    document = asdict(paper)
    if not chinese and _needs_chinese(_texts(document)):
        raise SetupError(
            "no font with Chinese characters is installed, the PDF would show empty boxes",
            "install Noto Sans CJK (Debian, Ubuntu: apt-get install fonts-noto-cjk),"
            " or take the .xlsx",
        )
    document["fonts"] = [*chinese, "Libertinus Serif"]
    made: datetime = it.as_of or it.alert.issued_at
    compiler = typst.Compiler(
        (files("wattwitness.files") / "assessment.typ").read_bytes(),
        font_paths=fonts,
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(document, ensure_ascii=False)},
    )
    found = compiler.compile(format="pdf", timestamp=made.astimezone(UTC))
    if not isinstance(found, bytes):
        raise TypeError("a PDF is one file")
    return found
