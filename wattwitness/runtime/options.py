"""Values of command-line options that several processes take."""

import getpass
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


def user_name() -> str:
    """Who runs this program, for what is signed without a name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name for this user id, as in some containers
        return "unknown"
