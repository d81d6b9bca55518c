"""What open boards showed, beside what was committed and what the store says in the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.board.boards import Seen
from benchmarks.board.live import Committed
from wattwitness.domain.instants import parse_instant, to_us
from wattwitness.domain.verdicts import Verdict

SAME_KW = 0.06
"""Rows are rounded to 0.1 kW."""


@dataclass(frozen=True)
class Shown:
    """How long rows took to the boards."""

    delays_s: NDArray[np.float64]  # commit → changed row, of every board, enterprise and minute
    lost: int  # readings after which a board's row did not move on at all

    def percentile_s(self, share: float) -> float:
        """Delay that `share` per cent keep below."""
        return float(np.percentile(self.delays_s, share)) if len(self.delays_s) else float("nan")


def shown(committed: Committed, boards: Sequence[Seen]) -> Shown:
    """First row after each commit that was judged with data up to it."""
    delays: list[float] = []
    lost = 0
    wanted: dict[str, list[tuple[int, tuple[float, float]]]] = {}
    for (enterprise, ts), span_s in committed.at_s.items():
        wanted.setdefault(enterprise, []).append((ts, span_s))
    for board in boards:
        heard: dict[str, list[tuple[int, float]]] = {}
        for enterprise, as_of, at_s in board.heard:
            heard.setdefault(enterprise, []).append((to_us(parse_instant(as_of)), at_s))
        for enterprise, commits in wanted.items():
            rows = heard.get(enterprise, [])
            for ts, (begin_s, done_s) in commits:
                # a row may be shown before the writer has heard that its commit is done
                first = next((t for us, t in rows if t >= begin_s and us >= ts), None)
                if first is None:
                    lost += 1
                else:
                    delays.append(max(0.0, first - done_s))
    return Shown(np.array(delays), lost)


def wrong_rows(boards: Sequence[Seen], stored: Sequence[Verdict]) -> list[str]:
    """Rows of boards that differ from the store, in words."""
    found = []
    truth: Mapping[str, Verdict] = {v.enterprise_id: v for v in stored}
    for number, board in enumerate(boards):
        for enterprise in sorted(truth.keys() | board.rows.keys()):
            verdict, row = truth.get(enterprise), board.rows.get(enterprise)
            if verdict is None or row is None:
                found.append(f"board {number}: {enterprise} is {'extra' if row else 'missing'}")
            elif not _same(verdict, row):
                said = f"shows {row['standing']} {row['as_of']}"
                found.append(f"board {number}: {enterprise} {said}, stored is {verdict.verdict} "
                             f"{verdict.as_of}")  # fmt: skip
    return found


def _same(verdict: Verdict, row: Mapping[str, object]) -> bool:
    if row["as_of"] is None or to_us(parse_instant(str(row["as_of"]))) != to_us(verdict.as_of):
        return False
    if row["standing"] not in {verdict.verdict.value, "in_grace"}:
        return False
    for name in ("now_kw", "baseline_kw", "required_kw"):
        mine, its = getattr(verdict, name), row[name]
        if (mine is None) != (its is None):
            return False
        if mine is not None and abs(mine - float(str(its))) > SAME_KW:
            return False
    return True
