import pytest

from wattwitness.domain.errors import InputRefusedError
from wattwitness.wire.broker_address import BrokerAddress


def test_addresses():
    assert BrokerAddress.parse("mqtt://h") == BrokerAddress("h", 1883)
    secured = BrokerAddress.parse("mqtts://me:p%40ss@h:9")
    assert secured == BrokerAddress("h", 9, tls=True, username="me", password="p@ss")  # noqa: S106
    assert "p@ss" not in f"{secured} {secured!r}"
    assert BrokerAddress.parse("mqtt://[::1]:5").host == "::1"


@pytest.mark.parametrize("url", ["", "h:1883", "http://h", "mqtt://", "mqtt://h:x", "mqtt://:5"])
def test_what_is_no_address_is_refused(url: str):
    with pytest.raises(InputRefusedError, match="mqtt://host:1883"):
        BrokerAddress.parse(url)
