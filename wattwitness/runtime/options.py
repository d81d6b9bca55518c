"""Values of command-line options that several processes take."""

from datetime import datetime

import typer

from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import parse_typed_instant


def instant_option(text: str) -> datetime:
    """RFC 3339 text with offset → aware UTC datetime: `parser=` of an option.

    Raises:
        typer.BadParameter: it is none; typer then names the option.
    """
    try:
        return parse_typed_instant(text)
    except InputRefusedError as refusal:
        raise typer.BadParameter(str(refusal)) from None
