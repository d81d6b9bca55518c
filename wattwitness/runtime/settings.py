"""Settings: environment (`WATTWITNESS_*`) over `wattwitness.toml` in the home folder over defaults.

Every field is described here and in docs/settings.md; a test holds the two together.
"""

import difflib
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from wattwitness.domain.errors import InputRefusedError

_PREFIX = "WATTWITNESS_"
_NOT_SETTINGS = ("WATTWITNESS_TEST_", "WATTWITNESS_PARENT_PID")  # of the tests, of a supervisor


def default_home() -> Path:
    """The home folder: `$WATTWITNESS_HOME`, or a per-user data folder."""
    named = os.environ.get("WATTWITNESS_HOME")
    return Path(named).expanduser() if named else platformdirs.user_data_path("wattwitness")


class Settings(BaseSettings):
    """What can be set, with its default."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_ignore_empty=True, extra="forbid", frozen=True
    )

    home: Path = Field(
        default_factory=default_home,
        description="Folder of the embedded database, broker, attachments and keys.",
    )
    database_url: str | None = Field(
        default=None, description="PostgreSQL DSN; unset = embedded PostgreSQL in the home folder."
    )
    mqtt_url: str | None = Field(
        default=None,
        description="mqtt:// or mqtts://user:pass@host:port; unset = a broker of our own.",
    )
    http: str = Field(default="127.0.0.1:8080", description="Address of the web pages, host:port.")
    timezone: str = Field(
        default="Asia/Shanghai", description="Zone of local days, clock hours and pages."
    )
    log_level: str = Field(default="info", description="debug, info, warning or error.")
    batch_readings: int = Field(
        default=5000, ge=1, le=100_000, description="A batch closes at this many readings."
    )
    batch_most_readings: int = Field(
        default=40_000,
        ge=1,
        le=100_000,
        description="While another one is written, a batch may grow to this many readings.",
    )
    batch_wait_s: float = Field(
        default=0.2, gt=0, le=10, description="A batch closes this long after its first message."
    )
    flood_factor: float = Field(
        default=8.0,
        ge=0,
        description="Under pressure, messages of a gateway beyond so many times the others' mean "
        "are kept aside for later; 0 = never.",
    )
    flood_aside_mb: int = Field(
        default=256,
        ge=0,
        description="So many MB are kept aside per gateway; beyond, it holds up the others.",
    )
    max_payload_bytes: int = Field(
        default=262_144, ge=1024, description="A larger MQTT payload is refused."
    )
    future_tolerance_s: int = Field(
        default=86_400,
        ge=60,
        le=366 * 86_400,
        description="A reading further ahead of its receipt is refused.",
    )
    keep_from: datetime = Field(
        default=datetime(2010, 1, 1, tzinfo=UTC),
        description="Readings before this instant are refused.",
    )
    keep_raw_days: int = Field(
        default=0,
        ge=0,
        le=36_500,
        description="Raw readings older than so many days are dropped; 0 = kept for ever.",
    )
    keep_rejects_days: int = Field(
        default=0,
        ge=0,
        le=36_500,
        description="Rejects and gateways' counts older than so many days are dropped; 0 = never.",
    )
    keep_courses_days: int = Field(
        default=0,
        ge=0,
        le=36_500,
        description="Replays of alerts that were lifted so many days ago are dropped; 0 = never.",
    )
    collector_id: str = Field(
        default="wattwitness-collector",
        description="MQTT client id of the collector; stable, so that its session survives.",
    )
    collector_metrics: str = Field(
        default="", description="host:port of the collector's own /metrics; empty = off."
    )
    broker_port: int = Field(
        default=18883,
        ge=1024,
        le=65_535,
        description="Preferred port of the embedded broker; the next free one is taken.",
    )
    follow_most_s: float = Field(
        default=300.0,
        ge=0,
        le=3600,
        description="New readings of an enterprise wait at most so long until they are analysed.",
    )
    inspection_share: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Share of the enterprises drawn at random for inspection each week.",
    )
    inspection_seed: int = Field(
        default=1, description="Seed of that draw; the same seed and week draw the same."
    )

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"no such zone {name!r}; write one such as Asia/Shanghai") from None
        return name

    @field_validator("keep_from")
    @classmethod
    def _since_there_are_meters(cls, instant: datetime) -> datetime:
        if instant.tzinfo is None or instant < datetime(1970, 1, 1, tzinfo=UTC):
            raise ValueError("write an instant with its offset, 1970 or later")
        return instant

    @field_validator("log_level")
    @classmethod
    def _level_exists(cls, level: str) -> str:
        if level.lower() not in {"debug", "info", "warning", "error"}:
            raise ValueError("write debug, info, warning or error")
        return level.lower()

    @field_validator("http")
    @classmethod
    def _host_and_port(cls, address: str) -> str:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit() or not 0 <= int(port) <= 65_535:
            raise ValueError("write host:port, such as 127.0.0.1:8080")
        return address

    @property
    def zone(self) -> ZoneInfo:
        """The zone of local days and clock hours."""
        return ZoneInfo(self.timezone)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the TOML file of the home folder."""
        del dotenv_settings, file_secret_settings
        toml = TomlConfigSettingsSource(settings_cls, default_home() / "wattwitness.toml")
        return init_settings, env_settings, toml


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        InputRefusedError: one line that names the setting and what it may be.
    """
    _refuse_unknown_names(os.environ)
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "settings"
        says = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            says = "there is no such setting"
        raise InputRefusedError(
            f"setting {name}: {says} (got {first.get('input')!r})",
            f"mend WATTWITNESS_{name.upper()} or {default_home() / 'wattwitness.toml'}",
        ) from None
    except ValueError as error:  # a TOML file that is none
        raise InputRefusedError(
            f"{default_home() / 'wattwitness.toml'} cannot be read: {error}", "mend the file"
        ) from None


def _refuse_unknown_names(environment: Mapping[str, str]) -> None:
    """A misspelt variable would otherwise be a default without a word."""
    known = {f"{_PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in sorted(environment):
        if name.startswith(_PREFIX) and name not in known and not name.startswith(_NOT_SETTINGS):
            near = difflib.get_close_matches(name, known, n=1)
            remedy = f"did you mean {near[0]}?" if near else "docs/settings.md lists them"
            raise InputRefusedError(f"there is no setting {name}", remedy)
