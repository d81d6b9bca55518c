"""A process of our own, to kill and to freeze."""

import psutil


class OwnProcess:
    """One program at a time; whoever inherits starts it."""

    def __init__(self) -> None:
        self._process: psutil.Popen | None = None

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> bool:
        """`kill -9`; returns whether it ran."""
        process = self._process
        if process is None or process.poll() is not None:
            return False
        process.kill()
        process.wait()
        self._process = None  # it did not end by itself
        return True

    def freeze(self, *, on: bool) -> bool:
        """Stop or go on; returns whether it runs."""
        process = self._process
        if process is None or process.poll() is not None:
            return False
        if on:
            process.suspend()
        else:
            process.resume()
        return True

    def close(self) -> None:
        """End it, frozen or not."""
        self.freeze(on=False)
        self.kill()
