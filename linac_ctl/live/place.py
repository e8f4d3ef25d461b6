"""Where the control socket of a run is, as a name that fits into a socket address (108 bytes, and paths may be longer)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "control.sock"
LONGEST = 100


@contextmanager
def address(run: Path) -> Iterator[str]:
    """Good inside the block only."""
    path = str(run / NAME)
    if len(os.fsencode(path)) <= LONGEST:
        yield path
        return
    folder = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{NAME}"
    finally:
        os.close(folder)
