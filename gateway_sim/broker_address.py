"""Where the broker is: `mqtt://` or `mqtts://user:pass@host:port`."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from wattwitness.domain.errors import InputRefusedError

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """A broker, and who we are to it; written out without the password."""

    host: str
    port: int
    tls: bool
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def parse_broker_url(url: str) -> BrokerAddress:
    """An MQTT URL → address; user and password may be percent-encoded.

    Raises:
        InputRefusedError: not such a URL. The message does not repeat it: it may hold a password.
    """
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in _PORTS or not host:
        raise InputRefusedError(
            "the MQTT URL is not the address of a broker",
            "write mqtt://host:1883 or mqtts://user:password@host:8883",
        )
    return BrokerAddress(
        host=host,
        port=port or _PORTS[scheme],
        tls=scheme == "mqtts",
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )
