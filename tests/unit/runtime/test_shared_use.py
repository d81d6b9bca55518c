import subprocess
import sys
import time

from wattwitness.runtime.shared_use import SharedUse


def test_the_last_user_is_told_so(tmp_path):
    one, two = SharedUse(tmp_path, "db"), SharedUse(tmp_path, "db")
    one.join()
    two.join()
    assert not one.leave()
    assert two.leave()


def test_leaving_without_having_joined_stops_nothing(tmp_path):
    assert not SharedUse(tmp_path, "db").leave()


def test_services_are_counted_apart(tmp_path):
    one, two = SharedUse(tmp_path, "db"), SharedUse(tmp_path, "broker")
    one.join()
    two.join()
    assert one.leave()


def test_a_killed_user_is_forgotten(tmp_path):
    code = (
        "import sys, time; from pathlib import Path;"
        "from wattwitness.runtime.shared_use import SharedUse;"
        "u = SharedUse(Path(sys.argv[1]), 'db'); u.join(); print('in', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == "in\n"
    mine = SharedUse(tmp_path, "db")
    mine.join()
    other.kill()
    other.wait()
    other.stdout.close()
    deadline = time.monotonic() + 5
    while not mine.leave() and time.monotonic() < deadline:
        mine.join()
    assert time.monotonic() < deadline
