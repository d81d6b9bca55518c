"""Static files: addresses that change with the content, and the manifest of what others wrote."""

import hashlib
import json
from functools import cache
from importlib.resources import files
from pathlib import Path

STATIC = Path(str(files("dashboards") / "static"))
MANIFEST = STATIC / "vendor" / "manifest.json"


@cache
def asset(path: str) -> str:
    """The address of a static file, with a fingerprint so that a new one is never served stale."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]
    return f"/static/{path}?v={digest}"


def vendored() -> dict[str, str]:
    """Path below `vendor/` → `sha256-<hex>` as the manifest records it."""
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return {
        path: digest
        for package in manifest["packages"]
        for path, digest in package["files"].items()
    }


def altered_vendored() -> list[str]:
    """Vendored files that are missing, changed, or not in the manifest."""
    recorded = vendored()
    root = MANIFEST.parent
    found = {
        str(path.relative_to(root)): "sha256-" + hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path != MANIFEST
    }
    return sorted(
        path for path in recorded.keys() | found.keys() if recorded.get(path) != found.get(path)
    )
