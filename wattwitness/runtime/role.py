"""A role that only one process of a home may have at a time, held by a file lock."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wattwitness.domain.errors import SetupError


@contextmanager
def only_one(home: Path, role: str) -> Iterator[None]:
    """Hold a role; the kernel lets go of it when the process ends, however it ends.

    Raises:
        SetupError: another process of this home has the role, or the home cannot be written.
    """
    try:
        (home / "run").mkdir(parents=True, exist_ok=True)
        handle = os.open(home / "run" / f"{role}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    except OSError as error:
        raise SetupError(
            f"the home folder {home} cannot be written: {error.strerror}",
            "set WATTWITNESS_HOME to a folder of yours",
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(
                f"{role} runs already in {home}", "stop it first, or set WATTWITNESS_HOME elsewhere"
            ) from None
        yield
    finally:
        os.close(handle)
