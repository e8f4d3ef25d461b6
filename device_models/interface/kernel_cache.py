"""Kernels of images are never run by the process that compiled them: a copy of it compiles, and everybody loads.

A kernel that a process has just compiled and the same kernel from the cache are not the same machine code (decision 0010), so
the first session on a computer would not give the bits of all later ones. What a kernel calls is made the same way before it:
its code does not depend on who asked for what first either.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


class MadeElsewhere:
    """numba's cache of one kernel, with misses turned into hits. Where nothing can be kept, this process compiles after all."""

    def __init__(self, kernel: Any) -> None:
        self.kernel, self.cache, self.making = kernel, kernel._cache, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cache, name)

    def load_overload(self, signature: Any, target: Any) -> Any:
        """The code for these types, made first if it has to be; None sends numba to its compiler."""
        if self.making:
            return None
        found = self.kept(signature, target)
        if found is None:
            lock = Path(self.cache.cache_path) / f"{self.kernel.py_func.__name__}.lock"
            with locked(lock):  # of two first starts, one makes it
                found = self.kept(signature, target) or self.made(signature, target)
        return found

    def save_overload(self, signature: Any, code: Any) -> None:
        """Keep it; a full disk is no harm."""
        with suppress(OSError):
            self.cache.save_overload(signature, code)

    def kept(self, signature: Any, target: Any) -> Any:
        """What numba's own cache has."""
        with suppress(OSError):
            return self.cache.load_overload(signature, target)
        return None

    def made(self, signature: Any, target: Any) -> Any:
        """A copy of this process compiles, keeps, and ends, whatever happens in it; what it kept is loaded."""
        with suppress(OSError):
            if (copy := os.fork()) == 0:
                self._make_and_end(signature)
            os.waitpid(copy, 0)
        return self.kept(signature, target)

    def _make_and_end(self, signature: Any) -> None:
        try:
            self.making = True
            self.kernel.compile(signature)
        finally:
            os._exit(0)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else is inside; where no lock can be had, nobody is kept out."""
    handle = None
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)
