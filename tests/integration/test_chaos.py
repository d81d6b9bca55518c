"""A small chaos, for real; the large one is `python -m benchmarks.chaos`."""

import subprocess
import sys

from benchmarks.chaos.collector_process import ROOT


def play(*options: str) -> tuple[int, str]:
    played = subprocess.run(
        [sys.executable, "-m", "benchmarks.chaos", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    return played.returncode, played.stdout + played.stderr


def figures(text: str) -> dict[str, int]:
    """The verdict's lines."""
    words = [line.replace(",", "").rsplit(maxsplit=1) for line in text.splitlines()]
    return {pair[0].strip(): int(pair[1]) for pair in words if len(pair) == 2 and pair[1].isdigit()}


def test_eight_faults_and_nothing_is_lost():
    code, text = play("--faults", "8", "--seed", "4", "--rate", "60")
    found = figures(text)
    assert code == 0, text
    assert found["published"] == found["confirmed"] == found["stored"] > 1000
    assert "all                                      8         8" in text


def test_a_wrong_collector_is_caught():
    code, text = play(
        *("--faults", "3", "--seed", "2", "--rate", "200"),
        *("--wrong", "prove-first", "--only", "kill -9: collector,kill -9 twice: collector"),
    )
    found = figures(text)
    assert code == 1, text
    assert found["confirmed but absent"] > 0
    assert found["lost"] > 0
