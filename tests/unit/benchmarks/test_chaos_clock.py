"""The clock that the collectors of the chaos benchmark go by."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.chaos import clock
from benchmarks.chaos.clock import MovedClock
from benchmarks.chaos.collector_process import ROOT

_ASK = """
import sys, time, types
import datetime
real = datetime.datetime.now(datetime.UTC).timestamp()
module = types.ModuleType("collector.somewhere")
module.datetime = datetime.datetime
sys.modules["collector.somewhere"] = module
from benchmarks.chaos import clock
clock.install()
print(time.time_ns() / 1e9 - real, time.time() - real)
print(module.datetime.now(datetime.UTC).timestamp() - real)
print(datetime.datetime.now(datetime.UTC).timestamp() - real)
"""


def test_it_says_what_the_file_says(tmp_path: Path):
    moved = MovedClock(tmp_path / "clock")
    assert moved.offset_s == 0.0
    (tmp_path / "clock").write_text("-3600.5", encoding="utf-8")
    moved = MovedClock(tmp_path / "clock")
    assert moved.offset_s == -3600.5


def test_a_process_goes_by_it(tmp_path: Path):
    (tmp_path / "clock").write_text("86400", encoding="utf-8")
    environment = os.environ | {clock.VARIABLE: str(tmp_path / "clock")}
    said = subprocess.run(
        [sys.executable, "-c", _ASK],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    *moved, others = [float(word) for word in said.stdout.split()]
    assert all(abs(offset_s - 86_400) < 60 for offset_s in moved)
    assert abs(others) < 60  # libraries keep the real one
