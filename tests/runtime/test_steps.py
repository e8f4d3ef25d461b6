"""Pause, step, run-for and changes of speed: a session in pieces has the bits of a session in one go (K1)."""

import pytest

from linac_ctl.control.phases import Phase
from linac_ctl.order import Order
from tests.runtime.clocks import FakeClock
from tests.support import Run, digest_of, order_for, quick, run, small_arc


@pytest.fixture(scope="module")
def order() -> Order:
    return order_for(quick(), [small_arc(quick(), mode="6X", mu=3.0, points=4)], reaction_s=0.1)


@pytest.fixture(scope="module")
def straight(order: Order) -> str:
    return digest_of(order)


@pytest.mark.parametrize("pieces", [[1] * 50, [0.37] * 3, [5.0, 0.01, 2.0], [1000.0]])
def test_run_for_in_pieces_equals_run_through(order: Order, straight: str, pieces: list[float]) -> None:
    sim = Run(order)
    for seconds in pieces:
        sim.run_for(seconds)
    sim.run()
    assert sim.error is None
    assert sim.finish() == straight


def test_one_cycle_at_a_time_equals_run_through(order: Order, straight: str) -> None:
    sim = Run(order)
    while not sim.finished:
        sim.step()
    assert sim.finish() == straight


def test_a_step_is_exactly_as_long_as_asked(order: Order) -> None:
    sim = Run(order)
    for cycles, total in ((1, 1), (10, 11), (100, 111)):
        sim.step(cycles)
        assert sim.engine.cycle == sim.loop.cycle == total
    sim.run_for(1.5)
    assert sim.engine.cycle == 261 and not sim.finished


def test_a_session_ends_where_it_ends_and_steps_after_that_do_nothing(order: Order) -> None:
    whole = run(order).engine.cycle
    sim = Run(order)
    sim.run_for(1000.0)
    assert sim.finished and sim.engine.cycle == whole
    sim.step(5)
    assert sim.engine.cycle == whole


def test_a_paused_beam_shows_its_state_and_goes_on(order: Order) -> None:
    sim = Run(order)
    while int(sim.control.job["phase"][0]) != int(Phase.BEAM) or sim.mu(1) < 1.0:
        sim.step()
    assert 1.0 <= sim.mu(1) < 2.0
    sim.run()
    assert sim.mu(1) == pytest.approx(3.0, abs=0.1)


def test_speed_may_change_at_any_moment_without_changing_a_bit(order: Order, straight: str) -> None:
    clock = FakeClock()
    sim = Run(order, speed=50.0, clock=clock)
    sim.run_for(1.0)
    assert clock.now_ns == pytest.approx(5e9 + 1e9 / 50, abs=2e6)
    sim.set_speed(None)
    before = clock.now_ns
    sim.run_for(3.0)
    assert clock.now_ns == before
    sim.set_speed(1.0)
    sim.run_for(2.0)
    assert clock.now_ns - before == pytest.approx(2e9, abs=2e7)
    sim.set_speed(10.0)
    sim.run()
    assert sim.finish() == straight


def test_an_abort_while_paused_stops_the_session_with_the_beam_off(order: Order) -> None:
    sim = Run(order)
    while sim.mu(1) < 1.0:
        sim.step()
    sim.abort()
    sim.run()
    assert "aborted" in str(sim.error)
    assert sim.mu(1) < 1.2 and sim.plant.beam["pulses_now"][0] == 0
