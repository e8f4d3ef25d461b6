"""The controller's own process: tasks, memory, counters, handlers, restarts. A trip wins, and no dose is given twice."""

from typing import Any

import numpy as np
import pytest

from linac_ctl.injection.alterations import races
from tests.injection.alter import Altering, alter, at_mu, at_s, in_phase, loaded, run, static
from tests.scenarios.bench import after
from tests.support import machine, order_for, small_sliding_window

READY, BEAM = 4, 8
PRESCRIBED_MU = 30.0
STOP_ROWS = {"ABORT", "RX_HASH"}


def stop(bench: Any) -> None:
    """A wire to the controller alone."""
    bench.staff.hands.do("press_stop")


def with_stop(name: str, **settings: Any) -> Any:
    """The alteration, and a trip in the same cycle."""
    def do(bench: Any) -> None:
        alter(name, **settings)(bench)
        stop(bench)
    return do


@pytest.mark.parametrize("kind", ["cancel", "timeout"])
@pytest.mark.parametrize("phase", [READY, BEAM], ids=["armed", "beam"])
def test_a_cancelled_or_timed_out_wait_never_leaves_a_beam_behind(kind: str, phase: int) -> None:
    bench = run(static(), in_phase(phase, alter("cancel", kind=kind), 0.1))
    at = bench.effective
    assert sum(row[4] for row in bench.seen if at < row[0] <= at + 20) == 0
    assert bench.error is not None or bench.mu(1) == pytest.approx(PRESCRIBED_MU, abs=0.15)
    if (kind, phase) != ("timeout", READY):  # armed, the innermost limit is that of the self-test: no beam, and people try again
        first = bench.linac.panel.history[0]
        assert first.id == {"cancel": "TASK_ALIVE", "timeout": "TRANSITION_TIMEOUT"}[kind] and first.cycle - at <= 2


def test_a_wait_that_is_broken_off_is_no_session_that_took_too_long() -> None:
    bench = run(static(), at_s(0.05, alter("cancel", kind="timeout")))  # while people do something: no limit but the session's own
    assert "a wait was broken off after 0.0" in str(bench.error) and not bench.stuck
    assert bench.verdicts()["LV-2"].outcome != "violated" and bench.mu(1) == 0.0


@pytest.mark.parametrize("task", ["gantry", "mlc"])
def test_a_move_whose_task_died_is_noticed_before_the_first_pulse(task: str) -> None:
    beam = small_sliding_window(machine(), mu=PRESCRIBED_MU)
    bench = run(order_for(machine(), [beam], reaction_s=0.2), after("press_search", 0.0, alter("task_dies", task=task)))
    first = bench.linac.panel.history[0]
    assert first.id == "TASK_ALIVE" and 0 <= first.cycle - bench.effective <= 2  # not when the axis is missed in the beam
    assert next(row[5] for row in bench.seen if row[0] == first.cycle) == 0.0
    off = bench.off_plan(beam)
    assert off["mlc"] <= 1.0 and off["gantry"] <= 0.5


def test_a_trip_does_not_wait_for_those_who_hear_of_it() -> None:
    bench = run(static(), at_mu(1, 10.0, with_stop("deaf", blocked_ms=1000.0)))
    assert bench.last_pulse_ms <= 10.0 and bench.mu_after <= 0.2 and "ABORT" in bench.linac.panel.latches()
    told = next(e.cycle for e in bench.events if e.what == "ABORT")
    assert told - bench.effective >= 99  # people heard a second later


@pytest.mark.parametrize("where", ["on_enter_fault", "log", "ui", "device_write"])
def test_a_broken_handler_does_not_keep_the_beam_on(where: str) -> None:
    bench = run(static(), at_mu(1, 10.0, with_stop("handler_raises", where=where)))
    assert bench.last_pulse_ms <= 10.0 and bench.mu_after <= 0.2
    assert bench.error is not None and "ABORT" in bench.linac.panel.latches()
    told = next(event.cycle for event in bench.events if event.what == "ABORT")
    assert [trip.id for trip in bench.linac.panel.history].count("ABORT") == 1 and told - bench.effective <= 1


@pytest.mark.parametrize(("streak", "holds"), [(2, False), (5, True)])
def test_three_late_cycles_in_a_row_hold_the_beam_and_two_do_not(streak: int, holds: bool) -> None:
    bench = run(static(), at_mu(1, 10.0, alter("late_cycles", streak=float(streak))))
    assert bench.effective and ("CYCLE_OVERRUN" in bench.tripped()) == holds
    assert bench.error is None and bench.mu(1) == pytest.approx(PRESCRIBED_MU, abs=0.1)


def truth_of(bench: Altering) -> np.ndarray:
    """What left the machine, cycle by cycle, and where the gantry was."""
    return np.array([(row[4], row[6], row[7]) for row in bench.seen])


@pytest.mark.parametrize("counter", ["pulses", "checks"])
@pytest.mark.parametrize("width", [8, 16, 32])
def test_nothing_changes_when_a_counter_passes_the_end_of_a_word(counter: str, width: int) -> None:
    usual = run(static())
    bench = run(static(), at_mu(1, 10.0, alter("counters", width_bits=width, below=2.0, counter=counter)))
    assert bench.effective and bench.linac.panel.history == []
    assert (truth_of(bench) == truth_of(usual)).all()


@pytest.mark.parametrize("width", [16, 32])
def test_nothing_changes_when_the_cycle_number_passes_the_end_of_a_word(width: int) -> None:
    bench = run(static(), at_mu(1, 10.0, alter("counters", width_bits=width, below=2.0, counter="cycle")))
    assert bench.engine.cycle > 2**width and bench.linac.panel.history == [] and bench.error is None
    assert bench.mu(1) == pytest.approx(PRESCRIBED_MU, abs=0.15)


@pytest.mark.parametrize("pair", sorted(races.RACES))
@pytest.mark.parametrize("skew", [-1.0, 0.0, 1.0])
def test_in_a_race_the_trip_wins_and_the_dose_is_given_once(pair: str, skew: float) -> None:
    moment = at_s(1.0, alter("race", pair=pair, skew=skew)) if pair.endswith(("start", "resume")) and pair != "hold+resume" \
        else at_mu(1, 10.0, alter("race", pair=pair, skew=skew))
    door = [at_mu(1, 10.0, lambda bench: bench.staff.hands.do("open_door"))] if pair == "trip+resume" else []
    bench = run(static(), moment, *door)
    assert bench.effective and bench.mu(1) <= PRESCRIBED_MU + 0.2
    if pair.startswith(("trip", "edit")):
        assert bench.mu_after == 0.0 and bench.error is not None
    else:
        assert bench.error is None and bench.mu(1) == pytest.approx(PRESCRIBED_MU, abs=0.15)


@pytest.mark.parametrize("cause", ["cause_gone", "glitch", "other_reset", "restart"])
def test_a_latch_that_is_lost_never_brings_the_beam_back_by_itself(cause: str) -> None:
    def open_and_lose(bench: Any) -> None:
        alter("latch_lost", cause=cause)(bench)
        alter("act_for", do="open_door", undo="close_door", ms=1000.0)(bench)

    bench = run(static(), at_mu(1, 10.0, open_and_lose))
    lost = bench.altered[0].cycle
    assert lost is not None
    starts = [e.cycle for e in bench.said("confirm beam-on 1")]
    again = [row[0] for row in bench.seen if row[0] > lost and row[4] > 0]
    assert not again or again[0] > starts[-1] > lost  # somebody pressed the button anew
    if cause != "restart":
        assert "LATCH_DIS" in bench.tripped() and not again


def test_a_controller_that_starts_again_gives_what_is_left_and_asks_for_a_new_start() -> None:
    bench = run(loaded(static(), "restart"), at_mu(1, 10.0, alter("restart", age_s=0.0)))
    assert bench.error is None and bench.mu(1) == pytest.approx(PRESCRIBED_MU, abs=0.2)
    assert len(bench.said("confirm beam-on 1")) == 2 and len(bench.said("confirm recovery")) == 1
    assert "WDG" not in bench.tripped()


def test_an_order_that_is_prepared_for_a_restart_runs_as_before() -> None:
    plain, prepared = run(static()), run(loaded(static(), "restart"))
    assert (truth_of(plain) == truth_of(prepared)).all()


def test_an_exposure_that_nobody_asked_for_ends_the_field() -> None:
    bench = run(static(), at_mu(1, 10.0, alter("exposure_unasked")))
    assert bench.first_out() == ["KV_MV_EXCL"] and bench.last_pulse_ms <= 10.0
