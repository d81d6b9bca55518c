"""Readings, good and bad, as JSON text, each with what has to become of it."""

import json
import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from benchmarks.fuzz import world
from benchmarks.fuzz.expected import Bad, Counts, Fate, Good, Waits

Fields = dict[str, str]  # field → its JSON text
_ORDER: Final = ("p", "e", "q", "u", "i", "pf")
WRONG_TYPE: Final = Bad(frozenset({"wrong_type"}))
IMPOSSIBLE: Final = Bad(frozenset({"impossible"}))
UNREADABLE_NUMBER: Final = Bad(frozenset({"impossible", "wrong_type", "malformed"}))
_JUNK: Final = ('"84.7"', "true", "{}", "[]", '{"value":1}', "[1]", '"NaN"')


class ReadingMaker:
    """Makes readings of one world; good ones get instants of their own unless told otherwise."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._ticks = 0
        self._seen: list[tuple[int, Fields]] = []

    def good(self) -> tuple[str, Fate]:
        """A reading that follows the contract, spelled in one of many ways."""
        channel, fields, ts_ms = self._fields()
        return self._spell(channel, fields), _fate(channel, ts_ms * world.MS, fields)

    def any(self) -> tuple[str, Fate]:
        """A reading with one thing about it."""
        return self._chance.choice(_WAYS)(self)

    def _fields(self) -> tuple[str, Fields, int]:
        chance = self._chance
        channel = chance.choice(world.CHANNELS)
        if self._seen and chance.random() < 0.15:  # an instant again, with these or other values
            ts_ms, fields = chance.choice(self._seen)
            fields = dict(fields)
            if chance.random() < 0.5:
                fields["p"] = _number(chance, 900.0, 1)
        else:
            self._ticks += 1
            step_ms = 1000 * (self._ticks % 4_000_000) + chance.randrange(1000)
            ts_ms = world.OLDEST_MS + step_ms
            fields = self._values()
            if len(self._seen) < 500:
                self._seen.append((ts_ms, fields))
            else:
                self._seen[chance.randrange(500)] = (ts_ms, fields)
        return channel, {"ts": self._instant(ts_ms), **fields}, ts_ms

    def _values(self) -> Fields:
        chance = self._chance
        fields: Fields = {}
        has = chance.randrange(64) | chance.choice((1, 2, 3))  # p, e or both
        if has & 1:
            fields["p"] = _number(chance, 900.0, 1)
        if has & 2:
            fields["e"] = _number(chance, 9e6, 2)
        if has & 4:
            fields["q"] = _number(chance, 400.0, 1)
        if has & 8:
            fields["u"] = _phases(chance, 240.0, 1)
        if has & 16:
            fields["i"] = _phases(chance, 300.0, 2)
        if has & 32:
            fields["pf"] = f"{chance.uniform(-1, 1):.3f}"
        for name in _ORDER:
            if name not in fields and chance.random() < 0.05:
                fields[name] = "null"
        return fields

    def _instant(self, ts_ms: int) -> str:
        """The same instant in one of the spellings of the contract."""
        way = self._chance.randrange(8)
        if way < 4:
            return str(ts_ms)
        if way == 4:
            return f"{ts_ms}.0"
        if way == 5:
            return f"{ts_ms}e0"
        zone = timezone(timedelta(minutes=self._chance.choice((0, 480, -300, 345, 840, -720))))
        moment = datetime.fromtimestamp(ts_ms / 1000, UTC).astimezone(zone)
        return json.dumps(moment.isoformat(timespec="milliseconds"))

    def _spell(self, channel: str, fields: Fields) -> str:
        chance = self._chance
        name = json.dumps(channel, ensure_ascii=chance.random() < 0.5)
        if chance.random() < 0.05:
            name = '"' + "".join(f"\\u{ord(c):04x}" for c in channel) + '"'
        pairs = [("ch", name), *fields.items()]
        if "rs" not in fields and chance.random() < 0.1:
            pairs.append(("rs", chance.choice(("true", "false"))))
        if chance.random() < 0.3:
            chance.shuffle(pairs)
        gap = " " if chance.random() < 0.2 else ""
        inner = f",{gap}".join(f'"{key}":{gap}{value}' for key, value in pairs)
        return "{" + inner + "}"

    # one thing about it

    def _with(self, name: str, text: str, fate: Fate | None) -> tuple[str, Fate]:
        """A good reading but for one field; `fate` None = still good."""
        channel, fields, ts_ms = self._fields()
        fields[name] = text
        if not {"p", "e"} & {k for k, v in fields.items() if v != "null"}:
            fields["e" if name == "p" else "p"] = "1.5"
        spelled = self._spell(channel, fields)
        return spelled, _fate(channel, ts_ms * world.MS, fields) if fate is None else fate

    def wrong_type(self) -> tuple[str, Fate]:
        """A field of a type it cannot have."""
        name = self._chance.choice((*_ORDER, "rs"))
        junk = [text for text in _JUNK if not (name == "rs" and text == "true")]
        return self._with(name, self._chance.choice(junk), WRONG_TYPE)

    def no_number(self) -> tuple[str, Fate]:
        """NaN, infinities, and numbers that no float can be."""
        text = self._chance.choice(("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9" * 400))
        fate = UNREADABLE_NUMBER if text[-1].isdigit() else IMPOSSIBLE
        name = self._chance.choice(_ORDER)
        return self._with(name, f"[1,{text},2]" if name in {"u", "i"} else text, fate)

    def beyond(self) -> tuple[str, Fate]:
        """Just beyond, or far beyond, what can be."""
        name = self._chance.choice(_ORDER)
        factor = self._chance.choice((1.0001, 2.0, 1e3, 1e30, 1e290, -1.0001, -1e6))
        if name in {"p", "q"}:
            return self._with(name, repr(1.5e6 * factor), IMPOSSIBLE)
        value = repr(world.LIMITS[name] * factor)
        return self._with(name, f"[0,{value},0]" if name in {"u", "i"} else value, IMPOSSIBLE)

    def edge(self) -> tuple[str, Fate]:
        """At the very edge of what can be: good."""
        name, text = self._chance.choice(_EDGES)
        return self._with(name, text, None)

    def odd_phases(self) -> tuple[str, Fate]:
        """Two or four phases, or one that is no number."""
        text = self._chance.choice(
            ("[1,2]", "[1,2,3,4]", "[]", '[1,"2",3]', "[1,true,3]", "[[1],2,3]")
        )
        return self._with(self._chance.choice(("u", "i")), text, WRONG_TYPE)

    def negative_volts(self) -> tuple[str, Fate]:
        """A voltage below zero."""
        return self._with("u", "[-0.1,220,220]", IMPOSSIBLE)

    def no_value(self) -> tuple[str, Fate]:
        """Neither power nor energy."""
        channel, fields, _ = self._fields()
        for name in ("p", "e"):
            fields.pop(name, None)
            if self._chance.random() < 0.5:
                fields[name] = "null"
        return self._spell(channel, fields), Bad(frozenset({"no_value"}))

    def unknown_channel(self) -> tuple[str, Fate]:
        """A channel that is in no registry."""
        _, fields, _ = self._fields()
        channel = self._chance.choice(world.STRANGE_CHANNELS)
        return self._spell(channel, fields), Waits(channel)

    def odd_channel(self) -> tuple[str, Fate]:
        """What cannot be a channel."""
        _, fields, _ = self._fields()
        text = self._chance.choice(
            ('""', '"a\\u0000b"', '"\\n"', '"' + "x" * 129 + '"', "null", "1", "[]", '"\\u202e"')
        )
        inner = ",".join([f'"ch":{text}', *(f'"{k}":{v}' for k, v in fields.items())])
        return "{" + inner + "}", WRONG_TYPE

    def half_a_character(self) -> tuple[str, Fate]:
        """Half of a surrogate pair, which is no text."""
        _, fields, _ = self._fields()
        inner = ",".join(['"ch":"\\ud800"', *(f'"{k}":{v}' for k, v in fields.items())])
        return "{" + inner + "}", Bad(frozenset({"wrong_type", "malformed"}))

    def missing(self) -> tuple[str, Fate]:
        """Without its channel, or without its instant."""
        channel, fields, _ = self._fields()
        if self._chance.random() < 0.5:
            del fields["ts"]
            return self._spell(channel, fields), WRONG_TYPE
        return "{" + ",".join(f'"{k}":{v}' for k, v in fields.items()) + "}", WRONG_TYPE

    def odd_instant(self) -> tuple[str, Fate]:
        """An instant that cannot be read, or lies outside the calendar."""
        channel, fields, _ = self._fields()
        fields["ts"], codes = self._chance.choice(_INSTANTS)
        return self._spell(channel, fields), Bad(frozenset(codes.split()))

    def calendar_edge(self) -> tuple[str, Fate]:
        """The first instant that is kept, and the one before it."""
        channel, fields, _ = self._fields()
        late = self._chance.random() < 0.5
        ts_ms = (
            world.KEEP_FROM_MS - 1 if late else world.KEEP_FROM_MS + self._chance.randrange(1000)
        )
        fields["ts"] = str(ts_ms)
        fate = Bad(frozenset({"ts_past"})) if late else _fate(channel, ts_ms * world.MS, fields)
        return self._spell(channel, fields), fate

    def no_object(self) -> tuple[str, Fate]:
        """A reading that is none."""
        return self._chance.choice(
            ("null", "1", '"P1"', "[]", "true", "-0.5", '[{"ch":"P1"}]')
        ), WRONG_TYPE

    def unknown_field(self) -> tuple[str, Fate]:
        """A field more: counted, and otherwise left alone."""
        deep = self._chance.choice((1, 5, 60))
        text = self._chance.choice(
            ("1", '"x"', "null", "[" * deep + "]" * deep, '{"p":{"p":NULL}}')
        )
        return self._with("temperature", text.replace("NULL", "null"), None)

    def twice(self) -> tuple[str, Fate]:
        """A field that is written twice: the last one counts."""
        channel, fields, ts_ms = self._fields()
        fields["p"] = "7.5"
        spelled = self._spell(channel, fields)
        return '{"p":3.25,' + spelled[1:], _fate(channel, ts_ms * world.MS, fields)


_EDGES: Final = (
    ("p", "1000000"), ("p", "-1e6"), ("p", "-0.0"), ("p", "0"), ("p", "5e-324"), ("p", "1e-400"),
    ("e", "1e12"), ("e", "-1000000000000.00"), ("e", "0"), ("e", "999999999999.99"),
    ("q", "1000000.0"), ("u", "[0,1000000,null]"), ("u", "[null,null,null]"), ("u", "[-0.0,0,0]"),
    ("i", "[-1e6,1e6,0.01]"), ("pf", "1.005"), ("pf", "-1.005"), ("pf", "1E0"), ("u", "null"),
)  # fmt: skip
_INSTANTS: Final = (
    ("null", "wrong_type"), ("true", "wrong_type"), ("[]", "wrong_type"), ("{}", "wrong_type"),
    ('""', "wrong_type"), ('"yesterday"', "wrong_type"), ('"2026-13-01T00:00:00Z"', "wrong_type"),
    ('"1767225600000"', "wrong_type"), ('"2026-05-01T08:00:00"', "no_offset"),
    ('"2026-05-01"', "no_offset"), ("0", "ts_past"), ("-1", "ts_past"), ("-1e300", "ts_past"),
    ("1e300", "ts_future"), ("9223372036854775807", "ts_future"),
    ("9223372036854775808", "ts_future"), ("-9223372036854775809", "ts_past"),
    ("18446744073709551616", "ts_future"), ("1" + "0" * 300, "ts_future"),
    ("1e400", "impossible wrong_type malformed"), ("NaN", "impossible"),
    ("Infinity", "impossible"), ('"9999-12-31T23:59:59Z"', "ts_future"),
    ('"9999-12-31T23:59:59-23:59"', "ts_future"), ('"0001-01-01T00:00:00Z"', "ts_past"),
    ('"0001-01-01T00:00:00+23:59"', "ts_past"), ('"1970-01-01T00:00:00Z"', "ts_past"),
    (str(world.NOW_MS + world.TOLERANCE_MS + 3_600_000), "ts_future"),
    ("253402300800000", "ts_future"), ("8210266876799999", "ts_future"),
)  # fmt: skip
_Way = Callable[[ReadingMaker], tuple[str, Fate]]
_WAYS: Final[tuple[_Way, ...]] = (
    ReadingMaker.wrong_type, ReadingMaker.no_number, ReadingMaker.beyond, ReadingMaker.edge,
    ReadingMaker.odd_phases, ReadingMaker.negative_volts, ReadingMaker.no_value,
    ReadingMaker.unknown_channel, ReadingMaker.odd_channel, ReadingMaker.half_a_character,
    ReadingMaker.missing, ReadingMaker.odd_instant, ReadingMaker.calendar_edge,
    ReadingMaker.no_object, ReadingMaker.unknown_field, ReadingMaker.twice,
)  # fmt: skip


def _number(chance: random.Random, most: float, digits: int) -> str:
    text = f"{chance.uniform(-most / 10, most):.{digits}f}"
    return text if chance.random() < 0.9 else f"{text}e0"


def _phases(chance: random.Random, most: float, digits: int) -> str:
    parts = (
        "null" if chance.random() < 0.05 else f"{chance.uniform(0, most):.{digits}f}"
        for _ in range(3)
    )
    return f"[{','.join(parts)}]"


def _fate(channel: str, ts_us: int, fields: Fields) -> Good:
    values: list[float | None] = []
    for name in _ORDER:
        value = json.loads(fields.get(name, "null"))
        values += (value or [None] * 3) if name in {"u", "i"} else [value]
    counts: Counts = tuple(
        None if value is None else _whole(value * scale)
        for value, scale in zip(values, world.SCALES, strict=True)
    )
    return Good(channel, ts_us, counts)


def _whole(value: float) -> int:
    """The nearest whole number; what lies between two does not occur."""
    nearest = math.floor(value + 0.5)
    assert abs(value - nearest) < 0.499  # noqa: S101 - else rounding would decide
    return nearest
