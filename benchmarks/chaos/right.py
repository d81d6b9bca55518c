"""The product's collector, as it is, on a clock that can be moved."""

import sys

from benchmarks.chaos import clock
from collector.process import collect
from wattwitness.runtime.lifecycle import Lifecycle, run
from wattwitness.runtime.logs import configure_logging
from wattwitness.runtime.settings import load_settings


async def work(lifecycle: Lifecycle) -> None:
    settings = load_settings()
    configure_logging(settings.log_level, "collector")
    clock.install()
    await collect(settings, lifecycle)


if __name__ == "__main__":
    sys.exit(run(work))
