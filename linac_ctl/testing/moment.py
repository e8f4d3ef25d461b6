"""An instant of machine time that a test has reached. It may be awaited, and need not be.

Every verb of the machine has done its work when it returns: machine time does not pass by itself, so there is nothing to
wait for. That is why `linac.expect(...)` serves a plain test and `await linac.expect(...)` an async one, under any plugin
and loop, and why an `await` that was forgotten does not turn an assertion into nothing. Awaiting gives the other tasks of the
test's loop a turn.
"""

import asyncio
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Moment:
    """When it was, and how long that took since it was asked for."""

    cycle: int
    t_s: float
    took_ms: float

    def __await__(self) -> Generator[Any, Any, "Moment"]:
        if asyncio._get_running_loop() is not None:
            yield from asyncio.sleep(0).__await__()
        return self
