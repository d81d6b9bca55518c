"""Where the broker is, and who we are to it: both ends read the same setting."""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

from wattwitness.domain.errors import InputRefusedError

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """`mqtt://` or `mqtts://user:pass@host:port`; written out without the password."""

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a URL.

        Raises:
            InputRefusedError: not such a URL.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS[parts.scheme]
        except (ValueError, KeyError):
            parts, port = None, 0
        if parts is None or not parts.hostname:
            raise InputRefusedError(
                "the MQTT URL is not the address of a broker",
                "write mqtt://host:1883 or mqtts://user:password@host:8883 (WATTWITNESS_MQTT_URL)",
            )
        return cls(
            parts.hostname,
            port,
            parts.scheme == "mqtts",
            None if parts.username is None else unquote(parts.username),
            None if parts.password is None else unquote(parts.password),
        )
