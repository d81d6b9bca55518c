"""The collector that tutorials show: aiomqtt's messages one by one into asyncpg.

    python aiomqtt_collector.py MQTT_URL DSN [--manual-ack]

It has what the documentation of aiomqtt gives for durability: a stable identifier, a session that
is not clean, QoS 1. With `--manual-ack` it does in addition what users propose in aiomqtt's issue
345: it reaches for the client inside and acknowledges after the transaction.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime
from urllib.parse import urlsplit

import aiomqtt
import asyncpg

INSERT = "INSERT INTO readings (circuit, ts, p, e) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"


def rows_of(payload: bytes) -> list[tuple[str, datetime, float, float]]:
    """The rows of one message."""
    return [
        (r["ch"], datetime.fromtimestamp(r["ts"] / 1000, UTC), r["p"], r["e"])
        for r in json.loads(payload)["readings"]
    ]


async def main(mqtt_url: str, dsn: str, *, manual_ack: bool) -> None:
    """Collect until something fails."""
    broker = urlsplit(mqtt_url)
    database = await asyncpg.connect(dsn)
    client = aiomqtt.Client(
        broker.hostname or "localhost",
        broker.port or 1883,
        identifier="aiomqtt-collector",
        clean_session=False,
        timeout=60,  # the SUBACK comes behind the backlog; the default gives up after 10 s
    )
    if manual_ack:
        client._client.manual_ack_set(True)  # noqa: SLF001 - there is no public way
    async with client:
        await client.subscribe("wattwitness/v1/+/readings", qos=1)
        async for message in client.messages:
            if isinstance(message.payload, bytes):
                await database.executemany(INSERT, rows_of(message.payload))
            if manual_ack:
                client._client.ack(message.mid, message.qos)  # noqa: SLF001


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], manual_ack="--manual-ack" in sys.argv))
