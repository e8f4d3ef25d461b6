"""Image, match, approve, shift, verify, treat: judged on the truth that the controller never sees."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linac_ctl.config.session import MotionConfig
from linac_ctl.control.signals import Guard
from linac_ctl.errors import RefusedError
from linac_ctl.sequencer import approval
from tests.scenarios.bench import Bench, after, at_mu
from tests.sequencer.guided import (
    APPROVE,
    BEFORE,
    CBCT,
    CLOSE,
    ERROR,
    GUIDE,
    MATCH,
    SHIFT,
    SHORT,
    TREAT,
    VERIFY,
    WHOLE,
    guided,
    protocol,
    room,
    soon,
)
from tests.support import Run, run


def session(order: Any = None, **kw: Any) -> Run:
    return run(order or guided(), prepared=room(), **kw)


def nothing_given(sim: Run) -> bool:
    return float(sim.plant.beam["true_total_mu"][0]) == 0.0


@pytest.fixture(scope="module")
def whole() -> Run:
    return session(guided(steps=WHOLE, beams=2))


# --- what it is for

def test_a_hidden_error_is_found_shifted_and_verified_and_the_target_is_where_the_beam_goes(whole: Run) -> None:
    assert whole.error is None
    assert [whole.mu(n) for n in (1, 2)] == pytest.approx([8.0, 8.0], abs=0.15)
    assert whole.residuals[1][0] <= 1.0 and whole.residuals[2][0] <= 1.0
    assert np.abs(whole.residuals[1][1][3:]).max() <= 0.5
    assert len(whole.suite.imaging.images) == 3 and len(whole.suite.imaging.shifts) == 1


def test_without_the_shift_the_same_patient_is_missed_by_the_whole_error(whole: Run) -> None:
    blind = session(guided(steps=[*BEFORE, TREAT, CLOSE]))
    assert blind.suite.imaging is not None and nothing_given(blind)  # no images, no approval, no beam
    assert blind.imager.residual(0.0)[0] == pytest.approx(np.hypot(np.hypot(*ERROR[:2]), ERROR[2]), abs=0.6)
    assert whole.residuals[1][0] < 0.2 * blind.imager.residual(0.0)[0]


def test_the_first_match_finds_the_six_numbers_that_were_hidden(whole: Run) -> None:
    found = np.array(whole.suite.imaging.matches[0].error)
    assert np.abs(found[:3] - ERROR[:3]).max() < 0.5 and np.abs(found[3:] - ERROR[3:]).max() < 0.3


def test_nobody_trips_anything_when_nothing_is_wrong(whole: Run) -> None:
    assert [trip.id for trip in whole.linac.panel.history if trip.stop != "inhibit"] == []


@pytest.mark.parametrize("max_block", [7, 20_000])
def test_block_length_does_not_matter_with_images_either(max_block: int) -> None:
    usual = session(guided(steps=SHORT)).finish()
    assert session(guided(steps=SHORT), max_block=max_block).finish() == usual


def test_threads_and_hash_seeds_do_not_matter_with_images_either(root: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(root), "LINAC_CTL_THREADS": "1", "PYTHONHASHSEED": "3"}
    done = subprocess.run([sys.executable, "-m", "tests.sequencer.same_bytes"], cwd=root, capture_output=True, text=True,
                          env=environment, check=False)
    assert done.stdout == session().finish(), done.stderr[-2000:]


def test_another_seed_draws_other_noise_and_ends_as_well() -> None:
    one, other = session(), session(guided(seed=2))
    assert one.finish() != other.finish()
    assert other.residuals[1][0] <= 1.0 and other.error is None


def test_a_patient_who_drifts_is_caught_by_the_image_between_the_beams() -> None:
    sim = session(guided(steps=WHOLE, beams=2, motion=MotionConfig(kind="drift", rate_mm_per_min=(0.0, 0.6, 0.0))))
    shifts = [shift.t_s for shift in sim.suite.imaging.shifts]
    assert sim.error is None
    first, second = (next(e.t_s for e in sim.events if e.what == f"beam {n} on") for n in (1, 2))
    assert [t for t in shifts if t < first] and [t for t in shifts if first < t < second]
    assert sim.residuals[2][0] <= 1.0


def test_a_patient_who_drifts_too_fast_is_never_confirmed() -> None:
    sim = session(guided(motion=MotionConfig(kind="drift", rate_mm_per_min=(0.0, 2.0, 0.0))))
    assert "after 2 shifts" in str(sim.error) and "set the patient up again" in str(sim.error) and nothing_given(sim)


def test_a_small_shift_may_be_treated_without_another_image_where_the_protocol_says_so() -> None:
    rules = protocol(levels={"verify_mm": 15.0, "verify_deg": 2.5})
    sim = session(guided(steps=[*BEFORE, CBCT, MATCH, APPROVE, SHIFT, TREAT, CLOSE], rules=rules))
    assert sim.error is None and sim.residuals[1][0] <= 1.0
    assert len(sim.suite.imaging.images) == 1


@pytest.mark.parametrize("lateral_mm", [0.0, 115.0, -140.0])
def test_a_full_turn_finds_the_patient_with_the_panel_in_the_middle_and_on_either_side(lateral_mm: float) -> None:
    scan = {"start_deg": -180.0, "stop_deg": 180.0, "frames": 90, "binning": 32, "reconstruction": "lite", "lateral_mm": lateral_mm}
    sim = session(guided(rules=protocol(scans={"quick": scan})))
    assert sim.error is None and sim.residuals[1][0] <= 1.0
    assert {round(f.panel_mm[0]) for f in sim.suite.imaging.images[0].frames} == {round(lateral_mm)}
    assert np.abs(np.array(sim.suite.imaging.matches[0].error) - ERROR)[:3].max() < 0.5


def test_a_half_fan_without_a_full_turn_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a half fan .* needs 355 deg at least, these are 200 deg"):
        protocol(scans={"quick": {"start_deg": -100.0, "stop_deg": 100.0, "frames": 90, "binning": 32, "reconstruction": "lite",
                                  "lateral_mm": 115.0}})


# --- a pair of radiographs

PAIR = soon("acquire_pair")
TRANSLATED = (4.0, -3.0, 2.0, 0.0, 0.0, 0.0)


def test_a_pair_of_radiographs_brings_a_patient_who_is_not_turned_within_a_millimetre() -> None:
    steps = [*BEFORE, PAIR, MATCH, APPROVE, SHIFT, TREAT, CLOSE]
    sim = session(guided(error=TRANSLATED, steps=steps, rules=protocol("conventional_pair")))
    assert sim.error is None and sim.residuals[1][0] <= 1.0 and sim.mu(1) == pytest.approx(8.0, abs=0.15)
    (images,), (match,), (shift,) = sim.suite.imaging.images, sim.suite.imaging.matches, sim.suite.imaging.shifts
    assert len(images.uids) == 2 and match.dof == 3 and shift.change[3:] == (0.0, 0.0, 0.0)


def test_a_large_shift_of_a_pair_is_verified_by_another_pair() -> None:
    steps = [*BEFORE, PAIR, MATCH, APPROVE, SHIFT, VERIFY | {"pair": True}, APPROVE, TREAT, CLOSE]
    sim = session(guided(error=(0.0, 14.0, 0.0, 0.0, 0.0, 0.0), steps=steps, rules=protocol("conventional_pair")))
    assert sim.error is None and sim.residuals[1][0] <= 1.0 and len(sim.suite.imaging.images) == 2


def test_a_protocol_without_a_pair_takes_none() -> None:
    sim = session(guided(steps=[*BEFORE, PAIR]))
    assert "no kV pair" in str(sim.error)


# --- no token, no beam

@pytest.mark.parametrize(("steps", "words"), [
    ([*BEFORE, TREAT], "approval: there is none"),
    ([*BEFORE, CBCT, MATCH, TREAT], "approval: there is none"),
    ([*BEFORE, CBCT, MATCH, APPROVE, TREAT], "none is in force"),  # what was approved is a shift that nobody made
    ([*BEFORE, CBCT, MATCH, APPROVE, SHIFT, TREAT], "approval: there is none"),  # this protocol verifies every shift
    ([*BEFORE, CBCT, MATCH, APPROVE, SHIFT, VERIFY, TREAT], "approval: there is none"),
    ([*BEFORE, *GUIDE, CBCT, TREAT], "approval: there is none"),  # newer images
    ([*BEFORE, *GUIDE, MATCH, TREAT], "a newer match"),
    ([*BEFORE, *GUIDE[:-1], APPROVE | {"takes_s": 901.0}, TREAT], "s old > 900 s"),
])
def test_no_beam_without_an_approval_of_the_latest_images(steps: list[Any], words: str) -> None:
    sim = session(guided(steps=steps))
    assert nothing_given(sim) and words in str(sim.error)
    assert str(sim.error).count("position not approved") == 1 and "image, match and approve again" in str(sim.error)


def test_a_couch_that_creeps_after_approval_stops_everything_and_there_is_no_beam() -> None:
    def creep(bench: Bench) -> None:
        bench.plant.couch["creep"][2] = -2.0
        bench.plant.couch["moves"][2] = 0.0

    bench = Bench(guided(steps=SHORT), [after("position approved", 1.0, creep)], prepared=room())
    bench.run()
    assert len(bench.applied) == 1
    assert nothing_given(bench) and bench.first_out() == ["COUCH_LOOSE"] and "COUCH_LOOSE" in str(bench.error)


@pytest.mark.parametrize("way_mm", [0.9, 1.3, 30.0])
def test_a_couch_that_has_moved_since_the_image_is_not_approved(way_mm: float) -> None:
    def jog(bench: Bench) -> None:
        bench.plant.couch["position"][0] += way_mm

    bench = Bench(guided(steps=SHORT), [after("match", 0.05, jog)], prepared=room())
    bench.run()
    assert len(bench.applied) == 1 and nothing_given(bench) and not bench.suite.imaging.approvals
    assert bench.first_out()[0] in ("COUCH_LOOSE", "COUCH_RUN") and "COUCH_LOOSE" in str(bench.error)


def test_a_couch_that_says_it_stands_elsewhere_is_not_approved() -> None:
    def elsewhere(bench: Bench) -> None:
        for part, field in ((bench.image.couch, "setpoint"), (bench.control.couch, "goal"), (bench.plant.couch, "position"),
                            (bench.plant.couch, "last_setpoint"), (bench.plant.couch, "coupled"), (bench.plant.couch, "seen")):
            part[field][1] += 1.5  # it was told to, and is there

    bench = Bench(guided(steps=SHORT), [after("match", 0.05, elsewhere)], prepared=room())
    bench.run()
    assert nothing_given(bench) and not bench.suite.imaging.approvals
    assert "approval: the couch moved 1.5" in str(bench.error) and bench.tripped() == []


def test_a_machine_that_has_stopped_for_good_is_not_approved() -> None:
    def go(bench: Bench) -> None:
        bench.plant.couch["slides"][2] = -5.0

    def stay(bench: Bench) -> None:
        bench.plant.couch["slides"][2] = 0.0

    bench = Bench(guided(steps=SHORT), [after("match", 0.01, go), after("COUCH_LOOSE", 0.0, stay)], prepared=room())
    bench.run()
    assert nothing_given(bench) and bench.first_out() == ["COUCH_LOOSE"]
    assert not bench.suite.imaging.approvals and "COUCH_LOOSE" in str(bench.error)


def test_a_couch_jogged_after_approval_ends_the_approval_even_if_it_comes_back() -> None:
    def jog(bench: Bench, way: float) -> None:
        bench.plant.couch["position"][0] += way

    bench = Bench(guided(steps=SHORT), [after("position approved", 0.5, lambda b: jog(b, 3.0)),
                                        after("position approved", 0.6, lambda b: jog(b, -3.0))], prepared=room())
    bench.run()
    assert nothing_given(bench) and "POS_CHANGED" in bench.first_out() + bench.tripped()


def test_the_table_prevents_a_beam_whose_position_is_no_longer_approved_whatever_the_sequencer_thinks() -> None:
    def forget(bench: Bench) -> None:
        bench.linac.guard(Guard.POSITION_APPROVED, False)

    bench = Bench(guided(steps=SHORT), [after("position approved", 0.5, forget)], prepared=room())
    bench.run()
    assert nothing_given(bench) and len(bench.applied) == 1
    assert "POS_UNVERIFIED" in {trip.id for trip in bench.linac.panel.history} and "POS_UNVERIFIED" in str(bench.error)


def test_an_approval_that_goes_during_the_beam_takes_the_permit_away() -> None:
    bench = Bench(guided(steps=SHORT), [at_mu(1, 3.0, lambda b: approval.revoke(b.linac))], prepared=room())
    bench.run()
    given = float(bench.plant.beam["true_total_mu"][0])
    assert 3.0 <= given < 4.0 and "POS_UNVERIFIED" in str([trip.id for trip in bench.linac.panel.history])
    assert not bench.outcome(1).complete


def test_people_who_are_not_there_cannot_approve() -> None:
    sim = session(replace(guided(), people=(("anna", "therapist"), ("ben", "therapist"), ("chris", "engineer"))))
    assert isinstance(sim.error, RefusedError) and "physician" in str(sim.error) and nothing_given(sim)


# --- refused, with one clear message

@pytest.mark.parametrize(("error", "words"), [
    ((0.0, 0.0, 22.0, 0.0, 0.0, 0.0), "22.* mm and .* set the patient up again in the room"),
    ((3.0, 0.0, 0.0, 0.0, 3.9, 0.0), "set the patient up again in the room"),
])
def test_an_error_beyond_the_action_levels_asks_for_a_new_set_up(error: tuple[float, ...], words: str) -> None:
    sim = session(guided(error=error))
    assert nothing_given(sim)
    with pytest.raises(RefusedError, match=words):
        raise sim.error  # type: ignore[misc]
    assert len(sim.suite.imaging.shifts) == 0


def test_a_door_that_opens_during_the_scan_ends_the_exposures() -> None:
    bench = Bench(guided(), [after("hold_exposure", 6.0, lambda b: b.staff.hands.do("open_door"))], prepared=room())
    bench.run()
    assert "the door is open; close it" in str(bench.error) and len(bench.applied) == 1
    assert bench.suite.imaging.images == [] and nothing_given(bench)


def test_a_switch_that_is_let_go_ends_the_exposures() -> None:
    bench = Bench(guided(), [after("hold_exposure", 6.0, lambda b: b.staff.hands.do("release_exposure"))], prepared=room())
    bench.run()
    assert "exposure switch is not held" in str(bench.error) and bench.suite.imaging.images == []


def test_a_tube_without_output_gives_images_that_nobody_may_match() -> None:
    def broken(bench: Bench) -> None:
        bench.imager.imager.tube.broken = 1.0

    bench = Bench(guided(), [after("hold_exposure", 0.1, broken)], prepared=room())
    bench.run()
    assert "shows nothing" in str(bench.error) and bench.suite.imaging.matches == [] and nothing_given(bench)


def test_images_of_somebody_else_are_no_match() -> None:
    other = room()
    rng = np.random.Generator(np.random.Philox(5))
    hu = other.planning.hu.with_data(rng.normal(0.0, 300.0, other.planning.hu.data.shape))
    sim = run(guided(), prepared=replace(other, planning=replace(other.planning, hu=hu, matchers={})))
    assert "match refused" in str(sim.error) and nothing_given(sim)
    assert sim.suite.imaging.matches[0].complaints


def test_a_planning_ct_of_another_patient_is_refused() -> None:
    planning = replace(room().planning, patient_id="somebody else")
    sim = run(guided(), prepared=replace(room(), planning=planning))
    assert "somebody else" in str(sim.error) and nothing_given(sim)


def test_a_gantry_that_stops_in_the_scan_is_a_device_error_and_there_are_no_images() -> None:
    def stuck(bench: Bench) -> None:
        bench.plant.gantry["moves"] = 0.0

    bench = Bench(guided(), [after("hold_exposure", 8.0, stuck)], prepared=room())
    bench.run()
    assert bench.error is not None and bench.suite.imaging.images == [] and nothing_given(bench)
