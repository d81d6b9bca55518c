import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattwitness.domain.errors import InputRefusedError
from wattwitness.wire.topics import Channel, Topic, ack_topic, readings_topic, status_topic


def test_topics_of_a_gateway():
    assert readings_topic("G1") == "wattwitness/v1/G1/readings"
    assert status_topic("网关 7") == "wattwitness/v1/网关 7/status"
    assert ack_topic("G1") == "wattwitness/v1/G1/ack"


@pytest.mark.parametrize("gateway_id", ["", "a/b", "a+", "#", "a\0b", "\n", "\ud800", "x" * 129])
def test_an_invalid_topic_cannot_be_built(gateway_id: str):
    with pytest.raises(InputRefusedError, match="cannot be a gateway id"):
        Topic(gateway_id, Channel.READINGS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "wattwitness/v1/readings",
        "wattwitness/v1//readings",
        "wattwitness/v1/a/b/readings",
        "wattwitness/v1/a/commands",
        "wattwitness/v2/a/readings",
        "x/wattwitness/v1/a/readings",
        "wattwitness/v1/a/readings/",
    ],
)
def test_a_foreign_topic_is_refused_in_one_line(text: str):
    with pytest.raises(InputRefusedError) as refused:
        Topic.parse(text)
    assert "\n" not in str(refused.value)


@given(st.text(max_size=140), st.sampled_from(Channel))
def test_what_can_be_built_parses_back(gateway_id: str, channel: Channel):
    try:
        topic = Topic(gateway_id, channel)
    except InputRefusedError:
        return
    assert Topic.parse(str(topic)) == topic
