"""Kept rejects judged again: through the same gate as fresh messages, at another time."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from collector.bounds import Calendar
from collector.decode import Delivery, Placed, Places, place
from wattwitness.domain.errors import StoreBusyError, StoreRefusesError
from wattwitness.domain.ingest import IngestBatch, IngestOutcome
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.rejects import Reject
from wattwitness.store.database import Database
from wattwitness.store.readings import write_batch
from wattwitness.store.rejects import RejectFilter, load_rejects, newest_reject
from wattwitness.wire.payload import RefusedMessage, compose_message, decode_message

_Numbered = tuple[int, Reject]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What decides, as it is now."""

    places: Places
    calendar: Calendar
    max_payload_bytes: int
    now_us: int


@dataclass(frozen=True, slots=True)
class Rejudged:
    """How many pieces were judged, how many stay as they are, and what became of the others."""

    judged: int = 0
    left: int = 0
    outcome: IngestOutcome = field(default_factory=IngestOutcome)

    def __add__(self, other: "Rejudged") -> "Rejudged":
        return Rejudged(
            self.judged + other.judged, self.left + other.left, self.outcome + other.outcome
        )


def judge(reject: Reject, gate: Gate) -> Placed | None:
    """What a reject would become now; None = it stays what it is.

    Whether it lies in the future is asked of the clock of now: the one at its receipt may have been
    wrong. It keeps its receipt.
    """
    if reject.gateway_id is None:
        return None  # its topic was refused, and is not kept
    if reject.index is None:
        payload, most = reject.payload, gate.max_payload_bytes
    else:
        payload = compose_message([reject.payload])
        most = len(payload)  # the limit is one of messages
    message = decode_message(payload, most)
    if isinstance(message, RefusedMessage):
        return None
    delivery = Delivery(reject.gateway_id, payload, gate.now_us, message)
    placed = place([delivery], gate.places, gate.calendar)
    if any(again.code is reject.code for again in placed.rejects) and reject.index is not None:
        return None
    rows = placed.rows.copy()
    rows["received_at"] = reject.received_us
    received_us = reject.received_us
    return Placed(
        rows,
        [
            replace(
                r, received_us=received_us, index=r.index if reject.index is None else reject.index
            )
            for r in placed.rejects
        ],
        [replace(p, received_us=received_us) for p in placed.parked],
    )


async def rejudge(db: Database, gate: Gate, chosen: RejectFilter) -> Rejudged:
    """Judge all chosen rejects that are there now, oldest first, a slice a transaction.

    Raises:
        StoreUnavailableError: what was done until then is done; call it again.
    """
    done = Rejudged()
    newest, above = await newest_reject(db), 0  # what is kept anew gets higher numbers
    while found := [(n, r) for n, r in await load_rejects(db, chosen, above) if n <= newest]:
        above = found[-1][0]
        done += await _rejudge_slice(db, gate, found)
    return done


async def _rejudge_slice(db: Database, gate: Gate, found: Sequence[_Numbered]) -> Rejudged:
    judged = [(n, placed) for n, r in found if (placed := judge(r, gate)) is not None]
    done = Rejudged(len(found), len(found) - len(judged))
    waiting = [judged]
    while waiting:
        piece = waiting.pop()
        if not piece:
            continue
        try:
            done += Rejudged(0, 0, await write_batch(db, _batch(piece)))
        except (StoreRefusesError, StoreBusyError):
            # something in it that the store will not have, or somebody else is judging it, too
            if len(piece) == 1:
                done += Rejudged(0, 1)
            else:
                half = len(piece) // 2
                waiting += [piece[half:], piece[:half]]
    return done


def _batch(piece: Sequence[tuple[int, Placed]]) -> IngestBatch:
    return IngestBatch(
        rows=np.concatenate([empty_readings(), *(placed.rows for _, placed in piece)]),
        rejects=[reject for _, placed in piece for reject in placed.rejects],
        parked=[item for _, placed in piece for item in placed.parked],
        taken_rejects=[n for n, _ in piece],
    )
