"""The collectors that are compared: how each is installed, prepared and started."""

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import parse_qs, urlsplit

import asyncpg

from benchmarks.peers import node_red_flow
from benchmarks.peers.judge import PLAIN, Tables
from benchmarks.peers.plan import Plan
from benchmarks.peers.supervised import Launch
from wattwitness import __version__
from wattwitness.domain.errors import SetupError
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade
from wattwitness.store.registry import save_registry

_HERE = Path(__file__).resolve().parent
_INSTALL_S = 400.0
_TABLE = """CREATE TABLE readings (
    circuit text, ts {ts}, p float8, e float8, PRIMARY KEY (circuit, ts))"""


@dataclass(frozen=True, slots=True)
class Where:
    """What a collector works with in one play."""

    mqtt_url: str
    dsn: str
    folder: Path  # its own, empty at the beginning of the play

    @property
    def database(self) -> str:
        """Name of the database."""
        return urlsplit(self.dsn).path.removeprefix("/")

    @property
    def socket_folder(self) -> str:
        """Where the server's socket is."""
        return parse_qs(urlsplit(self.dsn).query)["host"][0]


class Collector(Protocol):
    """One of those that are compared."""

    name: str
    title: str
    tables: Tables

    def install(self, folder: Path, /) -> str:
        """Install it below `folder`; returns its versions.

        Raises:
            SetupError: it does not install.
        """

    async def prepare(self, where: Where, plan: Plan, /) -> Launch:
        """Create its tables; returns how to start it."""


class WattWitness:
    """Ours, with its defaults."""

    name = "wattwitness"
    title = "WattWitness"
    tables = Tables(
        "SELECT c.circuit_id AS circuit, (extract(epoch FROM r.ts) * 1000)::bigint AS ts_ms"
        " FROM readings r JOIN circuits c USING (circuit_key)",
        again="SELECT count(*) FROM revisions",
    )

    def install(self, _folder: Path) -> str:
        """Nothing to do."""
        return f"{__version__}, paho-mqtt {version('paho-mqtt')}, asyncpg {version('asyncpg')}"

    async def prepare(self, where: Where, plan: Plan) -> Launch:
        """Migrate, and register gateways and circuits."""
        async with await Database.open(where.dsn, application="peers") as db:
            await upgrade(db)
            await save_registry(db, _registry(plan))
        return Launch(
            [sys.executable, "-m", "collector"],
            {
                "WATTWITNESS_HOME": str(where.folder),
                "WATTWITNESS_DATABASE_URL": where.dsn,
                "WATTWITNESS_MQTT_URL": where.mqtt_url,
                "PYTHONPATH": str(_HERE.parent.parent),
            },
        )


class AioMqtt:
    """The collector of the tutorials."""

    name = "aiomqtt"
    title = "aiomqtt, the tutorial's loop"
    tables = PLAIN
    options: ClassVar[list[str]] = []

    def install(self, _folder: Path) -> str:
        """It comes with the development environment."""
        try:
            return f"{version('aiomqtt')}, asyncpg {version('asyncpg')}"
        except ImportError as error:
            raise SetupError("aiomqtt is not installed", "install the group dev") from error

    async def prepare(self, where: Where, _plan: Plan) -> Launch:
        """Create the table."""
        await _create(where.dsn, _TABLE.format(ts="timestamptz"))
        program = str(_HERE / "aiomqtt_collector.py")
        return Launch([sys.executable, program, where.mqtt_url, where.dsn, *self.options])


class AioMqttManualAck(AioMqtt):
    """The same with the acknowledgement after the transaction."""

    name = "aiomqtt-manual-ack"
    title = "aiomqtt, acknowledging by hand"
    options: ClassVar[list[str]] = ["--manual-ack"]


class NodeRed:
    """Node-RED with `pg`, the failed inserts tried again."""

    name = "node-red"
    title = "Node-RED, catch and retry"
    tables = PLAIN
    retry: ClassVar[bool] = True

    def __init__(self) -> None:
        self._modules = Path()

    def install(self, folder: Path) -> str:
        """From npm, with the Node.js that this Node-RED asks for."""
        folder = folder / "node-red"  # both flows use the same
        self._modules = folder / "node_modules"
        names = {"node-red": "5", "pg": "8", "node": "22"}
        if not self._modules.exists():
            folder.mkdir(parents=True)
            (folder / "package.json").write_text("{}", encoding="utf-8")
            wanted = [f"{name}@{major}" for name, major in names.items()]
            _run(["npm", "install", "--no-audit", "--no-fund", *wanted], folder)
        found = {
            name: json.loads((self._modules / name / "package.json").read_bytes())["version"]
            for name in (*names, "mqtt")
        }
        return (
            f"{found['node-red']}, mqtt.js {found['mqtt']}, pg {found['pg']},"
            f" Node.js {found['node']}"
        )

    async def prepare(self, where: Where, _plan: Plan) -> Launch:
        """Create the table, write the flow."""
        await _create(where.dsn, _TABLE.format(ts="timestamptz"))
        flow = node_red_flow.flow(
            where.mqtt_url, where.socket_folder, where.database, retry=self.retry
        )
        (where.folder / "flows.json").write_text(json.dumps(flow), encoding="utf-8")
        (where.folder / "settings.js").write_text(node_red_flow.SETTINGS, encoding="utf-8")
        (where.folder / "package.json").write_text(
            json.dumps({"name": "flow", "version": "1.0.0", "dependencies": {"pg": "8"}}),
            encoding="utf-8",
        )
        (where.folder / "node_modules").symlink_to(self._modules)
        node, program = self._modules / ".bin" / "node", self._modules / "node-red" / "red.js"
        return Launch([str(node), str(program), "--userDir", str(where.folder)])


class NodeRedPlain(NodeRed):
    """The same without the second try."""

    name = "node-red-plain"
    title = "Node-RED, plain flow"
    retry: ClassVar[bool] = False


class Pathway:
    """Pathway with its own connectors."""

    name = "pathway"
    title = "Pathway, with persistence"
    tables = Tables("SELECT circuit, ts AS ts_ms FROM readings")

    def __init__(self) -> None:
        self._python = Path()

    def install(self, folder: Path) -> str:
        """From PyPI, into an environment of its own."""
        folder = folder / "pathway"
        self._python = folder / "bin" / "python"
        if not self._python.exists():
            _run([sys.executable, "-m", "venv", str(folder)], folder.parent)
            _run([str(self._python), "-m", "pip", "install", "--quiet", "pathway"], folder)
        ask = "import importlib.metadata as m; print(m.version('pathway'))"
        return _run([str(self._python), "-c", ask], folder).strip()

    async def prepare(self, where: Where, _plan: Plan) -> Launch:
        """Create the table."""
        await _create(where.dsn, _TABLE.format(ts="bigint"))
        program = str(_HERE / "pathway_collector.py")
        state = str(where.folder / "state")
        return Launch(
            [str(self._python), program, where.mqtt_url, where.socket_folder, where.database, state]
        )


_KINDS: tuple[type[Collector], ...] = (
    WattWitness,
    AioMqtt,
    AioMqttManualAck,
    NodeRedPlain,
    NodeRed,
    Pathway,
)
ALL = {kind.name: kind for kind in _KINDS}


def _registry(plan: Plan) -> Registry:
    circuits = plan.circuits()
    gateways = {gateway for gateway, _ in circuits}
    return Registry(
        enterprises={"PE": Enterprise(enterprise_id="PE", name="Peers")},
        gateways={g: Gateway(gateway_id=g, enterprise_id="PE") for g in sorted(gateways)},
        circuits={
            c: Circuit(circuit_id=c, gateway_id=g, channel=c, role=Role.PRODUCTION)
            for g, c in circuits
        },
    )


async def _create(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _run(arguments: list[str], folder: Path) -> str:
    """Run an installer; returns what it printed.

    Raises:
        SetupError: it is not there, failed or took too long; with its last line.
    """
    try:
        done = subprocess.run(
            arguments, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{arguments[0]}: {error}") from error
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise SetupError(f"{arguments[0]} failed: {said[-1][:200] if said else 'no message'}")
    return done.stdout
