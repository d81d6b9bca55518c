import tomllib
from pathlib import Path
from typing import Any

import pytest

from wattwitness.wire.payload import (
    Message,
    RefusedMessage,
    WireReading,
    decode_message,
    encode_message,
    reading_bytes,
)

PAYLOADS = Path(__file__).parents[2] / "fixtures" / "payloads"
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads(
    (PAYLOADS / "expected.toml").read_text(encoding="utf-8")
)


def test_every_golden_payload_is_expected():
    assert {f.name for f in PAYLOADS.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_golden(name: str):
    expected = EXPECTED[name]
    payload = (PAYLOADS / name).read_bytes()
    message = decode_message(payload)
    mark = message.mark
    assert ([mark.epoch, mark.seq] if mark else None) == expected.get("mark")
    if "refused" in expected:
        assert isinstance(message, RefusedMessage)
        assert message.refusal.code == expected["refused"]
        return
    assert isinstance(message, Message)
    assert [
        [r.ch, ts_us, "none" if r.p is None else r.p, "none" if r.e is None else r.e]
        for r, ts_us in zip(message.readings, message.ts_us, strict=True)
    ] == expected["good"]
    assert [[b.index, b.refusal.code.value] for b in message.bad] == expected["bad"]
    assert message.unknown_fields == expected["unknown_fields"]
    assert message.sent_us == expected.get("sent_us")
    assert len(reading_bytes(payload)) == message.count


def test_the_contract_example_in_full():
    message = decode_message((PAYLOADS / "contract.json").read_bytes())
    assert isinstance(message, Message)
    press, fan = message.readings
    assert press.u == (229.1, 230.2, 228.8)
    assert press.i == (123.0, 121.4, 125.9)
    assert (press.q, press.pf, press.rs) == (12.3, 0.93, False)
    assert (fan.u, fan.pf, fan.rs) == (None, None, True)


def test_our_encoder_writes_the_contract():
    reading = WireReading("P1", 1767225600000, p=84.7, u=(1.0, 2.0, 3.0), rs=True)
    assert encode_message([reading], epoch="b7f2", seq=42, sent_ms=1767225660123) == (
        b'{"v":1,"readings":[{"ch":"P1","ts":1767225600000,"p":84.7,"u":[1.0,2.0,3.0],"rs":true}],'
        b'"epoch":"b7f2","seq":42,"sent":1767225660123}'
    )
    assert encode_message([]) == b'{"v":1,"readings":[]}'
