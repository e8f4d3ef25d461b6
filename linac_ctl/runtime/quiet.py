"""A process that nothing interrupts while it keeps real time."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed(wanted: bool) -> Iterator[None]:
    """No garbage collection inside, and what exists already is never looked at again; nothing happens unless `wanted`."""
    if not wanted:
        yield
        return
    before = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if before:
            gc.enable()
