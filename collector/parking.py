"""What was parked, taken in once the registry knows its gateway and channel."""

from collections.abc import Sequence

from collector.bounds import Calendar
from collector.decode import Delivery, Placed, Places, place
from collector.sink import Sink
from wattwitness.domain.errors import StoreRefusesError
from wattwitness.domain.ingest import IngestBatch, IngestOutcome
from wattwitness.domain.rejects import Parked, Reject, RejectCode
from wattwitness.store.database import Database
from wattwitness.store.parked import load_parked
from wattwitness.wire.payload import decode_message
from wattwitness.wire.refusals import plain_text


def knows(places: Places, item: Parked) -> bool:
    """Whether a parked item has a place now."""
    channels = places.by_gateway.get(item.gateway_id)
    return channels is not None and (item.channel is None or item.channel in channels)


def place_parked(items: Sequence[Parked], places: Places, calendar: Calendar) -> Placed:
    """Parked items through the same gate as fresh messages, with their own receipt times.

    The size limit was applied when they came.
    """
    return place(
        [
            Delivery(
                item.gateway_id,
                item.payload,
                item.received_us,
                decode_message(item.payload, len(item.payload)),
            )
            for item in items
        ],
        places,
        calendar,
    )


async def take_in(
    db: Database, sink: Sink, places: Places, calendar: Calendar
) -> IngestOutcome | None:
    """Move one slice of what has a place now from the parking into the sink.

    It leaves the parking in the transaction that stores its readings.

    Returns:
        What became of the slice; None when nothing was left that has a place.

    Raises:
        StoreUnavailableError: the slice stays parked.
    """
    found = [(n, item) for n, item in await load_parked(db) if knows(places, item)]
    if not found:
        return None
    while True:
        placed = place_parked([item for _, item in found], places, calendar)
        batch = IngestBatch(
            rows=placed.rows,
            rejects=placed.rejects,
            parked=placed.parked,
            taken_parked=[n for n, _ in found],
        )
        try:
            return await sink.write(batch)
        except StoreRefusesError as error:  # look for the cause in the first half
            if len(found) == 1:
                return await sink.write(_aside(*found[0], error))
            found = found[: len(found) // 2]


def _aside(number: int, item: Parked, error: StoreRefusesError) -> IngestBatch:
    """A parked item that the store refuses, kept whole among the rejects."""
    reject = Reject(
        gateway_id=item.gateway_id,
        code=RejectCode.REFUSED_BY_STORE,
        text=plain_text(error.message),
        payload=item.payload,
        received_us=item.received_us,
        readings=item.readings,
    )
    return IngestBatch(rejects=[reject], taken_parked=[number])
