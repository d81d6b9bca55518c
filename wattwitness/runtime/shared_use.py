"""A service that several processes of one home share, stopped with its last user.

Each user holds a shared lock on a file for as long as it lives; the kernel lets go of it even after
`kill -9`. Whoever leaves and can take the lock exclusively was the last one. Starting and stopping
happen under a second, exclusive lock, so that nobody joins a service that is being stopped.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SharedUse:
    """Counts the users of one service by file locks in `folder`."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._users = folder / f"{name}.users"
        self._change = folder / f"{name}.change"
        self._held: int | None = None

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Exclusive: one process at a time starts or stops the service."""
        handle = os.open(self._change, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def in_use(self) -> bool:
        """Whether anybody is a user now."""
        with self.changing():
            self.join()
            return not self.leave()

    def join(self) -> None:
        """Become a user; call inside `changing`."""
        self._held = os.open(self._users, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._held, fcntl.LOCK_SH)

    def leave(self) -> bool:
        """Stop being a user; returns whether nobody else is one. Call inside `changing`."""
        if self._held is None:
            return False
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            return True
        finally:
            os.close(self._held)
            self._held = None
