"""Real time for the loop: waits before each cycle, counts what came late, never tries to catch up.

The clock is an argument, so that tests own it. Lateness is kept as a histogram: its size does not grow with the run.
"""

import time
from typing import Protocol

from device_models.interface.image import DT_S

NS = 1_000_000_000
PERIOD_NS = round(DT_S * NS)
BIN_US, BINS = 10, 2000  # lateness up to 20 ms in steps of 10 us; the last bin takes everything above


class Clock(Protocol):
    """The module `time` is one."""

    def monotonic_ns(self) -> int:
        """Now, ns."""

    def sleep(self, seconds: float, /) -> None:
        """Let time pass."""


class Lateness:
    """How late cycles began, us."""

    def __init__(self) -> None:
        self.counts = [0] * BINS
        self.worst_us = 0

    def add(self, late_us: int) -> None:
        """One cycle."""
        self.counts[min(max(late_us, 0) // BIN_US, BINS - 1)] += 1
        self.worst_us = max(self.worst_us, late_us)

    def quantile_us(self, share: float) -> float:
        """Lateness that this share of all cycles stayed below, to the next 10 us; 0.0 without cycles."""
        wanted, seen = share * sum(self.counts), 0
        for i, n in enumerate(self.counts):
            seen += n
            if n and seen >= wanted:
                return float((i + 1) * BIN_US)
        return 0.0


class Pace:
    """When the next cycle may run. `speed` None: at once. Work that ends after the next cycle was due is an overrun:
    the ticks it missed are skipped, machine time falls behind, and the schedule keeps its phase.
    """

    def __init__(self, speed: float | None, clock: Clock = time) -> None:
        self.speed, self.clock = speed, clock
        self.start_ns: int | None = None
        self.cycles = self.overruns = self.skipped = self.streak = 0
        self.late_cycle = -1  # the last one that was due before it could run
        self.lateness = Lateness()

    def set_speed(self, speed: float | None) -> None:
        """From the next cycle on."""
        self.speed = speed
        self.rest()

    def rest(self) -> None:
        """Time did not count in between (a pause): the schedule starts again."""
        self.start_ns, self.streak = None, 0

    @property
    def period_ns(self) -> int:
        """Between two cycles."""
        return round(PERIOD_NS / (self.speed or 1.0))

    def due_ns(self, cycle: int) -> int:
        """When `cycle` is due; the first one asked for is due one period from now."""
        if self.start_ns is None:
            self.start_ns = self.clock.monotonic_ns() - (cycle - 1) * self.period_ns
        return self.start_ns + cycle * self.period_ns

    def arrive(self, cycle: int) -> None:
        """All work before `cycle` is done: was it due already?"""
        late_ns = self.clock.monotonic_ns() - self.due_ns(cycle)
        if late_ns >= 0:
            self._skip(late_ns // self.period_ns + 1)
            self.streak += 1 if self.late_cycle != cycle else 0
            self.late_cycle = cycle
        elif self.late_cycle != cycle:
            self.streak = 0

    def _skip(self, ticks: int) -> None:
        assert self.start_ns is not None
        self.overruns += 1
        self.skipped += ticks
        self.start_ns += ticks * self.period_ns

    def begin(self, cycle: int) -> None:
        """Cycle `cycle` starts now."""
        self.cycles += 1
        self.lateness.add((self.clock.monotonic_ns() - self.due_ns(cycle)) // 1000)
