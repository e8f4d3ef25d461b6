"""A leaf that lags: the dose waits for it, goes on by itself, and does not wait for ever."""

import numpy as np
import pytest

from linac_ctl.control.phases import Phase
from tests.scenarios.bench import DT_S, Bench, at_mu, at_s
from tests.support import machine, order_for, small_arc, small_sliding_window

M = machine()
LEAF = 3


def stick(bench: Bench) -> None:
    """The motor of one leaf no longer turns."""
    bench.plant.mlc["moves"][LEAF] = 0.0


def free(bench: Bench) -> None:
    """It turns again."""
    bench.plant.mlc["moves"][LEAF] = 1.0


def slow(bench: Bench) -> None:
    """A leaf that does much less than it should."""
    bench.plant.mlc["v_max"][LEAF] = 18.0


def slower(bench: Bench) -> None:
    """A leaf that does less than half of it."""
    bench.plant.mlc["v_max"][LEAF] = 10.0


def test_the_dose_waits_for_a_slow_leaf_and_the_field_is_completed_where_it_was_planned() -> None:
    planned = small_sliding_window(M, mu=20.0, way_mm=60.0)
    bench = Bench(order_for(beams=[planned]), [at_mu(1, 2.0, slow)])
    healthy = Bench(order_for(beams=[planned]))
    bench.run()
    healthy.run()
    assert bench.applied and bench.error is None
    assert bench.mu(1) == pytest.approx(20.0, abs=0.1)
    assert bench.outcome().beam_on_s > 1.3 * healthy.outcome().beam_on_s  # it really was slow
    assert bench.off_plan(planned)["mlc"] <= 2.5  # never further off than the limit of the hold


def test_a_dose_that_waits_for_too_slow_a_leaf_ends_a_tenth_and_a_second_after_its_planned_time() -> None:
    planned = small_sliding_window(M, mu=20.0, way_mm=60.0)
    bench = Bench(order_for(beams=[planned]), [at_mu(1, 2.0, slower)])
    bench.run()
    job = bench.control.job[0]
    assert bench.applied and "FIELD_TIME" in str(bench.error) and 10.0 < bench.mu(1) < 20.0
    assert job["flowing_s"] == pytest.approx(job["longest_s"], abs=0.02)


def test_a_leaf_that_sticks_for_two_seconds_holds_the_beam_and_lets_it_go_again() -> None:
    planned = small_sliding_window(M, mu=20.0, way_mm=60.0)
    bench = Bench(order_for(beams=[planned]), [at_mu(1, 5.0, stick), at_mu(1, 5.0, lambda b: b.waiting.append(
        at_s(b.engine.cycle * DT_S + 2.0, free)))])
    bench.run()
    truth = bench.truth()
    stuck = (truth["cycle"] > bench.applied[0] + 100) & (truth["cycle"] < bench.applied[0] + 200)
    assert len(bench.applied) == 3 and truth["pulses"][stuck].sum() == 0  # no dose while it stuck
    assert bench.error is None and bench.mu(1) == pytest.approx(20.0, abs=0.1)
    assert "MLC_POS" in bench.tripped() and bench.outcome().interruptions == 0
    assert any("MLC_POS" in hold["why"] and hold["end_s"] for hold in bench.linac.holds)


def test_a_dead_leaf_becomes_an_interrupt_after_five_seconds_and_the_field_stays_partial() -> None:
    planned = small_sliding_window(M, mu=20.0, way_mm=60.0)
    bench = Bench(order_for(beams=[planned]), [at_mu(1, 5.0, stick)])
    bench.run()
    truth = bench.truth()
    assert bench.applied and set(bench.first_out()) == {"MLC_POS"}
    trip = next(t for t in bench.linac.panel.history if t.id == "MLC_POS")
    stopped = truth["cycle"][(truth["phase"] == int(Phase.STOPPED)) & (truth["cycle"] > trip.cycle)][0]
    assert (stopped - trip.cycle) * DT_S == pytest.approx(5.0, abs=0.05)
    assert bench.error is not None and "beam 1" in str(bench.error) and "of 20.00 MU" in str(bench.error)
    assert not bench.outcome().complete
    assert bench.outcome().mu_1 == pytest.approx(bench.mu(1), abs=0.1) and 5.0 <= bench.mu(1) < 10.0
    assert truth["pulses"][truth["cycle"] >= trip.cycle].sum() == 0  # nothing after the trip
    assert np.ptp(bench.truth()["mu"][-100:]) == 0.0


def test_a_gantry_that_hangs_in_an_arc_holds_the_dose_with_it() -> None:
    planned = small_arc(M, mu=40.0, gantry=(-20.0, 20.0))

    def hang(bench: Bench) -> None:
        bench.plant.gantry["moves"] = 0.0

    bench = Bench(order_for(beams=[planned]), [at_mu(1, 20.0, hang)])
    bench.run()
    assert bench.applied and bench.error is not None
    assert bench.mu(1) < 24.0
    assert bench.off_plan(planned)["gantry"] <= 2.0
