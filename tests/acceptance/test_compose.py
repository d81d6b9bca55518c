"""docker-compose.yml, without Docker: it is parsed, and its very commands are run as processes."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
OURS = ("upgrade", "collect", "analyse", "serve")


def test_one_service_per_process():
    assert set(COMPOSE["services"]) == {"broker", "database", *OURS}
    for name in OURS:
        service = COMPOSE["services"][name]
        assert service["command"][0] == "wattwitness"
        assert set(service["environment"]) == {
            "WATTWITNESS_HOME",
            "WATTWITNESS_DATABASE_URL",
            "WATTWITNESS_MQTT_URL",
        }


def test_every_port_is_bound_to_this_machine():
    ports = [port for s in COMPOSE["services"].values() for port in s.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_mounted_files_exist_and_volumes_are_declared():
    for service in COMPOSE["services"].values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).is_file()
            else:
                assert source in COMPOSE["volumes"]
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "requirements/runtime.lock" in dockerfile


def test_the_brokers_configuration_is_taken_by_a_real_broker(tmp_path):
    """The two files of the broker service, with the container's paths moved here."""
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:" + os.environ["PATH"])
    shipped = (ROOT / "deploy/mosquitto.conf").read_text(encoding="utf-8")
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "data").mkdir()
    shutil.copy(ROOT / "wattwitness/runtime/mosquitto.conf", tmp_path / "conf.d")
    moved = shipped.replace("/mosquitto/config", str(tmp_path)).replace(
        "/mosquitto/data", str(tmp_path / "data")
    )
    port = free_port()
    moved = moved.replace("listener 1883", f"listener {port} 127.0.0.1\nuser root")
    (tmp_path / "mosquitto.conf").write_text(moved)
    broker = subprocess.Popen(
        [program, "-c", str(tmp_path / "mosquitto.conf")], stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(lambda: listens(port) or broker.poll() is not None)
        assert broker.poll() is None, broker.stderr.read()
    finally:
        broker.terminate()
        broker.communicate(timeout=10)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)


@pytest.fixture
def environment(home, database_url, broker_url):
    return {
        **os.environ,
        "WATTWITNESS_HOME": str(home),
        "WATTWITNESS_DATABASE_URL": database_url,
        "WATTWITNESS_MQTT_URL": broker_url,
        "WATTWITNESS_COLLECTOR_ID": f"compose-{os.getpid()}",
    }


def start(name, environment, **kwargs):
    _, *arguments = COMPOSE["services"][name]["command"]
    return subprocess.Popen([sys.executable, "-m", "wattwitness", *arguments],
                            env=environment, **kwargs)  # fmt: skip


def test_its_commands_run_together_and_stop_cleanly(environment):
    upgrade = start("upgrade", environment, stdout=subprocess.PIPE, text=True)
    assert "applied" in upgrade.communicate(timeout=60)[0]
    assert upgrade.returncode == 0
    port = free_port()
    environment["WATTWITNESS_HTTP"] = f"127.0.0.1:{port}"
    # in the container serve binds 0.0.0.0; the port comes from the setting in both cases
    running = {name: start(name, environment) for name in ("collect", "analyse", "serve")}
    try:
        wait_for(lambda: listens(port))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            assert answer.status == 200
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/leads", timeout=5) as answer:
            assert json.load(answer) == []
        assert all(process.poll() is None for process in running.values())
    finally:
        for process in running.values():
            process.terminate()
        codes = {name: process.wait(timeout=30) for name, process in running.items()}
    assert codes == {"collect": 0, "analyse": 0, "serve": 0}
