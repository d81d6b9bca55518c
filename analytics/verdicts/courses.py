"""Late courses: what is said of each minute of an alert by all that came since.

The verdict at a minute rests on the minutes before it. So half an hour that was judged holds until
something before its end is other than it was; a digest tells. While an alert runs, each minute is
judged once; late data have the minutes since theirs judged again.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analytics.baselines.frozen import FrozenBaseline
from analytics.calibration import Calibration
from analytics.verdicts.conduct import Conduct
from analytics.verdicts.judging import Case
from analytics.verdicts.orders import Plan
from wattwitness.domain.courses import PIECE_US, Moment, Piece
from wattwitness.domain.facts import BLOCKS
from wattwitness.domain.instants import US_PER_HOUR, US_PER_MINUTE, to_us
from wattwitness.domain.rules import RULE_VERSION

AHEAD_US: Final = US_PER_HOUR  # of the response, what will be judged is told


def _minute_of(us: int) -> int:
    """The whole minute at or after an instant [µs]."""
    return -(-us // US_PER_MINUTE) * US_PER_MINUTE


def course_span(plan: Plan, reach_us: int) -> tuple[int, int]:
    """First and last minute of a course [µs]; nothing is judged if the last comes before the first.

    Args:
        plan: of the enterprise.
        reach_us: how far the data reach.
    """
    first = _minute_of(max(to_us(plan.alert.issued_at), plan.begins_us - AHEAD_US))
    if plan.ends_us <= reach_us:
        return first, max(first, _minute_of(plan.ends_us))
    return first, reach_us // US_PER_MINUTE * US_PER_MINUTE


def _demands(plan: Plan, last_us: int) -> bytes:
    """What a plan demands up to an instant; what ends or turns later does not weigh."""
    soon = last_us + 1
    orders = [
        (o.measure, o.rows, o.unresolved, o.response_us, o.from_us, min(o.to_us, soon))
        for o in plan.orders
        if o.response_us < max(last_us, plan.begins_us + 1)
    ]
    levels = [c for c in plan.alert.changes if to_us(c.response_from) <= last_us]
    return repr((orders, levels, min(plan.ends_us, soon))).encode()


def _ground(case: Case, calibration: Calibration) -> bytes:
    """What every minute rests on, but for its baseline."""
    plan = case.plan
    return repr((
        RULE_VERSION, calibration.version, case.conduct.start_us, plan.alert.level,
        plan.alert.response_from, plan.grade, plan.plant.circuits, plan.declared,
        plan.everything_declared,
    )).encode()  # fmt: skip


def _baseline_digest(baseline: FrozenBaseline) -> bytes:
    digest = hashlib.blake2b(repr(baseline.kinds).encode(), digest_size=16)
    for amounts in (baseline.running_min, baseline.energy_kwh):
        for block in range(BLOCKS + 1):
            digest.update(amounts.at(block).tobytes())
    for values in (
        baseline.ordinals, baseline.runs_known, baseline.energy_known, baseline.peak_kw,
        baseline.floor_kw,
    ):  # fmt: skip
        digest.update(values.tobytes())
    return digest.digest()


def _digests(
    case: Case, first_us: int, last_us: int, calibration: Calibration
) -> Iterator[tuple[int, int, bytes]]:
    """Begin, last minute, and digest of all that it rests on, of each half hour of a course."""
    conduct = case.conduct
    head = _ground(case, calibration) + _baseline_digest(case.baseline)
    digest = hashlib.blake2b(head, digest_size=16)
    place = 0
    for begins_us in range(first_us // PIECE_US * PIECE_US, last_us + 1, PIECE_US):
        until_us = min(last_us, begins_us + PIECE_US - US_PER_MINUTE)
        upto = conduct.place(until_us)
        for values in (conduct.running, conduct.known, conduct.energy_kwh):
            digest.update(values[:, place:upto].tobytes())
        place = upto
        own = digest.copy()
        own.update(_demands(case.plan, until_us) + repr((first_us, until_us)).encode())
        yield begins_us, until_us, own.digest()


def _heard(conduct: Conduct) -> NDArray[np.int64]:
    """The newest minute of which something is known, up to each minute [minutes]; 0 = none [µs]."""
    told = (conduct.known | conduct.energy_told).any(axis=0)
    at = conduct.start_us + np.arange(conduct.minutes, dtype=np.int64) * US_PER_MINUTE
    newest: NDArray[np.int64] = np.maximum.accumulate(np.where(told, at, 0))
    return newest


def late_pieces(
    case: Case, reach_us: int, known: Mapping[int, bytes], calibration: Calibration
) -> tuple[list[int], list[Piece]]:
    """Half hours of a course that hold still (their begins, µs), and those that are judged now.

    Args:
        case: of the enterprise and alert.
        reach_us: how far the data reach.
        known: begin → digest, of the half hours that are kept.
        calibration: what confidence is worth.
    """
    first_us, last_us = course_span(case.plan, reach_us)
    bare, heard = replace(case, notes=()), _heard(case.conduct)  # notes are told of the alert
    kept, pieces = [], []
    for begins_us, until_us, digest in _digests(case, first_us, last_us, calibration):
        if known.get(begins_us) == digest:
            kept.append(begins_us)
            continue
        moments = []
        for minute_us in range(max(first_us, begins_us), until_us + 1, US_PER_MINUTE):
            place = case.conduct.place(minute_us)
            moments.append(
                Moment(
                    minute_us=minute_us,
                    # what comes later, a lift, changes the basis and not what is said
                    verdict=replace(bare.verdict(minute_us, calibration), basis=""),
                    heard_us=int(heard[place - 1]) if place else 0,
                )
            )
        pieces.append(Piece(begins_us=begins_us, rests_on=digest, moments=moments))
    return kept, pieces
