"""Awaited conditions: a row in the watch table, a future beside it. The cycle tests; nobody polls."""

import asyncio
from collections.abc import Callable
from typing import Any

from device_models.interface.image import DT_S

from ..control.signals import Signal

SENSE = {"<=": 1.0, ">=": -1.0}


class Conditions:
    """Turns "wait until this signal has held" into a future that the engine's events resolve."""

    def __init__(self, watches: Any, blocked: Callable[[], Exception | None] = lambda: None) -> None:
        self.watches, self.blocked = watches, blocked
        self.waiting: dict[int, asyncio.Future[None]] = {}

    async def until(self, signal: Signal, sense: str, limit: float, settle_s: float = 0.0, timeout_s: float = 600.0) -> None:
        """Return once `signal <= limit` (or `>=`) has held for settle_s of machine time; TimeoutError after timeout_s.

        What `blocked` returns is raised at once: a trip that came before the wait ends it as one that comes during it.
        """
        if error := self.blocked():
            raise error
        i = self._free_row()
        self.waiting[i] = future = asyncio.get_running_loop().create_future()
        self.watches[i : i + 1] = (int(signal), SENSE[sense], limit, max(1, round(settle_s / DT_S)), 0, 1)
        try:
            async with asyncio.timeout(timeout_s):
                await future
        finally:
            self.watches["armed"][i] = 0
            self.waiting.pop(i, None)

    def _free_row(self) -> int:
        free = [i for i in range(len(self.watches)) if not self.watches["armed"][i] and i not in self.waiting]
        if not free:
            raise RuntimeError(f"watch table: all {len(self.watches)} rows are in use")
        return free[0]

    def resolve(self) -> None:
        """Wake whoever waits for a condition that has held."""
        for i, future in sorted(self.waiting.items()):
            held = self.watches["armed"][i] and self.watches["good_cycles"][i] >= self.watches["settle"][i]
            if held and not future.done():
                self.watches["armed"][i] = 0
                future.set_result(None)

    def fail(self, error: Exception) -> None:
        """Nobody's condition can come any more: a trip ended it."""
        for i, future in sorted(self.waiting.items()):
            if not future.done():
                self.watches["armed"][i] = 0
                future.set_exception(error)
