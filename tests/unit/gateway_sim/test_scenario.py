from datetime import UTC, date, datetime

import pytest

from gateway_sim.scenario import Scenario, read_scenario
from gateway_sim.times import CityOptions, chosen_city
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import DEFAULT_ZONE
from wattwitness.wire.broker_address import BrokerAddress

NOW = datetime(2026, 11, 20, 8, 30, 30, tzinfo=UTC)


def test_a_file_over_defaults(tmp_path):
    path = tmp_path / "city.toml"
    path.write_text(
        'enterprises = 3\nalert = "closed"\nalert_level = "red"\nholidays = ["2026-10-01"]\n'
        "[shares]\ntreatment_off = 0.5\n"
    )
    scenario = read_scenario(path)
    assert scenario.enterprises == 3
    assert scenario.alert_level == "red"
    assert scenario.holidays == (date(2026, 10, 1),)
    assert scenario.shares["treatment_off"] == 0.5
    assert scenario.shares["comms_outage"] == Scenario().shares["comms_outage"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("enterprizes = 3", "enterprizes"),
        ("enterprises = 0", "out of range"),
        ('enterprises = "many"', "wrong type"),
        ("enterprises = 2.5", "wrong type"),
        ("interval_s = 7", "interval_s"),
        ("interval_s = 90", "interval_s"),
        ('alert = "yes"', "alert"),
        ('alert_level = "blue"', "alert_level"),
        ('holidays = ["tomorrow"]', "holidays"),
        ("[shares]\ntreatment_of = 0.1", "treatment_of"),
        ("[shares]\ntreatment_off = 2", "treatment_off"),
        ("enterprises = ", "TOML"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(tmp_path, text, told):
    path = tmp_path / "city.toml"
    path.write_text(text)
    with pytest.raises(InputRefusedError, match=told) as refusal:
        read_scenario(path)
    assert "\n" not in str(refusal.value)
    assert refusal.value.remedy


def test_a_missing_file(tmp_path):
    with pytest.raises(InputRefusedError, match="No such file"):
        read_scenario(tmp_path / "none.toml")


def test_history_ends_now_unless_told():
    city = chosen_city(CityOptions(enterprises=1, days=1), NOW, DEFAULT_ZONE)
    assert city.end_us == int(NOW.replace(second=0).timestamp()) * 10**6
    told = CityOptions(
        enterprises=1,
        from_=datetime(2026, 11, 1, tzinfo=UTC),
        until=datetime(2026, 11, 2, 12, tzinfo=UTC),
    )
    city = chosen_city(told, NOW, DEFAULT_ZONE)
    assert city.end_us - city.start_us == 36 * 3600 * 10**6


@pytest.mark.parametrize(
    "options",
    [
        CityOptions(
            from_=datetime(2026, 11, 3, tzinfo=UTC), until=datetime(2026, 11, 2, tzinfo=UTC)
        ),
        CityOptions(
            from_=datetime(2026, 11, 1, tzinfo=UTC),
            until=datetime(2026, 11, 2, tzinfo=UTC),
            days=3,
        ),
    ],
)
def test_contradictions_are_refused(options):
    with pytest.raises(InputRefusedError):
        chosen_city(options, NOW, DEFAULT_ZONE)


def test_broker_urls():
    address = BrokerAddress.parse("mqtts://me:p%40ss@host:99")
    assert (address.host, address.port, address.tls) == ("host", 99, True)
    assert (address.username, address.password) == ("me", "p@ss")
    assert "p@ss" not in f"{address} {address!r}"
    assert BrokerAddress.parse("mqtt://host").port == 1883
    for bad in ("http://host", "host:1883", "mqtt://", "mqtt://h:port"):
        with pytest.raises(InputRefusedError):
            BrokerAddress.parse(bad)
