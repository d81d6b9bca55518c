"""How far each gateway's messages are committed (written with the ingest, read at a start)."""

from collections.abc import Mapping

from wattwitness.store.database import Database
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements

_LOAD = """
SELECT gateway_id, epoch, seq FROM gateway_epochs ORDER BY touched_at, gateway_id, epoch
"""
_FORGET = """
DELETE FROM gateway_epochs g
USING (SELECT gateway_id, epoch,
              row_number() OVER (PARTITION BY gateway_id ORDER BY touched_at DESC, epoch) AS place
       FROM gateway_epochs) ranked
WHERE g.gateway_id = ranked.gateway_id AND g.epoch = ranked.epoch
  AND (place > $1 OR touched_at < now() - make_interval(days => $2))
"""


async def load_epochs(db: Database) -> dict[tuple[str, str], int]:
    """(gateway_id, epoch) → newest number without a hole before it; last touched, last named."""
    async with db.connection() as connection:
        rows = await connection.fetch(_LOAD)
    return {(row["gateway_id"], row["epoch"]): row["seq"] for row in rows}


async def forget_epochs(db: Database, keep: int, days: int = 90) -> None:
    """Forget epochs that nobody touched for `days`, and all but the newest `keep` of a gateway.

    A gateway that comes back with one of them is asked for what it still has.
    """
    async with db.connection() as connection:
        await connection.execute(_FORGET, keep, days)


async def keep_epochs(connection: Connection, epochs: Mapping[tuple[str, str], int]) -> None:
    """Keep how far epochs are committed (part of an ingest transaction); never backwards."""
    if epochs:
        marks = sorted(epochs.items())
        await connection.execute(
            statements("readings")["keep_epochs"],
            [gateway for (gateway, _), _ in marks],
            [epoch for (_, epoch), _ in marks],
            [seq for _, seq in marks],
        )
