"""Real time: when cycles are due, what is late, what is skipped. The clock is ours, so nothing here waits."""

import pytest

from linac_ctl.runtime.pace import Lateness, Pace
from tests.runtime.clocks import FakeClock

MS = 1_000_000


def cycle(pace: Pace, number: int, work_s: float = 0.0) -> None:
    """One cycle as the loop does it."""
    pace.arrive(number)
    left = pace.due_ns(number) - pace.clock.monotonic_ns()
    if left > 0:
        pace.clock.sleep(left / 1e9)
    pace.begin(number)
    pace.clock.work(work_s)  # type: ignore[attr-defined]


@pytest.mark.parametrize("speed, period_ms", [(1.0, 10), (10.0, 1), (0.5, 20)])
def test_cycles_are_one_period_apart_and_a_thousand_of_them_do_not_drift(speed: float, period_ms: int) -> None:
    clock = FakeClock(wake_late_ns=60_000)
    pace = Pace(speed, clock)
    begin = clock.now_ns
    for k in range(1, 1001):
        cycle(pace, k, 0.0002)
    assert clock.now_ns - begin == pytest.approx(1000 * period_ms * MS, abs=MS)
    assert pace.overruns == 0
    assert pace.lateness.quantile_us(0.5) == 70.0 and pace.lateness.worst_us == 60


@pytest.mark.parametrize("work_s, overruns, skipped", [(0.009, 0, 0), (0.0101, 1, 1), (0.025, 1, 2), (1.0001, 1, 100)])
def test_work_beyond_the_next_tick_is_one_overrun_and_every_missed_tick_is_skipped(work_s, overruns, skipped) -> None:
    pace = Pace(1.0, FakeClock())
    cycle(pace, 1, work_s)
    cycle(pace, 2)
    cycle(pace, 3)
    assert (pace.overruns, pace.skipped) == (overruns, skipped)


def test_the_schedule_keeps_its_phase_and_never_catches_up() -> None:
    clock = FakeClock()
    pace = Pace(1.0, clock)
    cycle(pace, 1, 0.013)
    begun = []
    for k in range(2, 6):
        pace.arrive(k)
        begun.append(pace.due_ns(k))
        cycle(pace, k)
    first = 5_000_000_000 + 10 * MS
    assert [(b - first) // MS for b in begun] == [20, 30, 40, 50]


def test_a_streak_counts_overruns_in_a_row_and_one_cycle_in_time_ends_it() -> None:
    pace, streaks = Pace(1.0, FakeClock()), []
    for k, work_s in enumerate([0.015, 0.015, 0.015, 0.001, 0.015, 0.0], start=1):
        cycle(pace, k, work_s)
        streaks.append(pace.streak)
    assert streaks == [0, 1, 2, 3, 0, 1]


def test_looking_twice_at_one_cycle_counts_it_once() -> None:
    pace = Pace(1.0, FakeClock())
    cycle(pace, 1, 0.015)
    pace.arrive(2)
    pace.arrive(2)
    assert (pace.overruns, pace.streak) == (1, 1)


def test_a_pause_is_not_late() -> None:
    clock = FakeClock()
    pace = Pace(1.0, clock)
    cycle(pace, 1)
    pace.rest()
    clock.work(100.0)
    cycle(pace, 2)
    assert pace.overruns == 0 and pace.lateness.worst_us == 0


def test_a_new_speed_takes_effect_with_the_next_cycle() -> None:
    clock = FakeClock()
    pace = Pace(1.0, clock)
    cycle(pace, 1)
    pace.set_speed(10.0)
    before = clock.now_ns
    cycle(pace, 2)
    cycle(pace, 3)
    assert clock.now_ns - before == 2 * MS and pace.overruns == 0


def test_quantiles_of_lateness() -> None:
    late = Lateness()
    assert late.quantile_us(0.5) == 0.0
    for us in (5, 5, 5, 95, 50_000):
        late.add(us)
    assert late.quantile_us(0.5) == 10.0
    assert late.quantile_us(0.8) == 100.0
    assert late.worst_us == 50_000 and late.quantile_us(1.0) == 20_000.0  # the last bin


@pytest.mark.parametrize("served_s, overruns", [(0.0149, 0), (0.0150, 1), (0.0349, 1)])
def test_serving_descriptors_may_make_a_cycle_late_by_half_a_period_before_its_tick_is_skipped(served_s, overruns) -> None:
    clock = FakeClock()
    pace = Pace(1.0, clock)
    cycle(pace, 1)
    pace.arrive(2)  # in time: 10 ms are left
    clock.work(served_s)  # bytes came in
    cycle(pace, 2)
    assert pace.overruns == overruns
    assert pace.lateness.worst_us == (4900 if not overruns else 0)


def test_what_one_cycle_was_allowed_the_next_one_is_not() -> None:
    clock = FakeClock()
    pace = Pace(1.0, clock)
    cycle(pace, 1)
    cycle(pace, 2, 0.0101)
    pace.arrive(3)
    assert pace.overruns == 1 and pace.last_skipped == 1 and pace.last_late_us == 100


def test_the_rate_counts_skipped_ticks_and_no_pauses() -> None:
    clock = FakeClock()
    pace = Pace(1.0, clock)
    assert pace.rate_hz == 0.0
    for k in range(1, 102):
        cycle(pace, k)
    assert pace.rate_hz == pytest.approx(100.0)
    pace.rest()
    clock.work(1000.0)
    for k in range(102, 203):
        cycle(pace, k, 0.015 if k == 150 else 0.0)
    assert pace.rate_hz == pytest.approx(100.0 * 200 / 201)
    assert pace.longest_streak == 1
