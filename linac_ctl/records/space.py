"""Room on the disk, asked for before it is needed: a mapped file without blocks ends in SIGBUS, not in an error."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from linac_ctl.errors import RecordError


def cannot(path: Path, size: int, error: OSError) -> RecordError:
    """What to say when `size` bytes cannot be had."""
    return RecordError(
        f"{path}: cannot reserve {size / 1e6:.1f} MB: {error.strerror}; free space or choose another --out"
    )


def allocate(path: Path, size: int, told: Path | None = None) -> None:
    """Make `path` with `size` bytes of real, zeroed blocks behind it; RecordError leaves no file behind.

    `told`: the error names this instead.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except OSError as e:
        raise cannot(told or path, size, e) from None
    try:
        if size:
            os.posix_fallocate(handle, 0, size)
    except OSError as e:
        path.unlink(missing_ok=True)
        raise cannot(told or path, size, e) from None
    finally:
        os.close(handle)


def mapped(path: Path, shape: tuple[int, ...], dtype: Any) -> np.memmap[Any, Any]:
    """A new zeroed file as an array; what is written there is on record even if the process is killed."""
    allocate(path, int(np.prod(shape)) * np.dtype(dtype).itemsize)
    try:
        return np.memmap(path, dtype, mode="r+", shape=shape)
    except OSError as e:
        raise RecordError(f"{path}: cannot be mapped: {e.strerror}") from None


def probe_space(folder: Path | str, size: int) -> None:
    """RecordError unless `folder` can take `size` bytes right now. The space is asked for, then given back."""
    path = Path(folder) / f".probe-{os.getpid()}"
    allocate(path, size, told=Path(folder))  # the file's name holds the process, and the error goes into the events of a run
    path.unlink(missing_ok=True)
