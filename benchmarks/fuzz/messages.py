"""Messages around readings, whole and broken, with their topics."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Final

from benchmarks.fuzz import world
from benchmarks.fuzz.expected import (
    Anything,
    Expected,
    Nothing,
    Readings,
    Sent,
    Stranger,
    Whole,
)
from benchmarks.fuzz.readings import ReadingMaker

MALFORMED: Final = frozenset({"malformed"})
_GOOD_MARKS: Final = (
    '"v":1,', "", '"v":1.0,', '"x":[[[[1]]]],', '"sent":1767225660123,', '"note":"\\u0000",',
    '"epoch":"b7f2","seq":5,', '"epoch":"b7f2","seq":6,"oldest":3,',
    '"epoch":"","seq":1,', '"epoch":"a\\u0000","seq":1,', '"epoch":"' + "e" * 65 + '","seq":1,',
    '"epoch":1,"seq":1,', '"epoch":"b","seq":-1,', '"epoch":"b","seq":9007199254740992,',
    '"epoch":"b","seq":9223372036854775808,', '"epoch":"b","seq":1e400,', '"epoch":null,"seq":1,',
    '"epoch":"b","seq":1.5,', '"epoch":"b","seq":"1",', '"epoch":"b","seq":true,',
    '"epoch":"b","seq":3,"oldest":9,', '"epoch":"b","seq":3,"oldest":-1,', '"epoch":"b","seq":[],',
    '"epoch":"b","seq":NaN,', '"sent":NaN,', '"sent":-Infinity,', '"sent":1e400,', '"sent":[],',
    '"sent":"yesterday",', '"sent":"9999-12-31T23:59:59-23:00",', '"sent":' + "9" * 400 + ",",
    '"epoch":"\\ud83d\\ude00","seq":1,', '"epoch":"b","seq":1,"seq":2,', '"x":NaN,',
    '"epoch":"b","seq":' + "9" * 30 + ",", '"x":' + "[" * 150 + "]" * 150 + ",",
)  # fmt: skip
_BAD_VERSIONS: Final = ('"v":2,', '"v":"1",', '"v":true,', '"v":null,', '"v":1.5,', '"v":[],')
_BAD_LISTS: Final = ("null", "{}", '"[]"', "1", "true", '{"0":{"ch":"P1","ts":1,"p":1}}')
_BROKEN: Final = (
    '{"readings":[%s,]}', '{"readings":[%s]', '{"readings":[%s]}}', '{"readings":[%s]},',
    "{readings:[%s]}", "{'readings':[%s]}", '{"readings":[%s] "v":1}', '[{"readings":[%s]}]',
    '{"readings":[%s]}{"readings":[]}', '"%s"', '{"readings":[%s,{"ch":"P1","ts":1,"p":01}]}',
    '{"readings":[%s,{"ch":"P1","ts":1,"p":+1}]}', '{"readings":[%s,{"ch":"P1","ts":1,"p":.5}]}',
    '{"readings":[%s,{"ch":"P1","ts":1,"p":1.}]}', '{"readings":[%s,{"ch":"P1","ts":1,"p":nan}]}',
    '/* */{"readings":[%s]}', '\ufeff{"readings":[%s]}',
)  # fmt: skip
_BAD_TOPICS: Final = (
    "wattwitness/v1//readings", "wattwitness/v1/a/b/readings", "wattwitness/v2/G1/readings",
    "wattwitness/v1/G1", "readings", "", "wattwitness/v1/G1/readings/",
    "wattwitness/v1/G+1/readings",
    "wattwitness/v1/G#/readings", "wattwitness/v1/a\x00b/readings", "x/wattwitness/v1/G1/readings",
    "wattwitness/v1/\ud800/readings", "wattwitness/v1/a\nb/readings", "$SYS/broker",
    "wattwitness/v1/" + "g" * 129 + "/readings", "wattwitness/v1/G1/Readings",
)  # fmt: skip


def make_messages(seed: str, count: int) -> Iterator[Sent]:
    """`count` messages of a seed."""
    maker = MessageMaker(random.Random(seed))
    for _ in range(count):
        yield maker.make()


class MessageMaker:
    """Draws one way of being wrong (or right) after the other."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._readings = ReadingMaker(chance)
        self._before: list[Sent] = []

    def make(self) -> Sent:
        """The next message."""
        (way,) = self._chance.choices(_KINDS, _WEIGHTS)
        sent = way(self)
        if len(self._before) < 300:
            self._before.append(sent)
        elif self._chance.random() < 0.1:
            self._before[self._chance.randrange(300)] = sent
        return sent

    def _some(self, odd: float, most: int = 6) -> tuple[str, Readings]:
        """Readings, of which a share has one thing about it; as JSON and as expected."""
        n = self._chance.randint(1, most)
        made = [
            self._readings.any() if self._chance.random() < odd else self._readings.good()
            for _ in range(n)
        ]
        texts = [text for text, _ in made]
        items = tuple(text.encode() for text in texts)
        return ",".join(texts), Readings(tuple(fate for _, fate in made), items)

    def _sent(
        self, kind: str, payload: bytes, expected: Expected, gateway: str | None = None
    ) -> Sent:
        name = gateway or self._chance.choice(world.GATEWAYS)
        if isinstance(expected, Whole):
            expected = Whole(expected.codes, name)
        return Sent(kind, f"wattwitness/v1/{name}/readings", payload, name, expected)

    def good(self) -> Sent:
        """To the letter, or with an envelope that is odd and may be."""
        inner, expected = self._some(0.0, 20)
        return self._sent("good", self._envelope(inner), expected)

    def half_bad(self) -> Sent:
        """Good readings beside others."""
        inner, expected = self._some(0.35, 8)
        return self._sent("half bad", self._envelope(inner), expected)

    def _envelope(self, inner: str) -> bytes:
        chance = self._chance
        mark = chance.choice(_GOOD_MARKS)
        if chance.random() < 0.2:
            text = '{"readings":[' + inner + "]," + mark.rstrip(",") + "}"
            text = text.replace(",}", "}") if not mark else text
        else:
            text = "{" + mark + '"readings":[' + inner + "]}"
        if chance.random() < 0.05:
            text = f"\n\t {text} \r\n"
        return text.encode()

    def stranger(self) -> Sent:
        """Of a gateway that nobody registered, whatever its readings are."""
        inner, expected = self._some(0.2)
        gateway = self._chance.choice(world.STRANGERS)
        payload = self._envelope(inner)
        return self._sent("unknown gateway", payload, Stranger(len(expected.items)), gateway)

    def empty(self) -> Sent:
        """No reading at all."""
        gateway = self._chance.choice((*world.GATEWAYS, *world.STRANGERS))
        return self._sent("empty", self._envelope(""), Nothing(), gateway)

    def version(self) -> Sent:
        """A version that is not spoken."""
        inner, _ = self._some(0.0)
        payload = (
            "{" + self._chance.choice(_BAD_VERSIONS) + '"readings":[' + inner + "]}"
        ).encode()
        return self._sent("version", payload, Whole(frozenset({"wrong_type"}), None))

    def no_list(self) -> Sent:
        """Readings that are no list, or are not there."""
        text = self._chance.choice(_BAD_LISTS)
        payload = ('{"v":1,"readings":' + text + "}").encode()
        if self._chance.random() < 0.2:
            payload = b'{"v":1,"epoch":"b","seq":1}'
        return self._sent("no list", payload, Whole(MALFORMED, None))

    def broken(self) -> Sent:
        """No JSON, by a hair."""
        inner, _ = self._some(0.0)
        text = self._chance.choice(_BROKEN).replace("%s", inner)
        return self._sent("broken JSON", text.encode(), Whole(MALFORMED, None))

    def truncated(self) -> Sent:
        """Cut off somewhere."""
        inner, _ = self._some(0.1)
        payload = ('{"v":1,"readings":[' + inner + "]}").encode()
        cut = payload[: self._chance.randrange(len(payload))]
        return self._sent("truncated", cut, Whole(MALFORMED, None))

    def encoded(self) -> Sent:
        """Another encoding."""
        inner, _ = self._some(0.0)
        encoding = self._chance.choice(("utf-16", "utf-16-be", "utf-32", "utf-7", "cp037"))
        text = '{"readings":[' + inner.encode("ascii", "ignore").decode() + "]}"
        payload = text.encode(encoding)
        if encoding == "utf-7":
            payload = b"\xff" + payload
        return self._sent("encoding", payload, Whole(MALFORMED, None))

    def deep(self) -> Sent:
        """Nested deeper than anybody reads."""
        depth = self._chance.choice((5_000, 50_000))
        opening, closing = self._chance.choice((("[", "]"), ('{"a":', "}")))
        nest = (
            opening * depth + "1" + closing * depth
            if self._chance.random() < 0.5
            else opening * depth
        )
        payload = self._chance.choice(('{"readings":%s}', "%s", '{"readings":[%s]}', '{"x":%s}'))
        made = payload.replace("%s", nest).encode()[: world.MAX_PAYLOAD]
        return self._sent("deep", made, Anything(None))

    def large(self) -> Sent:
        """Larger than is taken."""
        inner, _ = self._some(0.0)
        padding = " " * self._chance.choice((world.MAX_PAYLOAD, world.MAX_PAYLOAD + 1))
        payload = ('{"readings":[' + inner + "]" + padding + "}").encode()
        return self._sent("too large", payload, Whole(frozenset({"too_large"}), None))

    def crowd(self) -> Sent:
        """Tens of thousands of readings in one message, none of them any good."""
        n = self._chance.choice((20_000, 60_000))
        payload = b'{"readings":[' + b",".join([b"1"] * n) + b"]}"
        return self._sent("crowd", payload, Anything(n))

    def flipped(self) -> Sent:
        """A good message with some bytes changed: it may be anything now."""
        inner, _ = self._some(0.0)
        payload = bytearray(('{"v":1,"epoch":"b","seq":7,"readings":[' + inner + "]}").encode())
        for _ in range(self._chance.randint(1, 4)):
            payload[self._chance.randrange(len(payload))] = self._chance.randrange(256)
        return self._sent("flipped bytes", bytes(payload), Anything(count_readings(bytes(payload))))

    def noise(self) -> Sent:
        """Random bytes."""
        payload = self._chance.randbytes(self._chance.choice((0, 1, 2, 16, 200, 2000)))
        return self._sent("random bytes", payload, Anything(count_readings(payload)))

    def some_json(self) -> Sent:
        """JSON of no meaning."""
        payload = json.dumps(_value(self._chance, 4)).encode()
        return self._sent("random JSON", payload, Anything(count_readings(payload)))

    def topic(self) -> Sent:
        """A topic that names no gateway."""
        inner, _ = self._some(0.0)
        topic = self._chance.choice(_BAD_TOPICS)
        payload = ('{"readings":[' + inner + "]}").encode()
        return Sent("bad topic", topic, payload, None, Whole(frozenset({"bad_topic"}), None))

    def status(self) -> Sent:
        """A gateway's word about itself, or what is none."""
        gateway = self._chance.choice(world.GATEWAYS)
        expected: Expected = Nothing()
        payload = b'{"online":true,"ts":%d}' % (world.NOW_MS - self._chance.randrange(10**6))
        if self._chance.random() < 0.5:
            payload = self._chance.choice(
                (b"", b"online", b'{"online":1,"ts":1}', b'{"ts":1}', b'{"online":true}', b"\xff")
            )
            expected = Whole(frozenset({"malformed", "wrong_type"}), gateway)
        elif self._chance.random() < 0.3:
            payload = self._chance.choice(
                (b'{"online":false,"ts":1e300}', b'{"online":true,"ts":-9223372036854775809}',
                 b'{"online":true,"ts":"0001-01-01T00:00:00+23:59","x":{}}')
            )  # fmt: skip
        return Sent("status", f"wattwitness/v1/{gateway}/status", payload, gateway, expected)

    def again(self) -> Sent:
        """An earlier message, once more."""
        return self._chance.choice(self._before) if self._before else self.good()


def count_readings(payload: bytes) -> int | None:
    """How many readings Python's own reader finds; None where it finds no list of them."""
    try:
        found = json.loads(payload.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("readings"), list):
        return None
    version = found.get("v", 1)
    return len(found["readings"]) if version == 1 and not isinstance(version, bool) else None


def _value(chance: random.Random, depth: int) -> object:
    kind = chance.randrange(8 if depth else 5)
    if kind < 5:
        return (None, True, chance.uniform(-1e9, 1e9), chance.randrange(2**70), "P1")[kind]
    if kind == 5:
        return [_value(chance, depth - 1) for _ in range(chance.randrange(4))]
    names = ("readings", "v", "epoch", "seq", "ch", "ts", "p", "e", "u", "x")
    return {chance.choice(names): _value(chance, depth - 1) for _ in range(chance.randrange(5))}


_Kind = Callable[[MessageMaker], Sent]
_SHARES: Final[tuple[tuple[_Kind, float], ...]] = (
    (MessageMaker.good, 20), (MessageMaker.half_bad, 34), (MessageMaker.stranger, 3),
    (MessageMaker.empty, 1), (MessageMaker.version, 2), (MessageMaker.no_list, 2),
    (MessageMaker.broken, 4), (MessageMaker.truncated, 5), (MessageMaker.encoded, 1),
    (MessageMaker.deep, 0.05), (MessageMaker.large, 0.02), (MessageMaker.crowd, 0.001),
    (MessageMaker.flipped, 8), (MessageMaker.noise, 5), (MessageMaker.some_json, 4),
    (MessageMaker.topic, 2), (MessageMaker.status, 3), (MessageMaker.again, 5),
)  # fmt: skip
_KINDS: Final = tuple(kind for kind, _ in _SHARES)
_WEIGHTS: Final = tuple(share for _, share in _SHARES)
