"""House rules that no linter knows: module length, drawers, left-overs."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("wattwitness", "collector", "analytics", "gateway_sim", "dashboards", "benchmarks")
LONGEST = 300
DRAWERS = re.compile(r"^(utils?|helpers?|common|misc|base|shared)$")
LEFT_OVERS = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
# module → why it may be longer
REASONS: dict[str, str] = {}


def modules(root: Path) -> list[Path]:
    """Our own Python files below `root`, tests left out."""
    return sorted(file for name in PACKAGES for file in (root / name).rglob("*.py"))


def findings(root: Path) -> list[str]:
    """One line for each broken rule."""
    found = []
    for file in modules(root):
        name = file.relative_to(root).as_posix()
        text = file.read_text(encoding="utf-8")
        lines = text.count("\n")
        if lines > LONGEST and name not in REASONS:
            found.append(f"{name}: {lines} lines; split it, or write its reason into {__file__}")
        if any(DRAWERS.match(part.removesuffix(".py")) for part in name.split("/")):
            found.append(f"{name}: a drawer; a function lives with the concept it serves")
        if LEFT_OVERS.search(text):
            found.append(f"{name}: a left-over ({LEFT_OVERS.pattern})")
    return found


if __name__ == "__main__":
    broken = findings(ROOT)
    print("\n".join(broken), end="\n" if broken else "")
    sys.exit(1 if broken else 0)
