"""What `wattwitness db status` prints, for people and as JSON."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from wattwitness.domain.instants import format_instant
from wattwitness.store.maintenance_log import Step
from wattwitness.store.overview import DatabaseStatus
from wattwitness.store.storage_status import Compression, StorageStatus

_UNITS = ("B", "kB", "MB", "GB", "TB")


def described(status: DatabaseStatus, storage: StorageStatus | None) -> Iterator[str]:
    """The status as lines for people."""
    yield _line("mode", status.mode.value)
    yield _line("PostgreSQL", status.server_version)
    yield _line("TimescaleDB", status.timescale_version or "not installed in this database")
    if storage is None:
        yield _line("size", _size(status.bytes))
        yield _line("migrations", f"{status.pending_migrations} pending: wattwitness db upgrade")
        return
    yield _line("migrations", "up to date")
    rest = status.bytes - storage.readings_bytes - storage.rollups_bytes
    yield _line("size", _size(status.bytes))
    yield _line("  readings", f"{_size(storage.readings_bytes)}, about {storage.about_readings:,}")
    yield _line("  rollups", _size(storage.rollups_bytes))
    yield _line("  the rest", _size(rest))
    yield _line("pieces", f"{status.partitions}, {status.compressed} compressed")
    if storage.compression is not None:
        yield from _compression(storage.compression)
    for name, value in status.counts.items():
        yield _line(name.replace("_", " "), _shown(value))
    yield from _keeping(storage)
    yield from _maintenance(storage)


def _compression(found: Compression) -> Iterator[str]:
    if not found.compressed:
        yield _line("compression", "nothing is old enough yet")
        return
    ratio = f"{found.ratio:.1f} x" if found.ratio else "-"
    each = f"{found.bytes_per_reading:.2f} B a reading" if found.bytes_per_reading else "-"
    sizes = f"{_size(found.bytes_before)} became {_size(found.bytes_after)}"
    yield _line("compression", f"{sizes}, {ratio}, {each}")
    if found.partial:
        yield _line("", f"{found.partial} pieces took late readings since")


def _keeping(storage: StorageStatus) -> Iterator[str]:
    yield _line("dirty hours", f"{storage.dirty_hours:,} wait for rollups")
    days = storage.retention.raw_days
    kept = f"for {days} days" if days else "for ever"
    since = f", dropped before {format_instant(storage.raw_from)}" if storage.raw_from else ""
    yield _line("raw readings", f"kept {kept}{since}")


def _maintenance(storage: StorageStatus) -> Iterator[str]:
    run = storage.last_run
    if run is None or run.began_at is None:
        yield _line("last run", "-")
    else:
        what = run.error or f"{run.rows_after or 0} steps, {run.seconds:.1f} s"
        yield _line("last run", f"{_second(run.began_at)}, {what}")
    for step in storage.last_steps[:8]:
        yield _line("", _step(step))
    for overdue in storage.overdue:
        yield _line("overdue", overdue)


def _step(step: Step) -> str:
    at = _second(step.began_at) if step.began_at else "-"
    if step.error is not None:
        return f"{at}  {step.step} {step.object or ''}  failed: {step.error}"
    sizes = ""
    if step.bytes_before is not None and step.bytes_after is not None:
        sizes = f"  {_size(step.bytes_before)} -> {_size(step.bytes_after)}"
    return f"{at}  {step.step} {step.object or ''}{sizes}  {step.seconds:.1f} s"


def recorded(status: DatabaseStatus, storage: StorageStatus | None) -> dict[str, Any]:
    """The status as a JSON object: sizes in bytes, instants as RFC 3339."""
    found: dict[str, Any] = {
        "mode": status.mode.value,
        "postgresql": status.server_version,
        "timescaledb": status.timescale_version,
        "pending_migrations": status.pending_migrations,
        "bytes": status.bytes,
        "counts": {name: _plain(value) for name, value in status.counts.items()},
    }
    if storage is None:
        return found
    squeezed = storage.compression
    return found | {
        "pieces": status.partitions,
        "readings_bytes": storage.readings_bytes,
        "readings_about": storage.about_readings,
        "rollups_bytes": storage.rollups_bytes,
        "compression": squeezed
        and {
            "chunks": squeezed.chunks,
            "compressed": squeezed.compressed,
            "partial": squeezed.partial,
            "readings": squeezed.readings,
            "bytes_before": squeezed.bytes_before,
            "bytes_after": squeezed.bytes_after,
            "ratio": squeezed.ratio,
            "bytes_per_reading": squeezed.bytes_per_reading,
        },
        "dirty_hours": storage.dirty_hours,
        "dirty_days": storage.dirty_days,
        "keep_raw_days": storage.retention.raw_days,
        "keep_rejects_days": storage.retention.rejects_days,
        "keep_courses_days": storage.retention.courses_days,
        "raw_from": _plain(storage.raw_from),
        "last_run": storage.last_run and _recorded_step(storage.last_run),
        "last_steps": [_recorded_step(step) for step in storage.last_steps],
        "overdue": list(storage.overdue),
    }


def _recorded_step(step: Step) -> dict[str, Any]:
    names = ("step", "object", "seconds", "rows_before", "rows_after", "bytes_before",
             "bytes_after", "error")  # fmt: skip
    return {"began_at": _plain(step.began_at)} | {name: getattr(step, name) for name in names}


def _plain(value: int | datetime | None) -> int | str | None:
    return format_instant(value) if isinstance(value, datetime) else value


def _line(name: str, text: str) -> str:
    return f"{name:<15} {text}"


def _shown(value: int | datetime | None) -> str:
    if value is None:
        return "-"
    return format_instant(value) if isinstance(value, datetime) else f"{value:,}"


def _second(instant: datetime) -> str:
    return format_instant(instant.replace(microsecond=0))


def _size(size: float) -> str:
    for unit in _UNITS[:-1]:
        if abs(size) < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} {_UNITS[-1]}"
