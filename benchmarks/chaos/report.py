"""What a run prints at its end."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.chaos.book import Message
from benchmarks.chaos.plan import Fault, per_sort
from benchmarks.chaos.play import Moment, Outcome

_MOST = 20  # damaged messages that are named


def show(outcome: Outcome, plan: Sequence[Fault], not_run: Sequence[str]) -> None:
    """Print the tables; after damage, also where it happened."""
    show_faults(outcome, plan, not_run)
    verdict = outcome.verdict
    print()
    for name, value in asdict(verdict).items():
        print(f"{name.replace('_', ' '):>22} {value:>10,}")
    print(
        f"\n{outcome.messages:,} messages, {outcome.sent_again:,} of them sent again; the longest"
        f" time without any proof was {outcome.longest_silence_s:.0f} s; collector ended by itself"
        f" {len(outcome.ended)} times, exit code at the end {outcome.exit_code}"
    )
    for line in outcome.complaints[:_MOST]:
        print(f"collector log: {line[:300]}")
    for message in outcome.hurt[:_MOST]:
        print(_damage(outcome, message))
    if len(outcome.hurt) > _MOST:
        print(f"… and {len(outcome.hurt) - _MOST} messages more")
    if verdict.is_clean:
        print("nothing lost, nothing doubled, no false proof")
    else:
        print("FAILED" if verdict.damage else "FAILED: outboxes are not empty")


def show_faults(outcome: Outcome, plan: Sequence[Fault], not_run: Sequence[str]) -> None:
    """Print planned and effective faults, sort by sort."""
    planned, effective = per_sort(plan), outcome.effective()
    print(f"\n{'fault':<34} {'planned':>7} {'effective':>9}")
    for name in sorted(planned):
        print(f"{name:<34} {planned[name]:>7} {effective[name]:>9}")
    print(f"{'all':<34} {planned.total():>7} {effective.total():>9}")
    together = sum(fault.together for fault in plan)
    print(f"{together} of them while another one was on")
    for name in not_run:
        print(f"NOT RUN HERE: {name}")


def _damage(outcome: Outcome, message: Message) -> str:
    (book,) = (b for b in outcome.stage.books if b.gateway_id == message.gateway_id)
    told_s = book.told.get(message.n)
    told = "never told" if told_s is None else f"told at {told_s - outcome.start_s:.2f} s"
    until_s = message.made_s if told_s is None else told_s
    near = [_moment(outcome, m) for m in _around(outcome.moments, message.made_s, until_s)]
    return (
        f"damaged: {message.gateway_id} message {message.n} ({book.where(message.n)}), instants"
        f" {message.ts_ms}, made at {message.made_s - outcome.start_s:.2f} s, {told};"
        f" faults around it: {', '.join(near) or 'none'}"
    )


def _around(moments: Sequence[Moment], from_s: float, to_s: float) -> list[Moment]:
    return [m for m in moments if m.from_s <= to_s + 2.0 and m.to_s >= from_s - 2.0]


def _moment(outcome: Outcome, moment: Moment) -> str:
    start_s = outcome.start_s
    return f"{moment.fault.name} {moment.from_s - start_s:.2f} to {moment.to_s - start_s:.2f} s"


def keep_log(folder: Path, path: Path) -> None:
    """Keep the collector's log."""
    path.write_bytes((folder / "collector.log").read_bytes())
