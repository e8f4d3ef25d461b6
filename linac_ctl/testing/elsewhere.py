"""Runs the machine's own event loop from a test that sits in another one.

asyncio allows one running loop per thread. A plain test has none, so the machine runs right here. An async test has one: then the
machine runs in a thread of its own while the test's thread waits for it, so never more than one of the two runs and
the bits are the same. No loop is replaced and nothing of asyncio is patched, so it does not matter which plugin runs the
test, or with which loop factory, scope or mode.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Elsewhere:
    """At most one thread, made when it is wanted first."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None

    def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, from here or from there; what it raises is raised here."""
        if asyncio._get_running_loop() is None:
            return work()
        self._thread = self._thread or ThreadPoolExecutor(1, "linac")
        return self._thread.submit(work).result()

    def close(self) -> None:
        """No more work."""
        if self._thread is not None:
            self._thread.shutdown()
