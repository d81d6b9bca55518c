"""A small file system for the database, and a balloon that fills it."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Final

_SIZE: Final = "900m"


class Disk:
    """A tmpfs of its own where we may mount one; else a folder that cannot be filled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._balloon = folder / "balloon"
        folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=755", "tmpfs", str(folder)]
        try:
            mounted = subprocess.run(command, capture_output=True, check=False)
            self.limited = mounted.returncode == 0
        except OSError:
            self.limited = False

    def fill(self) -> int:
        """Leave no byte free; returns how many the balloon took."""
        free = os.statvfs(self.folder)
        size = free.f_bavail * free.f_frsize
        with self._balloon.open("ab") as balloon:
            while size >= free.f_frsize:
                try:
                    os.posix_fallocate(balloon.fileno(), balloon.tell(), size)
                    balloon.seek(size, os.SEEK_CUR)
                except OSError:  # somebody was quicker
                    size //= 2
        return self._balloon.stat().st_size

    def relieve(self) -> None:
        """There is room again."""
        with suppress(FileNotFoundError):
            self._balloon.unlink()

    def close(self) -> None:
        """Unmount."""
        if self.limited:
            subprocess.run(["umount", "--lazy", str(self.folder)], capture_output=True, check=False)
