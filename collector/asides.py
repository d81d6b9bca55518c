"""What was kept aside of a flood, taken in through the gate of fresh messages."""

from collector.bounds import Calendar
from collector.decode import Delivery, Places, place
from collector.sink import Sink
from wattwitness.domain.errors import StoreRefusesError
from wattwitness.domain.ingest import IngestBatch, IngestOutcome
from wattwitness.domain.rejects import Reject, RejectCode
from wattwitness.store.database import Database
from wattwitness.store.set_aside import Block, oldest_aside, split_aside
from wattwitness.wire.refusals import plain_text
from wattwitness.wire.skimming import skim_message


async def take_aside(
    db: Database, sink: Sink, places: Places, calendar: Calendar
) -> tuple[str, int, IngestOutcome] | None:
    """Take one block in, in the transaction in which it leaves.

    Returns:
        Whose it was, its bytes of payload, and what became of it; None when nothing is left.

    Raises:
        StoreUnavailableError: it stays where it is.
    """
    block = await oldest_aside(db)
    if block is None:
        return None
    try:
        outcome = await sink.write(_placed(block, places, calendar))
    except StoreRefusesError as error:  # look for the cause in halves
        if len(block.aside.messages) > 1:
            await split_aside(db, block)
            return block.aside.gateway_id, 0, IngestOutcome()
        outcome = await sink.write(_refused(block, error))
    return block.aside.gateway_id, block.aside.size, outcome


def _placed(block: Block, places: Places, calendar: Calendar) -> IngestBatch:
    """The size limit was applied when they came."""
    gateway_id = block.aside.gateway_id
    deliveries = [
        Delivery(gateway_id, payload, received_us, skim_message(payload, len(payload)))
        for received_us, payload in block.aside.messages
    ]
    placed = place(deliveries, places, calendar)
    return IngestBatch(
        rows=placed.rows,
        rejects=placed.rejects,
        parked=placed.parked,
        taken_aside=[block.aside_id],
    )


def _refused(block: Block, error: StoreRefusesError) -> IngestBatch:
    ((received_us, payload),) = block.aside.messages
    reject = Reject(
        gateway_id=block.aside.gateway_id,
        code=RejectCode.REFUSED_BY_STORE,
        text=plain_text(error.message),
        payload=payload,
        received_us=received_us,
    )
    return IngestBatch(rejects=[reject], taken_aside=[block.aside_id])
