"""Images, matches, shifts and approvals that are not what they seem: nobody is shifted or treated by them."""

from dataclasses import replace
from typing import Any

import pytest

from tests.injection.alter import Altering, alter, at_mu, in_phase, loaded, run
from tests.scenarios.bench import Fault, after
from tests.sequencer.guided import guided, looking, room

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
    ("exposed_again", {"factor": 2.0, "repeat": 1}, "that nobody asked for"),
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


APPROVED = "couch shift: ordered to .* approved was .*; nothing has moved"
LATER = [
    ("stale_frames", {"kind": "pre_shift", "age_s": 60.0}, "told before"),
    ("foreign", {"swap": "patient"}, "other images than the latest"),
    ("late_match", {"delay_s": 30.0}, "approval: the couch moved .* since the image"),
    ("wrong_order", {"kind": "mm_cm"}, APPROVED), ("wrong_order", {"kind": "sign"}, APPROVED),
    ("wrong_order", {"kind": "axis_swap"}, APPROVED), ("wrong_order", {"kind": "deg_rad"}, APPROVED),
    ("wrong_order", {"kind": "convention"}, APPROVED),
]


@pytest.mark.parametrize(("name", "settings", "words"), LATER, ids=lambda value: str(value)[:40])
def test_a_wrong_shift_is_found_before_it_is_made_or_by_the_next_images(name: str, settings: Any, words: str) -> None:
    bench = imaged(name, **settings)
    assert bench.effective and bench.mu(1) == 0.0
    with pytest.raises(Exception, match=words):
        raise bench.error  # type: ignore[misc]


def test_one_wrong_match_is_put_right_by_the_next_one() -> None:
    bench = imaged("wrong_optimum", err_mm=8.0, err_deg=0.0, kind="vertebra", times=1)
    assert bench.effective and bench.error is None and bench.residuals[1][0] <= 1.0
    assert len(bench.suite.imaging.shifts) == 2


@pytest.mark.parametrize("repeat", [1, 20])
def test_after_exposures_that_nobody_asked_for_there_is_no_further_one_and_no_beam(repeat: int) -> None:
    bench = imaged("exposed_again", factor=1.05, repeat=repeat)
    assert bench.effective and bench.mu(1) == 0.0 and f"given {repeat} exposures that nobody asked for" in str(bench.error)
    assert int(bench.image.room["kv_exposures"][0]) == 1 + repeat


@pytest.mark.parametrize(("offset_mm", "angle_deg", "lag_ms"), [(2.9, 1.4, 25.0), (3.0, 0.0, 0.0)])
def test_an_imager_out_of_its_geometry_is_found_by_the_images_before_the_beam(offset_mm: float, angle_deg: float,
                                                                             lag_ms: float) -> None:
    off = alter("kv_geometry", offset_mm=offset_mm, angle_deg=angle_deg, lag_ms=lag_ms)
    bench = run(guided(rules=looking()), after("hold_exposure", 0.0, off), prepared=room())
    assert bench.effective and bench.mu(1) == 0.0 and "from its place, limit" in str(bench.error)


def test_a_match_that_is_wrong_every_time_is_found_by_the_image_before_the_beam() -> None:
    wrong = alter("wrong_optimum", err_mm=12.0, err_deg=0.0, kind="vertebra", times=1000)
    bench = run(guided(rules=looking()), after("hold_exposure", 0.0, wrong), prepared=room())
    assert bench.effective and bench.mu(1) == 0.0 and "target" in str(bench.error)


@pytest.mark.parametrize(("mm", "fine"), [(0.2, True), (0.6, False)])
def test_a_couch_that_was_elsewhere_between_image_and_approval_is_imaged_again_though_it_is_back(mm: float, fine: bool) -> None:
    bench = session(after("step Approve", 0.0, alter("jog", axis="longitudinal", way=mm, back="yes")))
    assert bench.effective and bool(bench.suite.imaging.approvals) is fine
    assert fine or ("the couch has been" in str(bench.error) and bench.mu(1) == 0.0)


def shifting(bench: Altering) -> bool:
    """Somebody holds the bar for the shift."""
    said = [e.what for e in bench.events]
    return "step ShiftCouch" in said and "hold_bar" in said[said.index("step ShiftCouch"):]


@pytest.mark.parametrize("alteration", [alter("cancel", kind="cancel"), alter("task_dies", task="beam")])
def test_a_shift_whose_task_is_gone_stops_at_once_and_not_when_somebody_lets_go_of_the_bar(alteration: Any) -> None:
    bench = session(Fault(shifting, alteration))
    trip = next(trip for trip in bench.linac.panel.history if trip.id == "TASK_ALIVE")
    assert (trip.cycle - bench.effective) * 10.0 <= 30.0 and bench.mu(1) == 0.0


def test_a_bar_that_is_let_go_stops_the_shift() -> None:
    bench = session(Fault(shifting, lambda b: b.staff.hands.do("release_bar")))
    assert bench.applied and bench.mu(1) == 0.0 and bench.tripped()[0] == "MOTION_EN" and bench.suite.imaging.shifts == []


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


def moves(kind: str) -> Altering:
    """As soon as the position is approved."""
    return session(after("position approved", 0.0, alter("patient_moves", kind=kind, amp_mm=12.0, v_mm_s=5.0)))


def test_a_patient_who_coughs_after_the_approval_is_not_treated_by_it() -> None:
    bench = moves("cough")
    assert bench.effective and bench.mu(1) == 0.0 and "the skin moved" in str(bench.error)


@pytest.mark.parametrize("kind", ["sit_up", "slow_drift"])
def test_a_patient_who_has_moved_is_seen_to_have_before_the_beam_and_is_brought_back_to_his_place_first(kind: str) -> None:
    bench = moves(kind)
    first = next(t for t in bench.suite.imaging.tracked if t.seen != "inside")
    assert bench.effective and (first.trigger, first.mu) == ("before", 0.0)
    assert bench.error is None and bench.residuals[1][0] <= 1.0 and len(bench.suite.imaging.shifts) == 2


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
