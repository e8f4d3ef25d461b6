"""Sessions of a study through real pixels: what is put in comes out, or is corrected."""

import numpy as np
import pytest

from linac_ctl.study.cover import target
from linac_ctl.study.population import Day
from linac_ctl.study.treat import Looks, Session
from tests.study.worlds import NO_DRIFT, NO_MACHINE, NO_SET_UP, room, world

ONCE = {**NO_SET_UP, "systematic_mm": (2.5, 2.5, 2.5), "systematic_deg": (0.6, 0.6, 0.6)}
CREEP = {**NO_DRIFT, "systematic_mm_per_min": (0.4, 0.0, 0.0)}


def treated(study, arm, patient=1, fraction=0):
    its_room = room(study)
    day = Day(study, 1, patient, fraction)
    rules = next(a for a in study.arms if a.name == arm)
    return Session(its_room, rules, day, Looks(its_room, day), target(its_room.patient.target)).run()


def test_without_images_the_set_up_error_stays():
    study = world(drift=NO_DRIFT, machine_errors=NO_MACHINE, set_up=ONCE)
    course = treated(study, "none")
    centre = target(room(study).patient.target).centre
    expected = course.hidden.set_up.apply(centre) - centre
    assert np.array(course.offsets) == pytest.approx(np.tile(expected, (30, 1)), abs=1e-9)
    assert (course.images, course.shifts, course.time_s) == (0, 0, 1080.0)


def test_a_cbct_with_six_axes_brings_the_target_home():
    course = treated(world(drift=NO_DRIFT, machine_errors=NO_MACHINE, set_up=ONCE), "cbct_6dof")
    assert np.linalg.norm(course.hidden.set_up.t_mm) > 2.0
    assert np.linalg.norm(course.offsets[0]) < 0.4
    assert course.margins[0] < 0.7


def test_a_pair_without_rotations_leaves_them_in():
    study = world(drift=NO_DRIFT, machine_errors=NO_MACHINE, set_up=ONCE)
    pair, full = treated(study, "pair_3dof"), treated(study, "cbct_6dof")
    assert pair.seen.six[3:] == (0.0, 0.0, 0.0) != full.seen.six[3:]
    assert pair.margins[0] > full.margins[0]


def test_an_imager_beside_the_beam_puts_the_target_beside_it():
    study = world(drift=NO_DRIFT, set_up=NO_SET_UP, machine_errors={**NO_MACHINE, "imager_mm": 1.0})
    off = np.array(Day(study, 1, 1, 0).imager_off_mm())
    assert np.linalg.norm(off) > 0.5
    assert treated(study, "cbct_6dof").offsets[0] == pytest.approx(off, abs=0.3)


def test_what_no_image_shows_stays_in_every_arm():
    study = world(drift=NO_DRIFT, set_up=NO_SET_UP, machine_errors={**NO_MACHINE, "chain_mm": 1.0})
    off = np.array(Day(study, 1, 1, 0).beam_off_mm())
    assert np.linalg.norm(off) > 0.5
    assert treated(study, "none").offsets[0] == pytest.approx(off, abs=1e-9)
    assert treated(study, "cbct_6dof").offsets[0] == pytest.approx(off, abs=0.3)


def test_a_couch_error_is_in_the_truth_and_not_in_the_readback():
    study = world(drift=NO_DRIFT, set_up=NO_SET_UP, machine_errors={**NO_MACHINE, "couch_mm": 0.5})
    course = treated(study, "cbct_6dof")
    assert np.abs(np.array(course.couch.six) - course.seen.six)[:3].max() > 0.1


def test_images_during_treatment_catch_a_patient_who_creeps():
    study = world(drift=CREEP, set_up=NO_SET_UP, machine_errors=NO_MACHINE)
    once, again = treated(study, "cbct_6dof"), treated(study, "cbct_6dof_intra")
    assert again.images == 3 and again.shifts >= 2
    rate = abs(once.offsets[-1][0] - once.offsets[0][0])
    assert rate > 2.0  # the patient did creep
    assert np.abs(again.offsets[-1]).max() < 0.6 * rate


def test_below_the_action_level_the_couch_stays():
    course = treated(world(drift=NO_DRIFT, set_up=NO_SET_UP, machine_errors=NO_MACHINE), "cbct_6dof_intra")
    assert (course.images, course.shifts) == (3, 1)


def test_too_large_an_error_is_set_up_again_and_then_treated():
    far = {**NO_SET_UP, "systematic_deg": (0.0, 8.0, 0.0)}
    study = world(drift=NO_DRIFT, machine_errors=NO_MACHINE, set_up=far)
    assert abs(Day(study, 1, 1, 0).lies(0, 0.0).set_up.r_deg[1]) > 3.2
    course = treated(study, "cbct_6dof")
    assert course.treated and course.set_ups == 1 and course.images == 2
    assert course.time_s > 1080.0 + 300.0


def test_an_error_that_set_up_does_not_cure_ends_the_session():
    far = {**NO_SET_UP, "random_deg": (0.0, 300.0, 0.0), "limit_sigma": 0.02}
    course = treated(world(drift=NO_DRIFT, machine_errors=NO_MACHINE, set_up=far, most_set_ups=1), "cbct_6dof")
    assert not course.treated and course.offsets == [] and course.images == 2


def test_arms_that_look_at_the_same_instant_share_the_image():
    study = world()
    its_room, day = room(study), Day(study, 1, 0, 0)
    looks, aim = Looks(its_room, day), target(its_room.patient.target)
    first, second = (Session(its_room, a, day, looks, aim).run() for a in study.arms if a.name in ("cbct_6dof", "cbct_6dof_intra"))
    assert first.offsets[0] == pytest.approx(second.offsets[0], abs=0.0)
    assert len(looks.images) == first.images + second.images - (first.set_ups + 1)
