"""A collector with the other mistake: it proves delivery of what it has not committed.

Together with the acknowledgement on receipt, or the broker would deliver again and hide it.
"""

import sys
import time
from collections.abc import Sequence

from benchmarks.chaos import clock
from benchmarks.chaos.ack_first import AckFirstSource
from collector.process import collect
from collector.source import Incoming, Proof
from wattwitness.runtime.lifecycle import Lifecycle, run
from wattwitness.runtime.logs import configure_logging
from wattwitness.runtime.settings import load_settings
from wattwitness.wire.payload import Ack, decode_message
from wattwitness.wire.topics import Topic


class ProveFirstSource(AckFirstSource):
    """Tells the gateway on receipt."""

    async def receive(self) -> Sequence[Incoming]:
        """The messages since the last call, proven and acknowledged already."""
        messages = await super().receive()
        now_ms = time.time_ns() // 1_000_000
        for message in messages:
            mark = decode_message(message.payload).mark
            if mark is not None:
                gateway_id = Topic.parse(message.topic).gateway_id
                self.prove([Proof(gateway_id, Ack(mark.epoch, mark.seq, now_ms))])
        return messages


async def work(lifecycle: Lifecycle) -> None:
    settings = load_settings()
    configure_logging(settings.log_level, "prove-first")
    clock.install()
    await collect(settings, lifecycle, ProveFirstSource)


if __name__ == "__main__":
    sys.exit(run(work))
