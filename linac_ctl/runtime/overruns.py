"""Overruns on the event log, and what a real-time run says of its punctuality at the end.

These events are of the computer, not of the machine: they are no part of the digest.
"""

import os
from collections.abc import Callable

from device_models.interface.image import DT_S

from ..records.events import Event
from ..records.result import Timing
from .simloop import SimLoop

WHO = "clock"
ONE_BY_ONE = 10  # after that, each time their number has doubled: a slow computer must not fill the disk as well
POLICIES = {0: "SCHED_OTHER", 1: "SCHED_FIFO", 2: "SCHED_RR", 3: "SCHED_BATCH", 5: "SCHED_IDLE", 6: "SCHED_DEADLINE"}  # Linux


class OverrunLog:
    """Hears of overruns before anybody else does."""

    def __init__(self, loop: SimLoop, write: Callable[[Event], object]) -> None:
        self.loop, self.write, self.then = loop, write, loop.on_overrun
        self.written = 0
        self.next = 1
        loop.on_overrun = self.heard

    def heard(self, streak: int) -> None:
        """Called by the loop while overruns follow one another, and once when they end."""
        if self.loop.pace.overruns >= self.next:
            self._put()
        self.then(streak)

    def _put(self) -> None:
        pace, cycle = self.loop.pace, self.loop.cycle
        said, self.written = pace.overruns - self.written, pace.overruns
        self.next = pace.overruns + 1 if pace.overruns < ONE_BY_ONE else 2 * pace.overruns
        since = "" if said == 1 else f"{said} since the last such event; "
        why = (f"cycle {cycle + 1} could not begin when it was due: {pace.last_late_us / 1e3:.2f} ms late, {pace.last_skipped} "
               f"tick(s) skipped, {pace.streak} in a row; {since}{pace.overruns} so far")
        self.write(Event(cycle, round(cycle * DT_S, 2), WHO, "overrun", why=why))


def timing(loop: SimLoop) -> Timing | None:
    """How punctual a run was; None for one that nothing held back."""
    pace = loop.pace
    if not pace.cycles:
        return None
    policy, nice = scheduling()
    p50, p99 = (min(pace.lateness.quantile_us(share), pace.lateness.worst_us) / 1e3 for share in (0.5, 0.99))
    return Timing(
        cycles=pace.cycles, rate_hz=round(pace.rate_hz, 3), late_p50_ms=p50, late_p99_ms=p99,
        late_max_ms=pace.lateness.worst_us / 1e3, overruns=pace.overruns, skipped_ticks=pace.skipped,
        overruns_in_a_row=pace.longest_streak, timer=loop.waiter.kind, scheduling=policy, nice=nice)


def scheduling() -> tuple[str, int | None]:
    """(scheduling class of this process, its nice value) as Linux has them; ("unknown", None) elsewhere."""
    try:
        policy = os.sched_getscheduler(0) & 0xFF  # apart from the flag "children start anew"
        return POLICIES.get(policy, f"SCHED_{policy}"), os.getpriority(os.PRIO_PROCESS, 0)
    except (AttributeError, OSError):
        return "unknown", None


def timing_event(loop: SimLoop, found: Timing) -> Event:
    """The last word of a real-time run."""
    return Event(loop.cycle, round(loop.cycle * DT_S, 2), WHO, "timing", why=timing_text(found))


def timing_text(found: Timing) -> str:
    """One line for people."""
    nice = "" if found.nice is None else f" nice {found.nice}"
    return (f"{found.rate_hz:.2f} Hz; late by {found.late_p50_ms:.2f} ms (median), {found.late_p99_ms:.2f} ms (99 %), "
            f"{found.late_max_ms:.2f} ms (worst); {found.overruns} overruns, {found.skipped_ticks} ticks skipped; "
            f"{found.timer}, {found.scheduling}{nice}")
