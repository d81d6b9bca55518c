"""A wall clock that jumps must not confirm anything."""

from collector.held import open_incoming
from collector.sequence import NOTHING, RESEND_AFTER_US, Progress
from collector.source import Incoming, Token

HOUR_US = 3_600_000_000


def arrival_at(now_s: float, received_us: int, seq: int = 42):
    payload = b'{"v":1,"epoch":"e","seq":%d,"readings":[]}' % seq
    incoming = Incoming("wattwitness/v1/G/readings", payload, received_us, Token(1, 1))
    held = open_incoming(incoming, 1000, now_s)
    assert held.mark is not None
    return held.arrival(held.mark)


def test_a_repeat_is_no_resend_because_the_clock_jumped_ahead():
    """A client that repeats a message at once would be taken for a gateway with no older ones."""
    came = [arrival_at(100.0, 0), arrival_at(100.5, HOUR_US)]
    assert Progress().take(came).confirmed == NOTHING


def test_a_resend_is_one_although_the_clock_jumped_back():
    later_s = 100.0 + RESEND_AFTER_US / 1e6
    came = [arrival_at(100.0, HOUR_US), arrival_at(later_s, 0)]
    assert Progress().take(came).confirmed == 42
