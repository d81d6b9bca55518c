import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wattwitness.domain.errors import SetupError
from wattwitness.runtime.lifecycle import run


def test_done_is_zero():
    async def main(lifecycle):
        assert not await lifecycle.sleep(0.001)

    assert run(main) == 0


def test_a_broken_world_is_one_line_and_one(capsys):
    async def main(lifecycle):
        raise SetupError("port 8080 is in use", "set WATTWITNESS_HTTP")

    assert run(main) == 1
    assert capsys.readouterr().err == ("wattwitness: port 8080 is in use - set WATTWITNESS_HTTP\n")


def test_a_side_task_that_fails_stops_the_process(capsys):
    async def fail():
        raise SetupError("gone")

    async def main(lifecycle):
        lifecycle.spawn("side", fail())
        assert await lifecycle.sleep(10)

    assert run(main) == 1
    assert "gone" in capsys.readouterr().err


def test_a_defect_is_told_in_one_line_too(capsys):
    async def main(lifecycle):
        raise ZeroDivisionError("oops")

    assert run(main) == 1
    assert "wattwitness: internal error: ZeroDivisionError('oops')" in capsys.readouterr().err


PROGRAM = """
import sys
from wattwitness.runtime.lifecycle import run
async def main(lifecycle):
    print("up", flush=True)
    await lifecycle.stop.wait()
    print("drained", flush=True)
sys.exit(run(main))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_it_finish_what_it_holds(number):
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    assert process.communicate(timeout=20)[0] == "drained\n"
    assert process.returncode == 0


def test_it_stops_when_its_supervisor_is_gone():
    parent = (
        "import os, subprocess, sys;"
        "os.environ['WATTWITNESS_PARENT_PID'] = str(os.getpid());"
        f"p = subprocess.Popen([sys.executable, '-c', {PROGRAM!r}], stderr=subprocess.DEVNULL);"
        "print(p.pid, flush=True); import time; time.sleep(60)"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    child = int(supervisor.stdout.readline())
    assert supervisor.stdout.readline() == "up\n"
    supervisor.kill()
    assert "drained\n" in supervisor.communicate()[0]  # the pipe is the child's as well
    deadline = time.monotonic() + 10
    while _alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(child)


def _alive(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        return stat.split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
    except NotADirectoryError:  # no /proc: ask the kernel
        os.kill(pid, 0)
        return True
