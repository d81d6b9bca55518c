"""Pathway from MQTT to PostgreSQL; runs in an environment of its own.

    python pathway_collector.py MQTT_URL POSTGRES_SOCKET_FOLDER DATABASE STATE_FOLDER

Set as Pathway's documentation of `pw.io.mqtt.read` asks for: persistence, QoS 1, a stable client
id (then it acknowledges after its checkpoint), and a table keyed by what identifies a reading.
"""

import sys
from typing import Any

import pathway as pw  # type: ignore[import-not-found]


class Message(pw.Schema):  # type: ignore[misc]
    """What is looked at in a message."""

    readings: pw.Json


def main(mqtt_url: str, socket_folder: str, database: str, state_folder: str) -> None:
    """Collect until something fails."""
    messages = pw.io.mqtt.read(
        f"{mqtt_url}/?client_id=pathway-collector",
        "wattwitness/v1/+/readings",
        qos=1,
        schema=Message,
        format="json",
        name="readings",
    )
    reading: Any = messages.flatten(pw.this.readings)
    rows = reading.select(
        circuit=pw.this.readings["ch"].as_str(unwrap=True),
        ts=pw.this.readings["ts"].as_int(unwrap=True),
        p=pw.this.readings["p"].as_float(),
        e=pw.this.readings["e"].as_float(),
    )
    pw.io.postgres.write(
        rows,
        {"host": socket_folder, "user": "postgres", "dbname": database},
        "readings",
        output_table_type="snapshot",
        primary_key=[rows.circuit, rows.ts],
    )
    backend = pw.persistence.Backend.filesystem(state_folder)
    pw.run(
        persistence_config=pw.persistence.Config(backend),
        monitoring_level=pw.MonitoringLevel.NONE,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
