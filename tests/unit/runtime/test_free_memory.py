"""In a process of its own: this one's heap is not ours alone."""

import subprocess
import sys

_MANY = """
import psutil
from wattwitness.runtime.free_memory import give_back

def resident():
    return psutil.Process().memory_info().rss

many = [bytes(60_000) for _ in range(1000)]  # each too small for a mapping of its own
last = bytes(60_000)  # and something behind them, so that the heap cannot shrink by itself
full = resident()
del many
kept = resident()
give_back()
print(full - kept, full - resident())
"""


def test_what_was_freed_is_given_back():
    ran = subprocess.run([sys.executable, "-c", _MANY], capture_output=True, check=True)
    by_itself, given_back = map(int, ran.stdout.split())
    assert by_itself < 30e6 < given_back
