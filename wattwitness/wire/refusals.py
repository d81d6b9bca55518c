"""Why something that came over the air cannot be used, before anyone knows whose it is."""

from dataclasses import dataclass
from typing import Final

from wattwitness.domain.rejects import RejectCode

_MAX_TEXT: Final = 200


@dataclass(frozen=True, slots=True)
class Refusal:
    """A code and a sentence; the collector adds gateway, bytes and time to make it a `Reject`."""

    code: RejectCode
    text: str


def plain_text(text: str) -> str:
    """`text` as one short line that any database and terminal takes."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:_MAX_TEXT])
