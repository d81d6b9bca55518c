"""The Node-RED flow: MQTT in → insert, and for those that fail: catch → wait → insert again.

The retry is the one of Node-RED's own cookbook ("Automatically retry an action after an error").
The insert is a function node with the module `pg` and its pool, as the documentation of both shows.
"""

from typing import Any
from urllib.parse import urlsplit

SETTINGS = """module.exports = {
    flowFile: "flows.json", credentialSecret: false, httpAdminRoot: false, httpNodeRoot: false,
    uiHost: "127.0.0.1", uiPort: 0, functionExternalModules: true,
    externalModules: { autoInstall: false }, telemetry: { enabled: false },
    logging: { console: { level: "warn" } },
};
"""
_OPEN = """const pool = new pg.Pool(%s);
pool.on("error", (error) => node.warn(error.message));
context.set("pool", pool);"""
_INSERT = """const rows = msg.payload.readings;
context.get("pool").query(
    `INSERT INTO readings (circuit, ts, p, e)
     SELECT c, to_timestamp(t / 1000.0), p, e
     FROM unnest($1::text[], $2::bigint[], $3::float8[], $4::float8[]) AS r (c, t, p, e)
     ON CONFLICT DO NOTHING`,
    [rows.map(r => r.ch), rows.map(r => r.ts), rows.map(r => r.p), rows.map(r => r.e)],
).then(() => node.done(), (error) => node.error(error.message, msg));"""
_RETRY_S = "1"


def flow(mqtt_url: str, socket_folder: str, database: str, *, retry: bool) -> list[dict[str, Any]]:
    """The flow as Node-RED keeps it in its file."""
    broker = urlsplit(mqtt_url)
    pool = f'{{ host: "{socket_folder}", user: "postgres", database: "{database}", max: 10 }}'
    nodes: list[dict[str, Any]] = [
        {"id": "tab", "type": "tab", "label": "readings"},
        {
            "id": "broker",
            "type": "mqtt-broker",
            "broker": broker.hostname,
            "port": str(broker.port),
            "clientid": "node-red-collector",
            "autoConnect": True,
            "usetls": False,
            "protocolVersion": "5",
            "keepalive": "60",
            "cleansession": False,
            "autoUnsubscribe": False,  # else it ends its subscription when it stops
            "sessionExpiry": "604800",
        },
        {
            "id": "in",
            "type": "mqtt in",
            "z": "tab",
            "topic": "wattwitness/v1/+/readings",
            "qos": "1",
            "datatype": "json",
            "broker": "broker",
            "wires": [["insert"]],
        },
        {
            "id": "insert",
            "type": "function",
            "z": "tab",
            "func": _INSERT,
            "initialize": _OPEN % pool,
            "finalize": 'return context.get("pool").end();',
            "libs": [{"var": "pg", "module": "pg"}],
            "outputs": 0,
            "wires": [],
        },
    ]
    if retry:
        nodes += [
            {"id": "catch", "type": "catch", "z": "tab", "scope": ["insert"], "wires": [["wait"]]},
            {
                "id": "wait",
                "type": "delay",
                "z": "tab",
                "pauseType": "delay",
                "timeout": _RETRY_S,
                "timeoutUnits": "seconds",
                "wires": [["insert"]],
            },
        ]
    for node in nodes:
        if "wires" in node:  # what has no place in the editor is taken for configuration
            node |= {"x": 100, "y": 100}
    return nodes
