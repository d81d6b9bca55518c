"""Where an export goes: standard output, or a file that appears whole or not at all."""

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


def check_target(path: Path | None, file_format: Format) -> None:
    """Refuse, before any work is done, a place that cannot take the export.

    Raises:
        InputRefusedError: no file for a binary format, no such folder, or a folder's name.
    """
    if path is None:
        if not file_format.is_text:
            raise InputRefusedError(
                f"{file_format} is not text", f"name a file: -o export.{file_format}"
            )
    elif path.is_dir():
        raise InputRefusedError(f"{path} is a folder", "name a file in it")
    elif not path.parent.is_dir():
        raise InputRefusedError(f"the folder {path.parent} does not exist", "create it first")


@contextmanager
def open_output(path: Path | None) -> Iterator[BinaryIO]:
    """A binary stream; a file replaces an older one only when all of it is written.

    Raises:
        SetupError: it cannot be written.
    """
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        raise SetupError(
            f"{path} cannot be written ({error.strerror or error})",
            "choose another place, or free disk space",
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
