"""`wattwitness serve` as a process: what it refuses, and how it says so."""

import socket
import subprocess
import sys

import pytest


def serve(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dashboards", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_port_in_use_is_one_line_with_a_remedy(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = serve("--port", str(port))
    assert found.returncode == 1
    assert found.stdout == ""
    assert len(found.stderr.splitlines()) == 1
    assert f"port {port} on 127.0.0.1 is in use" in found.stderr
    assert "WATTWITNESS_HTTP" in found.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "example.org", "::"])  # noqa: S104
def test_an_address_that_others_reach_is_refused(home, host):
    found = serve("--host", host, "--port", "0")
    assert found.returncode == 1
    assert len(found.stderr.splitlines()) == 1
    assert "no accounts yet" in found.stderr
    assert "--allow-remote" in found.stderr


def test_a_database_that_is_away_is_one_line(home, monkeypatch):
    monkeypatch.setenv("WATTWITNESS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    found = serve("--port", "0")
    assert found.returncode == 1
    lines = [line for line in found.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1
    assert "cannot be reached" in lines[0]


def test_bad_arguments_are_2_and_help_names_the_command(home):
    assert serve("--port", "99999").returncode == 2
    assert "wattwitness serve" in serve("--help").stdout
