"""A row of the table, and the shortest of many tries: what is slower than that is somebody else's work."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One figure; `goal` as people write it."""

    what: str
    value: float | None
    unit: str
    goal: str = ""
    note: str = ""

    def data(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def text(self) -> str:
        """For the table."""
        figure = "skipped" if self.value is None else f"{self.value:.3f}" if abs(self.value) < 100 else f"{self.value:.0f}"
        return f"{self.what:46s} {figure:>9s} {self.unit:14s} {self.goal:22s} {self.note}".rstrip()


def best_us(run: Callable[[int], Any], cycles: int = 3000, tries: int = 40) -> float:
    """us per cycle of the fastest of many short tries; the first one, which compiles, does not count."""
    run(2)
    best = float("inf")
    for _ in range(tries):
        begin = time.perf_counter()
        run(cycles)
        best = min(best, time.perf_counter() - begin)
    return best / cycles * 1e6
