"""Late cycles on the event log, and the report at the end; the clock is ours."""

import asyncio
import os

import pytest

from linac_ctl.runtime.overruns import OverrunLog, scheduling, timing, timing_event, timing_text
from linac_ctl.runtime.simloop import SimLoop
from tests.runtime.clocks import FakeClock


class Still:
    """A machine that does nothing."""

    def advance(self, cycles: int) -> int:
        """As the engine does."""
        return cycles


def late_run(late: int, *, cycles: int = 3000, every: int = 2, speed: float | None = 1.0):
    """A run in which so many cycles take 12 ms, every second one; -> (loop, events, what others heard)."""
    clock, events, heard = FakeClock(wake_late_ns=60_000), [], []
    loop = SimLoop(Still(), speed=speed, clock=clock, on_overrun=heard.append)
    OverrunLog(loop, events.append)

    def work() -> None:
        if loop.cycle % every == 0 and loop.cycle // every <= late:
            clock.work(0.012)

    loop.observe(1, work)
    try:
        loop.run_until_complete(asyncio.sleep(cycles * 0.01))
    finally:
        loop.close()
    return loop, events, heard


def test_the_first_ten_are_told_one_by_one_with_cycle_lateness_and_skipped_ticks() -> None:
    loop, events, _ = late_run(10)
    assert loop.pace.overruns == 10
    assert [event.cycle for event in events] == [2 * k for k in range(1, 11)]
    assert events[0].who == "clock" and events[0].what == "overrun" and events[0].t_s == 0.02
    assert events[1].why == "cycle 5 could not begin when it was due: 2.06 ms late, 1 tick(s) skipped, 1 in a row; 2 so far"


@pytest.mark.parametrize("late, told", [(0, 0), (1, 1), (9, 9), (10, 10), (19, 10), (20, 11), (39, 11), (40, 12), (1000, 16)])
def test_many_of_them_are_told_each_time_their_number_has_doubled(late, told) -> None:
    loop, events, _ = late_run(late)
    assert loop.pace.overruns == late and len(events) == told
    if late == 40:
        assert events[-1].why.endswith("20 since the last such event; 40 so far")


def test_whoever_listened_before_still_hears_of_every_overrun() -> None:
    _, _, heard = late_run(4)
    assert heard == [1, 0, 1, 0, 1, 0, 1, 0]
    _, _, heard = late_run(4, every=1)
    assert heard == [1, 2, 3, 4, 0]


def test_a_real_time_run_reports_its_punctuality() -> None:
    loop, _, _ = late_run(4, every=1, cycles=1000)
    found = timing(loop)
    assert found is not None
    assert (found.cycles, found.overruns, found.skipped_ticks, found.overruns_in_a_row) == (1000, 4, 4, 4)
    assert found.rate_hz == pytest.approx(100.0 * 999 / 1003, abs=0.001)
    assert (found.late_p50_ms, found.late_p99_ms, found.late_max_ms) == (0.06, 0.06, 0.06)
    assert found.timer == "sleep"
    assert timing_text(found).startswith("99.60 Hz; late by 0.06 ms (median), 0.06 ms (99 %), 0.06 ms (worst); 4 overruns, 4 ticks")
    assert timing_event(loop, found).cycle == 1000 and timing_event(loop, found).what == "timing"


def test_a_run_that_waited_for_nobody_reports_none() -> None:
    loop, events, _ = late_run(4, speed=None)
    assert timing(loop) is None and events == []


def test_the_scheduling_class_is_that_of_the_system() -> None:
    policy, nice = scheduling()
    if not hasattr(os, "sched_getscheduler"):
        assert (policy, nice) == ("unknown", None)
    else:
        assert policy.startswith("SCHED_") and nice == os.getpriority(os.PRIO_PROCESS, 0)
