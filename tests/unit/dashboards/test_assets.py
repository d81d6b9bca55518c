"""Nothing is fetched from elsewhere, and what others wrote is what it was."""

import re
from pathlib import Path

import pytest

from dashboards.assets import STATIC, altered_vendored, asset, vendored

DASHBOARDS = STATIC.parent
NAMESPACES = {"http://www.w3.org/2000/svg", "https://github.com/leeoniya/uPlot"}
OURS = [
    *DASHBOARDS.rglob("templates/*"),
    *(p for p in STATIC.rglob("*") if p.suffix in {".js", ".css", ".svg"}),
]


@pytest.mark.parametrize("path", OURS, ids=lambda p: p.name)
def test_no_file_names_a_foreign_host(path: Path):
    text = path.read_text(encoding="utf-8")
    found = set(re.findall(r"(?:https?|wss?):?//[\w./-]+", text))
    assert {f.rstrip("/") for f in found} <= NAMESPACES
    assert not re.search(r"(?:src|href|url\()\s*=?\s*[\"']?//", text)


def test_no_template_has_inline_script_or_style():
    for path in DASHBOARDS.glob("templates/*.html"):
        text = path.read_text(encoding="utf-8")
        for attributes in re.findall(r"<script([^>]*)>", text):
            assert "src=" in attributes or "application/json" in attributes, path
        assert not re.search(r"\sstyle=|<style|\son\w+=\"", text), path


def test_vendored_files_are_as_the_manifest_says():
    assert altered_vendored() == []
    assert any(path.endswith("LICENSE") for path in vendored())


def test_an_altered_vendored_file_is_noticed(tmp_path, monkeypatch):
    manifest = tmp_path / "manifest.json"
    manifest.write_text(
        '{"packages": [{"files": {"a.js": "sha256-00", "gone.js": "sha256-11"}}]}', encoding="utf-8"
    )
    (tmp_path / "a.js").write_text("altered", encoding="utf-8")
    (tmp_path / "new.js").write_text("not recorded", encoding="utf-8")
    monkeypatch.setattr("dashboards.assets.MANIFEST", manifest)
    assert altered_vendored() == ["a.js", "gone.js", "new.js"]


def test_an_address_changes_with_the_content():
    assert re.fullmatch(r"/static/pages\.css\?v=[0-9a-f]{12}", asset("pages.css"))
