from datetime import UTC, datetime

import pytest

from wattwitness.domain.errors import InputRefusedError
from wattwitness.runtime.settings import load_settings


def test_defaults(home):
    settings = load_settings()
    assert settings.home == home
    assert settings.database_url is None
    assert settings.http == "127.0.0.1:8080"
    assert settings.zone.key == "Asia/Shanghai"


def test_environment_wins_over_the_file_in_the_home_folder(home, monkeypatch):
    home.mkdir()
    (home / "wattwitness.toml").write_text(
        'http = "127.0.0.1:9000"\nbatch_wait_s = 0.5\nkeep_from = "2020-01-01T00:00:00+08:00"\n'
    )
    monkeypatch.setenv("WATTWITNESS_HTTP", "127.0.0.1:9001")
    settings = load_settings()
    assert settings.http == "127.0.0.1:9001"
    assert settings.batch_wait_s == 0.5
    assert settings.keep_from == datetime(2019, 12, 31, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HTTP", "8080", "write host:port"),
        ("TIMEZONE", "Mars/Olympus", "no such zone"),
        ("LOG_LEVEL", "loud", "write debug"),
        ("BATCH_READINGS", "0", "greater than or equal to 1"),
        ("BATCH_READINGS", "many", "valid integer"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(home, monkeypatch, name, value, words):
    monkeypatch.setenv(f"WATTWITNESS_{name}", value)
    with pytest.raises(InputRefusedError) as caught:
        load_settings()
    assert words in str(caught.value)
    assert f"WATTWITNESS_{name}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["htpp = 'x'", "http = = 1"])
def test_a_wrong_file_is_told(home, content):
    home.mkdir()
    (home / "wattwitness.toml").write_text(content)
    with pytest.raises(InputRefusedError) as caught:
        load_settings()
    assert "wattwitness.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_variable_is_unset(home, monkeypatch):
    monkeypatch.setenv("WATTWITNESS_DATABASE_URL", "")
    assert load_settings().database_url is None


def test_a_misspelt_variable_is_told(home, monkeypatch):
    monkeypatch.setenv("WATTWITNESS_DATABSE_URL", "postgresql://x/y")
    with pytest.raises(InputRefusedError, match="did you mean WATTWITNESS_DATABASE_URL"):
        load_settings()
