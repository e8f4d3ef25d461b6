"""Cycles that come late in a row hold the beam (CYCLE_OVERRUN); the clock is ours."""

import pytest

from linac_ctl.control.phases import Phase
from tests.runtime.clocks import FakeClock
from tests.support import Run, order_for, quick, small_static

BEAM = int(Phase.BEAM)


def session(late_cycles: int, *, interlock: bool = True, work_s: float = 0.025) -> Run:
    """A static beam, in which so many cycles in a row take 25 ms, or as told, once 1 MU is in."""
    clock = FakeClock()
    order = order_for(quick(), [small_static(quick(), mode="6X", mu=10.0)], reaction_s=0.1)
    sim = Run(order, speed=1.0, clock=clock, realtime_interlock=interlock)
    left = [late_cycles]

    def busy() -> None:
        if left[0] and int(sim.control.job["phase"][0]) == BEAM and sim.mu(1) >= 1.0:
            left[0] -= 1
            clock.work(work_s)

    sim.observers.append((0.01, busy))
    sim.run()
    assert left == [0]
    return sim


def overruns(sim: Run) -> list:
    return [trip for trip in sim.linac.panel.history if trip.id == "CYCLE_OVERRUN"]


@pytest.mark.parametrize("late, held", [(0, False), (2, False), (3, True), (8, True)])
def test_three_late_cycles_in_a_row_hold_the_beam_and_two_do_not(late: int, held: bool) -> None:
    sim = session(late)
    assert [t.stop for t in overruns(sim)] == (["hold"] if held else [])
    assert sim.loop.pace.overruns == late
    assert sim.error is None and sim.mu(1) == pytest.approx(10.0, abs=0.1)


def test_the_permit_is_low_in_the_cycle_of_the_trip_and_back_when_cycles_are_in_time() -> None:
    sim = session(5)
    trip, rows = overruns(sim)[0], sim.rows()
    cycle, permit, pulses = rows["cycle"], rows["permit"], rows["mu_1"]
    after = (cycle >= trip.cycle) & (cycle < trip.cycle + 20)
    assert (permit[after] == 0).all()
    assert (permit[(cycle >= trip.cycle - 6) & (cycle < trip.cycle - 1)] == 1).all()
    still = pulses[(cycle > trip.cycle + 2) & (cycle < trip.cycle + 20)]
    assert still.max() == still.min()
    assert (permit[(cycle > trip.cycle + 40) & (cycle < trip.cycle + 60)] == 1).all()


def test_without_the_interlock_late_cycles_are_only_counted() -> None:
    sim = session(8, interlock=False)
    assert not overruns(sim) and sim.loop.pace.overruns == 8


@pytest.mark.parametrize(("step_s", "trips"), [(0.4, False), (0.6, True), (3600.0, True)])
def test_a_clock_that_steps_while_a_beam_is_on_ends_it(step_s: float, trips: bool) -> None:
    sim = session(1, work_s=step_s)
    stepped = [trip for trip in sim.linac.panel.history if trip.id == "CLOCK"]
    assert bool(stepped) is trips
    assert (sim.mu(1) < 2.0 and stepped[0].latched) if trips else sim.mu(1) == pytest.approx(10.0, abs=0.1)


def test_late_cycles_in_real_time_leave_the_bits_of_a_run_in_time_when_nothing_trips() -> None:
    assert session(2).finish() == session(0).finish()
