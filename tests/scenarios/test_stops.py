"""Door, emergency stop, the operator's stop: beam off in truth, at once; and the way back to exactly the prescribed dose."""

import numpy as np
import pytest

from device_models.plant import step_plant
from linac_ctl.sequencer.staff import Act
from tests.scenarios.bench import DT_S, Bench, at_mu
from tests.support import machine, order_for, small_arc, small_static

M = machine()
ARC = small_arc(M, mu=60.0, points=9, gantry=(-25.0, 25.0), mode="6FFF", seed=4)
PULSE_MU = 0.065


def open_door(bench: Bench) -> None:
    """Somebody opens the treatment room."""
    bench.plant.room["door_closed"] = 0.0


def stopped_at(bench: Bench) -> int:
    """The cycle in which the fault acted."""
    return bench.applied[0]


def pulses_after(bench: Bench, cycle: int, cycles: int) -> float:
    """Pulses in the cycles after this one."""
    truth = bench.truth()
    return float(truth["pulses"][(truth["cycle"] > cycle) & (truth["cycle"] <= cycle + cycles)].sum())


def test_an_opened_door_stops_the_beam_in_the_next_cycle_and_the_arc_is_resumed_at_the_exact_mu() -> None:
    bench = Bench(order_for(beams=[ARC]), [at_mu(1, 20.0, open_door)])
    bench.run()
    truth, cycle = bench.truth(), stopped_at(bench)
    before = truth["mu"][truth["cycle"] == cycle][0]
    assert pulses_after(bench, cycle, 500) == 0
    assert set(bench.first_out()) <= {"DOOR", "DOOR_CHAIN"} and bench.first_out()
    assert bench.error is None and bench.outcome().interruptions == 1
    assert bench.mu(1) == pytest.approx(60.0, abs=0.15)  # once, and once only
    assert len(bench.said("confirm beam-on 1")) == 2  # a new start is pressed for
    again = np.flatnonzero((truth["pulses"] > 0) & (truth["cycle"] > cycle))[0]
    assert truth["mu"][again] - before <= 3 * PULSE_MU
    turned = np.interp(before, ARC.cumulative_mu, ARC.gantry_deg)
    assert truth["gantry_deg"][again] == pytest.approx(turned, abs=0.5)
    assert truth["gantry_deg_per_s"][again] > 1.0  # up to speed when it passed there
    behind = truth["gantry_deg"][(truth["cycle"] > cycle) & (truth["cycle"] < truth["cycle"][again])].min()
    assert behind < turned - 0.5  # so it had run back
    assert bench.off_plan(ARC)["gantry"] <= 0.5 and bench.off_plan(ARC)["mlc"] <= 1.0


def test_a_scripted_operator_who_opens_the_door_is_the_same_door() -> None:
    bench = Bench(order_for(beams=[small_static(M, mu=40.0, mode="6X")],
                            script=[Act("open_door", "ben", on="beam_on:1", after_s=2.0)]))
    bench.run()
    assert bench.error is None and bench.mu(1) == pytest.approx(40.0, abs=0.1)
    assert bench.outcome().interruptions == 1 and "DOOR" in bench.tripped()
    opened = bench.said("open_door")[0]
    assert (opened.who, opened.role) == ("ben", "therapist")
    assert pulses_after(bench, opened.cycle, 100) == 0


def test_an_emergency_stop_takes_beam_and_motion_away_and_the_field_is_completed_after_reset() -> None:
    script = [Act("press_estop", "anna", on="beam_on:1", after_s=5.0), Act("release_estop", "anna", on="stopped:1", after_s=4.0)]
    bench = Bench(order_for(beams=[small_arc(M, mu=60.0, points=9, gantry=(-30.0, 30.0), mode="10FFF")], script=script))
    bench.run()
    truth = bench.truth()
    pressed = bench.said("press_estop")[0].cycle
    at = np.flatnonzero(truth["cycle"] == pressed)[0]
    assert pulses_after(bench, pressed, 300) == 0
    assert truth["gantry_deg_per_s"][at] > 4.0  # it was turning
    coast = truth["gantry_deg"][at + 200] - truth["gantry_deg"][at]
    assert 0.4 <= coast <= 1.3 and truth["gantry_deg_per_s"][at + 200] == 0.0
    assert bench.first_out()[0] in ("ESTOP", "ESTOP_CHAIN")
    assert bench.error is None and bench.mu(1) == pytest.approx(60.0, abs=0.15)


def test_an_emergency_stop_that_nobody_releases_leaves_the_field_partial() -> None:
    bench = Bench(order_for(beams=[ARC], script=[Act("press_estop", "anna", on="beam_on:1", after_s=3.0)]))
    bench.run()
    assert bench.error is not None and "not cleared" in str(bench.error) and "ESTOP" in str(bench.error)
    assert not bench.outcome().complete and bench.outcome().mu_1 == pytest.approx(bench.mu(1), abs=0.1)
    assert set(bench.linac.panel.latches()) >= {"ESTOP"}


def test_the_stop_button_ends_the_session_and_stays_latched() -> None:
    bench = Bench(order_for(beams=[ARC], script=[Act("press_stop", "ben", on="beam_on:1", after_s=3.0)]))
    bench.run()
    pressed = bench.said("press_stop")[0].cycle
    assert pulses_after(bench, pressed + 1, 10_000) == 0  # the press is seen in the next cycle, which is the last with beam
    assert bench.error is not None and "aborted by the operator" in str(bench.error)
    assert "ABORT" in bench.linac.panel.latches()
    assert bench.plant.gantry["velocity"][0] == 0.0
    assert any(t.stop == "terminate" for t in bench.linac.panel.history)


def test_a_door_that_is_open_before_the_beam_prevents_it_until_somebody_closes_it() -> None:
    bench = Bench(order_for(beams=[small_static(M)], script=[Act("open_door", "ben", at_s=25.0)]))
    bench.run()
    opened = bench.said("open_door")[0].cycle
    closed = next(e.cycle for e in bench.said("close_door") if e.cycle > opened)
    truth = bench.truth()
    assert truth["pulses"][truth["cycle"] < closed].sum() == 0
    assert bench.tripped() == []  # an inhibit, not an interrupt
    assert bench.error is None and bench.mu(1) == pytest.approx(5.0, abs=0.1)


def test_a_controller_that_freezes_loses_the_beam_within_60_ms() -> None:
    bench = Bench(order_for(beams=[ARC]))
    while bench.plant.beam["true_mu"][0] < 10.0 or bench.pulses == 0:
        bench.step(1)
    frozen, last = bench.engine.cycle, 0
    for cycle in range(frozen + 1, frozen + 201):  # outputs stay as they were; only the machine goes on
        step_plant(bench.plant, bench.image, cycle)
        last = cycle if bench.pulses > 0 else last
    assert last > frozen  # the permit on the wire did give beam for a while
    assert (last - frozen) * DT_S <= 0.06
    assert bench.plant.safety["permit"][0] == 0.0
    bench.abort()
    bench.run()
    assert "WDG" in bench.tripped()
