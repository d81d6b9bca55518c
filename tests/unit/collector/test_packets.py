from hypothesis import given
from hypothesis import strategies as st

from collector.packets import FIRST_OWN_MID, pubacks, publish, split
from collector.proving import Outgoing


def incoming(topic: bytes, mid: int, payload: bytes, properties: bytes = b"") -> bytes:
    """A PUBLISH with QoS 1 and properties, by the book."""
    body = len(topic).to_bytes(2, "big") + topic + mid.to_bytes(2, "big")
    body += bytes([len(properties)]) + properties + payload
    length, head = len(body), bytearray([0x32])
    while True:
        length, digit = divmod(length, 128)
        head.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


messages = st.tuples(
    st.binary(min_size=1, max_size=20), st.integers(1, 65_535), st.binary(max_size=400)
)


@given(st.lists(messages, max_size=8), st.lists(st.integers(1, 50), max_size=200))
def test_a_stream_in_any_pieces_gives_the_same(
    sent: list[tuple[bytes, int, bytes]], pieces: list[int]
):
    ping = b"\xd0\x00"
    stream = b"".join(incoming(*message) + ping for message in sent)
    rest, found, others, at = b"", [], [], 0
    for size in (*pieces, len(stream)):
        one = split(rest + stream[at : at + size])
        at += size
        rest = one.rest
        found += one.publishes
        others += one.others
    assert found == [(topic, mid, False, payload) for topic, mid, payload in sent]
    assert others == [ping] * len(sent)
    assert rest == b""


def test_what_we_publish_can_be_read():
    for size in (0, 1, 100, 127, 128, 16_384, 300_000):
        packet = publish(b"a/b", 7, b"x" * size)
        assert split(packet).publishes == [(b"a/b", 7, False, b"x" * size)]


def test_properties_are_skipped_and_repeats_told():
    packet = bytearray(incoming(b"t", 5, b"{}", b"\x02\x00\x00\x00\x09"))
    packet[0] |= 0x08
    assert split(bytes(packet)).publishes == [(b"t", 5, True, b"{}")]


def test_qos_0_has_nothing_to_acknowledge():
    assert split(b"\x30\x06\x00\x01t\x00{}").publishes == [(b"t", 0, False, b"{}")]


def test_what_is_unusual_is_left_to_the_client():
    alias = incoming(b"", 5, b"{}", b"\x23\x00\x01")
    qos_2 = b"\x34" + incoming(b"t", 5, b"{}")[1:]
    subscribed = b"\x90\x04\x00\x01\x00\x01"
    foreign = b"\x40\x02\x00\x05"
    found = split(alias + qos_2 + subscribed + foreign)
    assert found.publishes == []
    assert found.others == [alias, qos_2, subscribed, foreign]


def test_a_length_that_never_ends_is_left_to_the_client():
    assert split(b"\x30\xff\xff\xff\xff\xff").others == [b"\x30\xff\xff\xff\xff\xff"]


def test_acknowledgements_in_one_piece():
    assert pubacks([1, 0x1234]) == b"\x40\x02\x00\x01\x40\x02\x12\x34"
    own = FIRST_OWN_MID + 3
    assert split(b"\x40\x03" + own.to_bytes(2, "big") + b"\x10").acknowledged == [own]


def test_of_what_waits_on_a_topic_the_last_word_leaves():
    out = Outgoing()
    out.most_in_flight = 2
    for topic, payload in ((b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"c", b"1")):
        out.put(topic, payload)
    first = split(out.packets()).publishes
    assert [(topic, payload) for topic, _, _, payload in first] == [(b"b", b"1"), (b"a", b"2")]
    assert out.packets() == b""
    out.acknowledged([first[0][1]])
    assert [p[0] for p in split(out.packets()).publishes] == [b"c"]
    assert out.waiting == 0
