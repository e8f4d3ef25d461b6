"""What people do at the console at the wrong moment: nothing is given twice, nothing without a new start, nothing unapproved."""

from typing import Any

import pytest

from tests.injection.alter import Altering, alter, at_mu, at_s, in_phase, run, static

READY, BEAM, MOVE = 4, 8, 2
PRESCRIBED_MU = 30.0


def both(*acts: Any) -> Any:
    """In the same cycle, in this order."""
    def do(bench: Any) -> None:
        for act in acts:
            act(bench)
    return do


def dose_split(bench: Any) -> None:
    """Chamber 2 counts a fifth too much."""
    bench.plant.chambers["gain"][1] = 1.2


def refusals(bench: Altering) -> list[str]:
    """What the console was told."""
    return [event.why for event in bench.events if event.who == "console" and event.why.startswith("refused")]


@pytest.mark.parametrize("moment", [at_mu(1, 10.0, alter("press_start", n=3, gap_ms=50.0)),
                                    at_s(1.0, alter("press_start", n=20, gap_ms=200.0))], ids=["beam on", "with the start"])
def test_a_start_that_is_pressed_again_and_again_is_one_start(moment: Any) -> None:
    bench = run(static(), moment)
    assert bench.effective and refusals(bench) and bench.error is None and bench.tripped() == []
    assert bench.mu(1) == pytest.approx(PRESCRIBED_MU, abs=0.1)


def test_a_dose_interlock_is_not_reset_from_the_console_however_often_it_is_tried() -> None:
    bench = run(static(), at_mu(1, 10.0, both(alter("press_resume", n=5, gap_ms=200.0), dose_split)))
    assert bench.effective and len(refusals(bench)) == 5 and all("call a physicist" in why for why in refusals(bench))
    assert bench.mu_after == 0.0 and "RATE_PLAUS" in bench.linac.panel.latches() and bench.mu(1) < PRESCRIBED_MU


def test_an_override_is_refused_whoever_asks() -> None:
    bench = run(static(), at_mu(1, 10.0, alter("override", interlock="MU_DIS", role="therapist")))
    assert bench.effective and refusals(bench) and bench.error is None and not bench.linac.panel.resets


@pytest.mark.parametrize("at", ["hv_ramp", "first_pulse", "record_save"])
def test_stop_at_the_worst_moment_is_a_stop(at: str) -> None:
    bench = run(static(), at_s(0.5, alter("stop_at", at=at)))
    assert "ABORT" in bench.tripped() and "aborted by the operator" in str(bench.error)
    assert bench.last_pulse_ms <= 10.0 and bench.mu_after <= 0.2


@pytest.mark.parametrize("field", ["mode", "energy", "mu", "angle", "patient"])
def test_an_entry_that_is_edited_during_set_up_prevents_the_beam(field: str) -> None:
    bench = run(static(), at_s(2.0, alter("edit", field=field, after_ms=0.0, edits=1.0)))
    assert bench.effective == 201 and bench.mu(1) == 0.0
    assert "PLAN_INTEGRITY" in str(bench.error)


def test_an_edit_of_an_armed_field_takes_the_start_away_in_the_next_cycle() -> None:
    bench = run(static(), in_phase(READY, alter("edit", field="mu", after_ms=0.0, edits=1.0)))
    trip = next(trip for trip in bench.linac.panel.history if trip.id == "RX_CHANGED")
    assert trip.cycle - bench.effective <= 1 and bench.mu(1) == 0.0


@pytest.mark.parametrize("edits", [1.0, 2.0])
def test_an_edit_during_the_beam_ends_the_field_even_if_it_is_undone(edits: float) -> None:
    bench = run(static(), at_mu(1, 10.0, alter("edit", field="mu", after_ms=0.0, edits=edits)))
    assert bench.first_out() == ["RX_HASH"] and bench.last_pulse_ms <= 10.0 and bench.mu_after <= 0.2
    assert "the field is terminated" in str(bench.error)


def test_an_entry_that_was_edited_and_edited_back_during_set_up_is_the_old_one() -> None:
    bench = run(static(), at_s(2.0, alter("edit", field="mu", after_ms=0.0, edits=2.0)))
    assert len([e for e in bench.events if e.who == "console"]) == 2
    assert bench.error is None and bench.mu(1) == pytest.approx(PRESCRIBED_MU, abs=0.1)


def test_a_bar_that_is_let_go_while_something_moves_stops_it() -> None:
    bench = run(static(), in_phase(MOVE, alter("act_for", do="release_bar", undo="hold_bar", ms=200.0), 0.2))
    trip = next(trip for trip in bench.linac.panel.history if trip.id == "MOTION_EN")
    assert trip.cycle - bench.effective <= 2 and bench.mu(1) == 0.0 and bench.error is not None


@pytest.mark.parametrize(("do", "undo", "row"), [("open_door", "close_door", "DOOR"), ("press_estop", "release_estop", "ESTOP")])
@pytest.mark.parametrize("ms", [5.0, 1000.0])
def test_the_door_and_the_emergency_stop_latch_however_short_they_were(do: str, undo: str, row: str, ms: float) -> None:
    bench = run(static(), at_mu(1, 10.0, alter("act_for", do=do, undo=undo, ms=ms)))
    trip = next(trip for trip in bench.linac.panel.history if trip.id == row)
    assert trip.cycle == bench.effective and trip.latched
    assert list(bench.said(f"reset {row}"))  # nothing goes on before somebody has reset it
    pulses = [row[4] for row in bench.seen if bench.effective <= row[0] < bench.effective + 100]
    assert sum(pulses) == 0
    again = do == "press_estop" or ms > 100.0  # a door that was open needs a new search: somebody has to have seen it
    assert bench.mu(1) == pytest.approx(PRESCRIBED_MU if again else 10.1, abs=0.15)


@pytest.mark.parametrize("how", ["not_pressed", "timed_out", "skipped"])
def test_a_room_that_was_not_searched_prevents_the_beam(how: str) -> None:
    bench = run(static(), at_s(20.0 if how == "skipped" else 1.0, alter("no_search", last_person_out=how)))
    assert bench.effective and bench.mu(1) == 0.0 and "LAST_OUT" in str(bench.error)
