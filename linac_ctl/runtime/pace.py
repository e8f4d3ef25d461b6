"""Real time for the loop: waits before each cycle, counts what came late, never tries to catch up.

The clock is an argument, so that tests own it. Lateness is kept as a histogram: its size does not grow with the run.
"""

import time

from device_models.interface.image import DT_S

from .alarm import NS
from .waiter import Clock as Clock

PERIOD_NS = round(DT_S * NS)
BIN_US, BINS = 10, 2000  # lateness up to 20 ms in steps of 10 us; the last bin takes everything above


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
        self.cycles = self.overruns = self.skipped = self.streak = self.longest_streak = 0
        self.met_cycle = self.late_cycle = -1  # the last ones before which we were in time; which were due before they could run
        self.last_late_us = self.last_skipped = 0  # of the last overrun
        self.lateness = Lateness()
        self.begun_ns: int | None = None  # the last cycle
        self.spent_ns = self.intervals = 0  # between cycles, pauses apart

    def set_speed(self, speed: float | None) -> None:
        """From the next cycle on."""
        self.speed = speed
        self.rest()

    def rest(self) -> None:
        """Time did not count in between (a pause): the schedule starts again."""
        self.start_ns, self.begun_ns, self.streak, self.met_cycle = None, None, 0, -1

    @property
    def period_ns(self) -> int:
        """Between two cycles."""
        return round(PERIOD_NS / (self.speed or 1.0))

    @property
    def rate_hz(self) -> float:
        """Cycles per second, skipped ticks and all; 0.0 before there were two."""
        return self.intervals / self.spent_ns * NS if self.spent_ns else 0.0

    def due_ns(self, cycle: int) -> int:
        """When `cycle` is due; the first one asked for is due one period from now."""
        if self.start_ns is None:
            self.start_ns = self.clock.monotonic_ns() - (cycle - 1) * self.period_ns
        return self.start_ns + cycle * self.period_ns

    def arrive(self, cycle: int) -> None:
        """All work before `cycle` is done: was it due already? Asked again after each time that descriptors were served."""
        late_ns = self.clock.monotonic_ns() - self.due_ns(cycle)
        if late_ns >= self._allowed_ns(cycle):
            self._skip(late_ns)
            self.streak += 1 if self.late_cycle != cycle else 0
            self.longest_streak = max(self.longest_streak, self.streak)
            self.late_cycle = cycle
        elif self.late_cycle != cycle:
            self.streak = 0
        self.met_cycle = cycle

    def _allowed_ns(self, cycle: int) -> int:
        """Bytes that come in just before a tick may make its cycle begin late: less harm than a tick that is skipped."""
        return self.period_ns // 2 if self.met_cycle == cycle else 0

    def _skip(self, late_ns: int) -> None:
        assert self.start_ns is not None
        ticks = late_ns // self.period_ns + 1
        self.overruns += 1
        self.skipped += ticks
        self.start_ns += ticks * self.period_ns
        self.last_late_us, self.last_skipped = late_ns // 1000, ticks

    def begin(self, cycle: int) -> None:
        """Cycle `cycle` starts now."""
        now_ns = self.clock.monotonic_ns()
        self.cycles += 1
        self.lateness.add((now_ns - self.due_ns(cycle)) // 1000)
        if self.begun_ns is not None:
            self.spent_ns += now_ns - self.begun_ns
            self.intervals += 1
        self.begun_ns = now_ns
