"""A collector with the usual mistake: it acknowledges what it has not committed.

The harness must report losses with it, or the harness proves nothing.
"""

import sys
from collections.abc import Sequence

from benchmarks.chaos import clock
from collector.mqtt_source import MqttSource
from collector.process import collect
from collector.source import Incoming, Token
from wattwitness.runtime.lifecycle import Lifecycle, run
from wattwitness.runtime.logs import configure_logging
from wattwitness.runtime.settings import load_settings


class AckFirstSource(MqttSource):
    """Acknowledges on receipt."""

    async def receive(self) -> Sequence[Incoming]:
        """The messages since the last call, acknowledged already."""
        messages = await super().receive()
        super().commit([message.token for message in messages])
        return messages

    def commit(self, tokens: Sequence[Token]) -> None:
        """Too late."""


async def work(lifecycle: Lifecycle) -> None:
    settings = load_settings()
    configure_logging(settings.log_level, "ack-first")
    clock.install()
    await collect(settings, lifecycle, AckFirstSource)


if __name__ == "__main__":
    sys.exit(run(work))
