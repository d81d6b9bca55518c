"""The server process: a socket of our own, uvicorn on it, one way out."""

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import structlog
import uvicorn

from dashboards.app import create_app
from dashboards.desk import Desk, Draw
from dashboards.guard import LOOPBACK
from wattwitness.domain.errors import SetupError
from wattwitness.runtime.lifecycle import Lifecycle
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade

log = structlog.get_logger()
GRACE_S = 3  # for open streams and requests when told to stop


def address_of(http: str) -> tuple[str, int]:
    """`host:port` in parts; brackets of IPv6 are taken off."""
    host, _, port = http.rpartition(":")
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_exposure(host: str, *, allow_remote: bool) -> None:
    """Refuse to be reachable from elsewhere while there are no accounts.

    Raises:
        SetupError: not a loopback address, and not allowed on purpose.
    """
    if not is_loopback(host) and not allow_remote:
        raise SetupError(
            f"{host} can be reached from other machines, and there are no accounts yet",
            "bind 127.0.0.1, or pass --allow-remote behind a proxy that asks who is there",
        )


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        SetupError: the port is taken, or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        reason = (
            "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had: {error.strerror}"
        )
        raise SetupError(
            f"port {port} on {host} {reason}",
            "stop the other program, or choose another: --port, or WATTWITNESS_HTTP=127.0.0.1:8081",
        ) from error
    listener.setblocking(False)
    return listener


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the lifecycle decides when to stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


async def serve(
    lifecycle: Lifecycle, settings: Settings, listener: socket.socket, names: Collection[str]
) -> None:
    """Serve until told to stop; streams end first, then requests get a moment to finish.

    Args:
        lifecycle: tells when to stop.
        settings: where the services are.
        listener: bound already.
        names: hosts that may be asked for, beside this machine's own.
    """
    async with (
        services(settings, database=True, broker=False) as found,
        await Database.open(
            found.dsn, application="serve", max_connections=8, zone=settings.zone
        ) as db,
    ):
        await upgrade(db)
        host, port = listener.getsockname()[:2]
        draw = Draw(settings.inspection_seed, settings.inspection_share)
        app = create_app(Desk(db, settings.zone, draw=draw), LOOPBACK | {host, *names})
        server = _Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        watch = lifecycle.spawn("live", app.state.live.watch(lifecycle.stop))
        boards = lifecycle.spawn("boards", app.state.boards.watch(lifecycle.stop))
        serving = lifecycle.spawn("http", server.serve(sockets=[listener]))
        log.info("serving", url=f"http://{host}:{port}")
        await lifecycle.stop.wait()
        await asyncio.wait([watch, boards])
        server.should_exit = True
        await asyncio.wait([serving])
