"""The judge that compares collectors sees every kind of damage, and everyone gets the same."""

import json
from dataclasses import replace

import pytest

from benchmarks.peers.judge import Judgement, compare
from benchmarks.peers.node_red_flow import flow
from benchmarks.peers.plan import PROBE, Plan, probe
from benchmarks.peers.plays import Drained, Faulted
from benchmarks.peers.publisher import encode_publish
from benchmarks.peers.report import Result, markdown
from wattwitness.wire.payload import decode_message

PLAN = Plan(messages=4, readings=2, gateways=2)
ALL = [(circuit, ts_ms, 1) for circuit, ts_ms in PLAN.everything()]
CLEAN = Judgement(published=8, stored=8, lost=0, duplicated=0, foreign=0)


def test_everything_once_is_clean():
    assert compare(PLAN, ALL) == CLEAN
    assert CLEAN.is_clean


@pytest.mark.parametrize(
    ("rows", "damage"),
    [
        (ALL[1:], {"lost": 1, "stored": 7}),
        ([(*ALL[0][:2], 3), *ALL[1:]], {"duplicated": 2, "stored": 10}),
        ([*ALL, ("elsewhere", 0, 1)], {"foreign": 1, "stored": 9}),
        ([], {"lost": 8, "stored": 0}),
    ],
)
def test_each_damage_is_told(rows: list[tuple[str, int, int]], damage: dict[str, int]):
    found = compare(PLAN, rows)
    assert found == replace(CLEAN, **damage)
    assert not found.is_clean


def test_copies_that_are_noted_elsewhere_count_as_duplicates():
    assert compare(PLAN, ALL, again=2).duplicated == 2


def test_probes_are_nobodys_readings():
    assert compare(PLAN, [*ALL, (PROBE, 1, 5)]) == CLEAN


def test_the_messages_are_the_contracts():
    for k in range(PLAN.messages):
        message = decode_message(PLAN.payload(k))
        assert not message.bad
        assert len(message.readings) == PLAN.readings
    assert len(decode_message(probe(1_767_225_600_000)[1]).readings) == 1


def test_every_circuit_is_registered_once():
    circuits = [circuit for _, circuit in PLAN.circuits()]
    assert len(circuits) == len(set(circuits))
    assert {circuit for circuit, _ in PLAN.everything()} < set(circuits)


@pytest.mark.parametrize(
    ("payload", "length"),
    [(b"x", b"\x06"), (b"x" * 123, b"\x80\x01"), (b"x" * 20_000, b"\xa5\x9c\x01")],
)
def test_a_publish_packet_is_what_the_standard_says(payload: bytes, length: bytes):
    packet = encode_publish("t", payload, 258)
    assert packet == b"\x32" + length + b"\x00\x01t" + b"\x01\x02" + payload


def test_the_flow_is_durable_and_tries_again_if_it_should():
    nodes = {node["id"]: node for node in flow("mqtt://127.0.0.1:1", "/run", "db", retry=True)}
    broker = nodes["broker"]
    assert (broker["cleansession"], broker["autoUnsubscribe"]) == (False, False)
    assert nodes["in"]["qos"] == "1"
    assert nodes["catch"]["wires"] == [["wait"]]
    assert nodes["wait"]["wires"] == [["insert"]]
    assert all("x" in node for node in nodes.values() if "wires" in node)
    plain = flow("mqtt://127.0.0.1:1", "/run", "db", retry=False)
    assert [n["id"] for n in json.loads(json.dumps(plain))] == ["tab", "broker", "in", "insert"]


def test_the_table_tells_every_run_and_what_was_not_measured():
    lossy = replace(CLEAN, lost=3)
    ours = Result("wattwitness", "Ours", "1", drains=[Drained(CLEAN, 2.0, 0.1)])
    other = Result(
        "other",
        "Other",
        "2",
        drains=[Drained(CLEAN, 4.0, 0.1)],
        kills=[Faulted(lossy, 0, helped=False), Faulted(CLEAN, 0, helped=True)],
    )
    away = Result("away", "Away", problem="no such package")
    text = markdown([ours, other, away], ["- here"])
    assert "| Other | 2 | 0.50 | 12500.0 | 3 · 0 | 0 · 0 | - | - |" in text
    assert "- Away: **not measured**, no such package" in text
    assert "stood still" in text
