"""Images, matches, shifts and approvals that are not what they seem: nobody is shifted or treated by them."""

from dataclasses import replace
from typing import Any

import pytest

from tests.injection.alter import Altering, alter, at_mu, in_phase, loaded, run
from tests.scenarios.bench import Fault, after
from tests.sequencer.guided import guided, room

READY = 4


def session(*faults: Fault, order: Any = None) -> Altering:
    return run(order or guided(), *faults, prepared=room())


def imaged(name: str, **settings: Any) -> Altering:
    """Altered from the first exposure on."""
    return session(after("hold_exposure", 0.0, alter(name, **settings)))


def with_room() -> Any:
    """An order that knows its patient already."""
    order = guided()
    return replace(order, imaging=replace(order.imaging, room=room()))


NO_IMAGE = [
    ("black", {"cause": "tube", "n": 1000}, "shows nothing"), ("black", {"cause": "panel", "n": 1000}, "shows nothing"),
    ("black", {"cause": "generator", "n": 1}, "generator is in fault"),
    ("exposed_again", {"factor": 2.0, "repeat": 1}, "mAs were asked for"),
    ("technique", {"kv_factor": 0.8, "mas_factor": 2.0}, "kV, .* mAs were asked for"),
    ("frames_lost", {"p": 0.1, "run": 10, "kind": "drop"}, "54 of 60 frames came"),
    ("frames_lost", {"p": 0.1, "run": 10, "kind": "repeat"}, "told before"),
    ("frames_lost", {"p": 0.1, "run": 10, "kind": "freeze"}, "has the very pixels of frame"),
    ("stale_frames", {"kind": "previous_fraction", "age_s": 3600.0}, "and this run of"),
    ("flipped", {"kind": "lr"}, "match refused"), ("flipped", {"kind": "si"}, "match refused"),
    ("flipped", {"kind": "HFS_FFS"}, "match refused"),
    ("foreign", {"swap": "reference_ct"}, "the planning CT is of patient"),
    ("wrong_optimum", {"err_mm": 28.0, "err_deg": 0.0, "kind": "vertebra", "times": 1000}, "set the patient up again"),
    ("no_match", {"kind": "nan"}, "are no numbers"), ("no_match", {"kind": "inf"}, "are no numbers"),
    ("no_match", {"kind": "timeout"}, "registration failed .TimeoutError"),
    ("no_match", {"kind": "empty"}, "registration failed .IndexError"),
    ("no_match", {"kind": "exception"}, "registration failed .RegistrationFailed"),
]


@pytest.mark.parametrize(("name", "settings", "words"), NO_IMAGE, ids=lambda value: str(value)[:40])
def test_what_is_wrong_with_the_first_images_is_said_and_nobody_is_shifted_by_it(name: str, settings: Any, words: str) -> None:
    bench = imaged(name, **settings)
    assert bench.effective and bench.mu(1) == 0.0 and bench.suite.imaging.shifts == []
    with pytest.raises(Exception, match=words):
        raise bench.error  # type: ignore[misc]


LATER = [
    ("stale_frames", {"kind": "pre_shift", "age_s": 60.0}, "told before"),
    ("foreign", {"swap": "patient"}, "newer images have been taken"),
    ("late_match", {"delay_s": 30.0}, "approval: the couch moved .* since the image"),
    ("wrong_order", {"kind": "mm_cm"}, "capture range"), ("wrong_order", {"kind": "sign"}, "set the patient up again"),
    ("wrong_order", {"kind": "axis_swap"}, "set the patient up again|after 2 shifts"),
    ("wrong_order", {"kind": "deg_rad"}, "after 2 shifts"),
    ("wrong_order", {"kind": "convention"}, "call the physicist|set the patient"),
]


@pytest.mark.parametrize(("name", "settings", "words"), LATER, ids=lambda value: str(value)[:40])
def test_a_wrong_shift_is_found_by_the_next_images_and_there_is_no_beam(name: str, settings: Any, words: str) -> None:
    bench = imaged(name, **settings)
    assert bench.effective and bench.mu(1) == 0.0
    with pytest.raises(Exception, match=words):
        raise bench.error  # type: ignore[misc]


def test_one_wrong_match_is_put_right_by_the_next_one() -> None:
    bench = imaged("wrong_optimum", err_mm=8.0, err_deg=0.0, kind="vertebra", times=1)
    assert bench.effective and bench.error is None and bench.residuals[1][0] <= 1.0
    assert len(bench.suite.imaging.shifts) == 2


def test_exposures_that_nobody_asked_for_prevent_the_beam() -> None:
    bench = imaged("exposed_again", factor=1.05, repeat=1)
    assert bench.effective and bench.mu(1) == 0.0 and "KV_MV_EXCL" in bench.tripped()


@pytest.mark.parametrize("when", ["before_result", "during_result", "after_new_image", "twice"])
def test_an_approval_at_the_wrong_moment_approves_nothing_new(when: str) -> None:
    bench = imaged("approve_at", when=when)
    assert bench.effective and bench.error is None and bench.residuals[1][0] <= 1.0
    assert [e for e in bench.events if e.who == "console"]
    if when in ("before_result", "during_result"):
        assert "no match to approve" in bench.said("approve: there is")[0].why


@pytest.mark.parametrize("kind", ["patient", "plan", "site"])
def test_a_plan_that_is_not_of_this_planning_ct_is_refused_at_load(kind: str) -> None:
    bench = session(order=loaded(with_room(), "wrong_plan", kind=kind))
    assert bench.mu(1) == 0.0 and bench.suite.imaging.images == []
    assert "does not belong to the planning CT" in str(bench.error) and "another" not in str(bench.error)


def test_a_plan_for_another_position_of_the_patient_is_refused_at_load() -> None:
    bench = session(order=loaded(with_room(), "convention", kind="HFS_FFS"))
    assert bench.mu(1) == 0.0 and "position 'FFS', of the CT 'HFS'" in str(bench.error)


@pytest.mark.parametrize("swap", ["plan", "patient"])
def test_a_plan_that_was_opened_meanwhile_is_not_the_one_that_was_loaded(swap: str) -> None:
    bench = imaged("other_plan", kind=swap)
    assert bench.effective and bench.mu(1) == 0.0
    assert "match" in str(bench.error) or "PLAN_BIND" in str(bench.error)


@pytest.mark.parametrize("back", ["no", "yes"])
def test_a_couch_that_is_jogged_after_approval_voids_it_even_if_it_comes_back(back: str) -> None:
    bench = session(in_phase(READY, alter("jog", axis="lateral", way=3.0, back=back)))
    trip = next(trip for trip in bench.linac.panel.history if trip.id == "POS_CHANGED")
    assert bench.mu(1) == 0.0 and bench.effective < trip.cycle
    assert float(bench.seen[trip.cycle - bench.seen[0][0] - 1][6]) == 0.0


def test_a_jog_within_tolerance_is_none() -> None:
    bench = session(in_phase(READY, alter("jog", axis="lateral", way=0.5, back="no")))
    assert bench.effective and bench.error is None and bench.residuals[1][0] <= 1.5


@pytest.mark.parametrize("kind", ["sit_up", "cough", "slow_drift"])
def test_a_patient_who_moves_after_the_approval_is_not_treated(kind: str) -> None:
    bench = session(after("position approved", 0.0, alter("patient_moves", kind=kind, amp_mm=12.0, v_mm_s=5.0)))
    assert bench.effective and bench.mu(1) == 0.0 and "the skin moved" in str(bench.error)


def test_a_patient_who_sits_up_during_the_beam_stops_it() -> None:
    bench = session(at_mu(1, 3.0, alter("patient_moves", kind="sit_up", amp_mm=20.0, v_mm_s=5.0)), order=guided(mu=40.0))
    first = next(trip for trip in bench.linac.panel.history if trip.stop != "inhibit" or trip.id == "POS_UNVERIFIED")
    assert (first.cycle - bench.effective) * 10.0 <= 150.0 + 140.0  # the monitor's own latency is part of it


@pytest.mark.parametrize("at", ["shift", "reconstruction"])
def test_stop_in_the_middle_of_guidance_is_a_stop(at: str) -> None:
    bench = imaged("stop_at", at=at)
    assert bench.effective and bench.mu(1) == 0.0 and "ABORT" in bench.tripped()


@pytest.mark.parametrize("moment", [after("couch shifted", 0.0, alter("restart", age_s=0.0)),
                                    at_mu(1, 3.0, alter("restart", age_s=0.0))], ids=["after the shift", "beam on"])
def test_a_controller_that_starts_again_images_and_approves_again_and_gives_what_is_left(moment: Fault) -> None:
    bench = session(moment, order=loaded(with_room(), "restart"))
    assert bench.effective and bench.error is None and bench.mu(1) == pytest.approx(8.0, abs=0.2)
    starts = [e.cycle for e in bench.events if e.what == "position approved"]
    assert starts[-1] > bench.effective and bench.residuals[1][0] <= 1.0
