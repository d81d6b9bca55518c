"""What the collector does for the tables beside collecting: maintenance, and rollups."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from collector.ledger import MAX_EPOCHS_PER_GATEWAY
from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.runtime.free_memory import give_back
from wattwitness.runtime.settings import Settings
from wattwitness.store.behind import mend_latest
from wattwitness.store.database import Database
from wattwitness.store.epochs import forget_epochs
from wattwitness.store.maintenance import maintain
from wattwitness.store.retention import Retention
from wattwitness.store.rollups import keep_rollups

log = structlog.get_logger()
MAINTENANCE_S: Final = 3600.0
ROLLUP_S: Final = 60.0
SETTLE_S: Final = 5.0  # at a start, what waits in the broker comes first
ROLLUPS_AT_ONCE: Final = 2000  # hours of circuit groups: a few seconds of work
_PATIENCE: Final = 10  # turns that pressure may put rollups off


def retention_of(settings: Settings) -> Retention:
    """How long things are kept, as set."""
    return Retention(
        raw_days=settings.keep_raw_days,
        rejects_days=settings.keep_rejects_days,
        courses_days=settings.keep_courses_days,
    )


async def maintain_hourly(db: Database, retention: Retention) -> None:
    """Partitions ahead, compression and retention, soon and every hour."""
    await asyncio.sleep(SETTLE_S)
    while True:
        try:
            report = await maintain(db, datetime.now(UTC), retention)
            await forget_epochs(db, MAX_EPOCHS_PER_GATEWAY)
            await mend_latest(db)  # what others left
        except StoreUnavailableError as error:
            log.warning("maintenance_put_off", error=str(error))
        else:
            for step in report.failed:
                log.warning("maintenance_step_failed", step=step.step, on=step.object,
                            error=step.error)  # fmt: skip
            log.info("maintained", steps=len(report.steps), elsewhere=report.elsewhere)
        await asyncio.sleep(MAINTENANCE_S)


async def roll_up(db: Database, is_busy: Callable[[], bool]) -> None:
    """Keep the rollups up, every minute; under pressure seldom, so that collecting comes first."""
    put_off = 0
    await asyncio.sleep(SETTLE_S)
    while True:
        put_off = put_off + 1 if is_busy() and put_off < _PATIENCE else 0
        done = 0
        if not put_off:
            try:
                done = await keep_rollups(db, datetime.now(UTC), ROLLUPS_AT_ONCE)
            except StoreUnavailableError as error:
                log.warning("rollups_put_off", error=str(error))
        if done < ROLLUPS_AT_ONCE or is_busy():
            give_back()  # what large batches and rollups took
            await asyncio.sleep(ROLLUP_S)
