"""Where an export goes: standard output, a file that appears whole or not at all, or a device."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from wattwitness.domain.errors import InputRefusedError, SetupError


class Format(StrEnum):
    """File formats of exports."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"

    @property
    def is_text(self) -> bool:
        """Whether a terminal or a pipe can take it."""
        return self in {Format.JSON, Format.CSV}


def check_target(path: Path | None) -> None:
    """Refuse, before any work is done, a place that cannot take the export.

    Raises:
        InputRefusedError: no such folder, or a folder's name.
    """
    if path is None:
        return
    target = path.resolve()  # a link stays; what it points at is written
    if target.is_dir():
        raise InputRefusedError(f"{path} is a folder", "name a file in it")
    if not target.parent.is_dir():
        raise InputRefusedError(f"the folder {target.parent} does not exist", "create it first")


def format_for(path: Path | None, told: Format | None) -> Format:
    """The format of an export: the one that was told, else by the file's ending, else JSON.

    Raises:
        InputRefusedError: the ending says something else, or is that of no format; no file for a
            format that is not text.
    """
    if path is None and told is not None and not told.is_text:
        raise InputRefusedError(f"{told} is not text", f"name a file: -o export.{told}")
    ending = "" if path is None else path.suffix.lower().removeprefix(".")
    known = set(Format)
    if told is not None:
        if ending in known and ending != told:
            raise InputRefusedError(
                f"{path} ends in .{ending}, and --format says {told}", "leave one of them out"
            )
        return told
    if not ending:
        return Format.JSON
    if ending not in known:
        endings = ", ".join(f".{name}" for name in Format)
        raise InputRefusedError(
            f"no format is known by the ending of {path}", f"use {endings}, or add --format"
        )
    return Format(ending)


@contextmanager
def open_output(path: Path | None) -> Iterator[BinaryIO]:
    """A binary stream; a regular file replaces an older one only when all of it is written.

    What is no regular file (a device, a named pipe) is written as it comes, and stays what it is.

    Raises:
        SetupError: it cannot be written.
        BrokenPipeError: nobody reads standard output any more.
    """
    try:
        if path is None:
            with _standard_output() as stream:
                yield stream
        elif path.exists() and not path.is_file():
            with path.open("wb") as stream:
                yield stream
        else:
            with _replaced(path.resolve()) as stream:
                yield stream
    except OSError as error:
        if path is None and isinstance(error, BrokenPipeError):
            raise
        reason = error.strerror or str(error).split("\n", maxsplit=1)[0]
        raise SetupError(
            f"{path or 'standard output'} cannot be written ({reason})",
            "choose another place, or free disk space",
        ) from error


@contextmanager
def _standard_output() -> Iterator[BinaryIO]:
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except OSError:
        # what is still buffered cannot be written either, and the interpreter would try at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


@contextmanager
def _replaced(path: Path) -> Iterator[BinaryIO]:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
