"""One program per data directory: an SQLite file and a key file have no second owner.

The lock is the operating system's (flock): it ends with the process, however that ends.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from fillbook.kernel.errors import Conflict

LOCK_FILE = "fillbook.lock"


class DirectoryInUse(Conflict):
    code = "data_directory_in_use"


class DirectoryLock:
    """Held from `acquire` to `release`, or for a `with` block."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / LOCK_FILE
        self._handle: int | None = None

    def acquire(self) -> None:
        """Raises `DirectoryInUse`, which names the process that holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise DirectoryInUse(
                f"Another Fillbook (process {holder}) uses {self._path.parent}: stop it, "
                "or give this one another FILLBOOK_DATA_DIR."
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        self._handle = handle

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
