"""The program as its users call it: real processes, exit codes, one line when it fails."""

import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from wattwitness.cli import COMMANDS, PROCESSES
from wattwitness.commands.doctor import Grade, check_broker
from wattwitness.runtime.settings import Settings


def wattwitness(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "wattwitness", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def one_line(text):
    assert text.count("\n") == 1, text
    assert text.startswith("wattwitness: ")
    return text


@pytest.mark.parametrize("name", [*COMMANDS, *PROCESSES])
def test_every_command_explains_itself(home, name):
    done = wattwitness(name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"wattwitness {name}" in done.stdout
    assert "Traceback" not in done.stderr


def test_help_lists_every_command(home):
    done = wattwitness("--help")
    assert all(name in done.stdout for name in [*COMMANDS, *PROCESSES])


@pytest.mark.parametrize("arguments", [["nope"], ["db", "nope"], ["demo", "--enterprises", "x"]])
def test_bad_arguments_are_two(home, arguments):
    assert wattwitness(*arguments).returncode == 2


def test_db_upgrade_status_url(home):
    assert "applied 0001 registry" in wattwitness("db", "upgrade").stdout
    assert "nothing to do" in wattwitness("db", "upgrade").stdout
    status = wattwitness("db", "status").stdout
    assert "mode            plain" in status
    assert "migrations      up to date" in status
    assert wattwitness("db", "url").stdout.startswith("postgresql://")


@pytest.mark.parametrize("name", ["collect", "serve", "analyse", "up"])
def test_an_absent_database_is_one_line(home, name):
    arguments = ["--follow"] if name == "analyse" else []
    done = wattwitness(
        name, *arguments,
        WATTWITNESS_DATABASE_URL="postgresql://127.0.0.1:1/x",
        WATTWITNESS_MQTT_URL="mqtt://127.0.0.1:1",
        WATTWITNESS_HTTP="127.0.0.1:0",
    )  # fmt: skip
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_doctor_finds_a_whole_installation_whole(home):
    wattwitness("db", "upgrade")
    done = wattwitness("doctor", WATTWITNESS_HTTP="127.0.0.1:28080")
    assert done.returncode == 0, done.stdout
    checks = "python home disk broker pages fonts database rights migrations clock"
    for subject in checks.split():
        assert f" {subject} " in done.stdout
    assert "FAIL" not in done.stdout


def test_doctor_tells_what_is_broken_and_the_remedy(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = wattwitness(
            "doctor",
            WATTWITNESS_DATABASE_URL="postgresql://127.0.0.1:1/x",
            WATTWITNESS_MQTT_URL="mqtt://127.0.0.1:1",
            WATTWITNESS_HTTP=f"127.0.0.1:{taken.getsockname()[1]}",
        )
    assert done.returncode == 1
    lines = {line.split()[1]: line for line in done.stdout.splitlines()}
    assert lines["database"].startswith("FAIL")
    assert "WATTWITNESS_DATABASE_URL" in lines["database"]
    assert lines["broker"].startswith("FAIL")
    assert "WATTWITNESS_MQTT_URL" in lines["broker"]
    assert lines["pages"].startswith("warn")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (bytes.fromhex("2003008600"), "refuses us: wrong user name or password"),
        (bytes.fromhex("200300ff00"), "reason 0xff"),
        (bytes.fromhex("20020001"), "does not speak MQTT 5"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not as an MQTT broker"),
        (b"", "not as an MQTT broker"),
    ],
)
def test_doctor_tells_why_a_broker_refuses_us(home, answer, says):
    with socket.socket() as broker:
        broker.bind(("127.0.0.1", 0))
        broker.listen()

        def answer_once() -> None:
            with broker.accept()[0] as client:
                client.recv(1000)
                client.sendall(answer)

        with ThreadPoolExecutor(1) as pool:
            pool.submit(answer_once)
            url = f"mqtt://someone:secret@127.0.0.1:{broker.getsockname()[1]}"
            finding = check_broker(Settings(mqtt_url=url))
    assert finding.grade is Grade.FAIL
    assert says in finding.says
    assert "WATTWITNESS_MQTT_URL" in finding.remedy
    assert "secret" not in str(finding)


def test_doctor_logs_in_to_a_broker(home, broker_url):
    finding = check_broker(Settings(mqtt_url=broker_url))
    assert (finding.grade, finding.says) == (Grade.OK, f"{broker_url} lets us in")


def test_doctor_tells_pending_migrations(home):
    assert "run wattwitness db upgrade" in wattwitness("doctor").stdout


def test_a_wrong_setting_is_one_line(home):
    done = wattwitness("db", "status", WATTWITNESS_HTTP="nonsense")
    assert done.returncode == 1
    assert "WATTWITNESS_HTTP" in one_line(done.stderr)


def test_a_stopped_command_lets_go_of_the_database(home, tmp_path):
    big = tmp_path / "big.csv"
    with big.open("w") as file:
        file.write("circuit_id,ts,p_kw\n")
        file.writelines(f"X,2026-01-01T00:00:00+08:00,{n}\n" for n in range(2_000_000))
    importing = subprocess.Popen(
        [sys.executable, "-m", "wattwitness", "import", "readings", str(big)],
        env=dict(os.environ),
        cwd=tmp_path,  # the rejected rows go beside whoever calls
        stderr=subprocess.PIPE,
        text=True,
    )
    running = home / "postgres" / "postmaster.pid"
    deadline = time.monotonic() + 60
    while not running.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.5)
    importing.terminate()
    told = importing.communicate(timeout=60)[1]
    assert importing.returncode == 1
    assert (
        one_line(told) == "wattwitness: stopped - what was finished is kept; repeat the command\n"
    )
    assert not running.exists(), "the embedded database outlived its last user"
