"""What was measured, as a table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from rich.console import Console
from rich.markdown import Markdown

from benchmarks.peers.plays import Drained, Faulted

_HEAD = (
    "| collector | drain, readings/s | ours = 1 | CPU, µs/reading |"
    " lost, `kill -9` | doubled | lost, database away | doubled |"
)


@dataclass(slots=True)
class Result:
    """What became of one collector; several of each play when it is repeated."""

    name: str
    title: str
    versions: str = ""
    problem: str = ""  # why something is missing
    drains: list[Drained] = field(default_factory=list)
    kills: list[Faulted] = field(default_factory=list)
    outages: list[Faulted] = field(default_factory=list)

    @property
    def rate(self) -> float | None:
        """Readings per second, the median."""
        return median(d.rate for d in self.drains) if self.drains else None


def markdown(results: Sequence[Result], facts: Sequence[str]) -> str:
    """Everything, to be pasted into the documentation."""
    ours = next((r.rate for r in results if r.name == "wattwitness"), None)
    lines = [*facts, "", _HEAD, "|---|" + "--:|" * 7]
    lines += [_row(result, ours) for result in results]
    lines += ["", *(f"- {r.title}: {r.versions}" for r in results if r.versions)]
    lines += [f"- {r.title}: **not measured**, {r.problem}" for r in results if r.problem]
    lines += [f"- {r.title}: {note}" for r in results for note in _notes(r)]
    return "\n".join(lines)


def show(text: str) -> None:
    """The same for a terminal."""
    Console(width=140).print(Markdown(text))


def _row(result: Result, ours: float | None) -> str:
    rate = result.rate
    cells = [
        result.title,
        "-" if rate is None else f"{rate:,.0f}",
        "-" if rate is None or not ours else f"{rate / ours:.2f}",
        f"{median(d.cpu_us for d in result.drains):.1f}" if result.drains else "-",
    ]
    for faults in (result.kills, result.outages):
        cells.append(_each([f.judgement.lost for f in faults]))
        cells.append(_each([f.judgement.duplicated for f in faults]))
    return "| " + " | ".join(cells) + " |"


def _each(counts: Sequence[int]) -> str:
    """Every run's count; one figure would hide how it varies."""
    return " · ".join(f"{n:,}" for n in counts) or "-"


def _notes(result: Result) -> list[str]:
    notes = []
    if any(not d.judgement.is_clean for d in result.drains):
        lost, doubled = (
            _each([getattr(d.judgement, what) for d in result.drains])
            for what in ("lost", "duplicated")
        )
        notes.append(f"backlog: {lost} readings lost, {doubled} doubled")
    if restarts := [d.restarts for d in result.drains if d.restarts]:
        notes.append(f"backlog: ended by itself and was started again, {_each(restarts)} times")
    for what, faults in (("`kill -9`", result.kills), ("database away", result.outages)):
        if restarts := [f.restarts for f in faults if f.restarts]:
            notes.append(f"{what}: ended by itself and was started again, {_each(restarts)} times")
        if any(f.helped for f in faults):
            notes.append(f"{what}: stood still afterwards, until it was killed and started by hand")
        if any(f.judgement.foreign for f in faults):
            notes.append(f"{what}: has readings that nobody published")
    return notes
