"""From the couch to the patient, at any couch angle; and the worked numbers of a couch shift."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_models.interface.volume import Pose, pose_of
from device_models.patient.couch import CouchPose, TableTop
from device_models.patient.hidden import HiddenPose, TargetTruth
from device_models.patient.motion import Breathing, Drift, Jump, SetUpError, TurnShift

SMALL = st.tuples(*[st.floats(-20, 20)] * 3)
TILT = st.tuples(*[st.floats(-60, 60)] * 3)


@given(t=SMALL, r=TILT)
def test_a_pose_and_its_inverse_are_nothing(t, r):
    pose = Pose(t, r)
    both = pose.after(pose.inverse())
    assert np.allclose(both.t_mm, 0.0, atol=1e-9) and np.allclose(both.r_deg, 0.0, atol=1e-7)
    assert pose_of(pose.matrix, pose.t).r_deg == pytest.approx(r, abs=1e-6)


def test_negated_numbers_do_not_undo_a_pose():
    pose = Pose((15.0, -10.0, 8.0), (3.0, -3.0, 3.0))
    wrong = Pose(tuple(-v for v in pose.t_mm), tuple(-v for v in pose.r_deg)).after(pose)
    assert 0.4 < wrong.shift_mm < 2.0


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_a_number_is_no_pose(bad):
    with pytest.raises(ValueError, match="finite"):
        Pose((bad, 0.0, 0.0))
    with pytest.raises(ValueError, match="finite"):
        CouchPose(rotation_deg=bad)


@pytest.mark.parametrize("couch, at_mm", [
    (CouchPose(lateral_mm=4.0), (4.0, 0.0, 0.0)),
    (CouchPose(longitudinal_mm=4.0), (0.0, 4.0, 0.0)),
    (CouchPose(vertical_mm=4.0), (0.0, 0.0, 4.0)),
    (CouchPose(lateral_mm=4.0, rotation_deg=90.0), (0.0, 4.0, 0.0)),  # axes turned with the table: counter-clockwise from above
    (CouchPose(longitudinal_mm=4.0, rotation_deg=90.0), (-4.0, 0.0, 0.0)),
    (CouchPose(longitudinal_mm=4.0, rotation_deg=-90.0), (4.0, 0.0, 0.0)),
])
def test_the_table_moves_in_its_own_turned_axes(couch, at_mm):
    assert HiddenPose().pose(0.0, couch).apply((0.0, 0.0, 0.0)) == pytest.approx(at_mm, abs=1e-9)


@pytest.mark.parametrize("couch, of, at_mm", [
    (CouchPose(rotation_deg=90.0), (0.0, 100.0, 0.0), (-100.0, 0.0, 0.0)),  # the head swings to the observer's left
    (CouchPose(pitch_deg=3.0), (0.0, 100.0, 0.0), (0.0, 99.863, 5.234)),  # the head end rises
    (CouchPose(roll_deg=3.0), (100.0, 0.0, 0.0), (99.863, 0.0, -5.234)),  # the left side sinks
])
def test_each_rotation_turns_its_way(couch, of, at_mm):
    assert HiddenPose().pose(0.0, couch).apply(of) == pytest.approx(at_mm, abs=1e-3)


@pytest.mark.parametrize("angle", [0.0, 90.0, -37.0])
def test_the_worked_shift_puts_the_target_right_at_any_couch_angle(angle):
    hidden = HiddenPose(set_up=Pose((3.0, 5.0, 2.0)))
    assert hidden.error(0.0, CouchPose(rotation_deg=angle)).t_mm == pytest.approx((3.0, 5.0, 2.0))
    assert hidden.error(0.0, CouchPose(-3.0, -5.0, -2.0, angle)).shift_mm == pytest.approx(0.0, abs=1e-9)


def test_an_offset_in_the_room_at_couch_90_needs_turned_numbers():
    seen = HiddenPose(set_up=Pose((5.0, -3.0, 2.0))).pose(0.0, CouchPose(rotation_deg=90.0))
    assert seen.t_mm == pytest.approx((3.0, 5.0, 2.0))
    corrected = HiddenPose(set_up=Pose((5.0, -3.0, 2.0))).pose(0.0, CouchPose(-5.0, 3.0, -2.0, 90.0))
    assert corrected.shift_mm == pytest.approx(0.0, abs=1e-9)


def test_yaw_about_a_far_pivot_moves_the_target():
    hidden = HiddenPose(table=TableTop(axis_mm=(0.0, 100.0)))
    assert hidden.pose(0.0, CouchPose(rotation_deg=2.0)).shift_mm == pytest.approx(3.49, abs=0.01)


def test_pitch_about_a_far_pivot_moves_the_target_too():
    hidden = HiddenPose(table=TableTop(pivot_mm=(0.0, -300.0, -80.0)))
    where = hidden.pose(0.0, CouchPose(pitch_deg=2.0)).t_mm
    assert where == pytest.approx((0.0, -300.0 + 300.0 * np.cos(np.radians(2)) - 80.0 * np.sin(np.radians(2)),
                                   -80.0 + 300.0 * np.sin(np.radians(2)) + 80.0 * np.cos(np.radians(2))), abs=1e-9)


def test_a_table_drawn_out_sags():
    hidden = HiddenPose(table=TableTop(droop_mm_per_m=2.0, droop_deg_per_m=0.1))
    out = hidden.pose(0.0, CouchPose(longitudinal_mm=500.0))
    assert out.t_mm == pytest.approx((0.0, 500.0, -1.0)) and out.r_deg[0] == pytest.approx(-0.05)


def test_the_reference_is_where_the_plan_has_the_couch():
    reference = CouchPose(12.0, -340.0, -55.0)
    assert HiddenPose(reference=reference).pose(0.0, reference).shift_mm == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("turn", [(0.0, 180.0, 0.0), (0.0, 0.0, 180.0), (180.0, 0.0, 0.0)])
def test_prone_and_feet_first_are_right_when_the_patient_lies_as_planned(turn):
    hidden = HiddenPose(set_up=Pose((2.0, 0.0, 0.0)), lying=Pose((0.0, 0.0, 0.0), turn))
    assert hidden.error(0.0, CouchPose(rotation_deg=30.0)).t_mm == pytest.approx((2.0, 0.0, 0.0), abs=1e-9)


def test_the_truth_of_the_target_counts_rotation():
    truth = TargetTruth(HiddenPose(set_up=Pose((0.0, 0.0, 0.0), (0.0, 0.0, 2.0))), np.array([0.0, 100.0, 0.0]))
    assert truth.residual_mm(0.0, CouchPose()) == pytest.approx(3.49, abs=0.01)
    assert truth.worst_mm(0.0, CouchPose()) == pytest.approx(3.49, abs=0.01)
    assert truth.centre(0.0, CouchPose()) == pytest.approx([-3.49, 99.94, 0.0], abs=0.01)


def test_set_up_errors_have_the_spread_that_was_asked_for():
    law = SetUpError(systematic_mm=(2.0, 2.0, 2.0), random_mm=(1.0, 1.0, 1.0), random_deg=(0.5, 0.5, 0.5))
    draws = np.array([(*p.t_mm, *p.r_deg) for p in (law.drawn(seed) for seed in range(400))])
    assert draws[:, :3].std() == pytest.approx(5**0.5, rel=0.06) and draws[:, 3:].std() == pytest.approx(0.5, rel=0.06)
    assert abs(draws[:, :3].mean()) < 0.2
    same = np.array([law.drawn(7, fraction=k).t_mm for k in range(200)])
    assert same.std(axis=0) == pytest.approx([1.0] * 3, rel=0.2)  # the systematic part stays


def test_drift_is_steady_and_wandering_is_continuous():
    steady = Drift(1, rate_mm_per_min=(0.0, 0.0, 0.2))
    assert steady.at(300.0).t_mm == pytest.approx((0.0, 0.0, 1.0)) and steady.at(-5.0).shift_mm == 0.0
    wander = Drift(1, wander_mm=(0.3, 0.3, 0.3))
    assert wander.at(59.999).t_mm == pytest.approx(wander.at(60.001).t_mm, abs=1e-3)
    assert wander.at(600.0) == wander.at(600.0) != Drift(2, wander_mm=(0.3, 0.3, 0.3)).at(600.0)


def test_breath_comes_back_and_a_jump_does_not():
    breath = Breathing((0.0, 10.0, 3.0), period_s=4.0)
    assert breath.at(0.0).shift_mm == 0.0 and breath.at(2.0).t_mm == pytest.approx((0.0, 10.0, 3.0))
    assert breath.at(4.0).shift_mm == pytest.approx(0.0, abs=1e-4)
    jump = Jump(100.0, Pose((5.0, 0.0, 0.0)))
    assert jump.at(99.99).shift_mm == 0.0 and jump.at(1000.0).shift_mm == 5.0


def test_a_couch_turn_shifts_the_patient_more_the_farther_it_goes():
    turn = TurnShift(3, sigma_mm_at_90=0.7)
    assert turn.at_angle(0.0).shift_mm == 0.0
    assert turn.at_angle(45.0).shift_mm == pytest.approx(0.5 * turn.at_angle(90.0).shift_mm, rel=1e-3)
    assert turn.at_angle(90.0) != turn.at_angle(-90.0)


def test_motion_counts_from_the_set_up():
    hidden = HiddenPose(motions=(Jump(10.0, Pose((1.0, 0.0, 0.0))),), set_up_at_s=500.0)
    assert hidden.pose(505.0, CouchPose()).shift_mm == 0.0 and hidden.pose(510.0, CouchPose()).shift_mm == 1.0


def test_a_point_is_carried_as_its_pose_carries_it() -> None:
    hidden = HiddenPose(Pose((4.0, -3.0, 2.0), (1.0, -0.5, 0.8)), (Drift(3, (0.1, 0.2, 0.3)), Breathing((0.0, 2.0, 8.0))),
                        TurnShift(5, 0.4, 0.2), lying=Pose((0.0, 0.0, 0.0), (0.0, 180.0, 0.0)), set_up_at_s=100.0)
    point = np.array([10.0, -20.0, 100.0])
    for couch in (CouchPose(), CouchPose(3.0, -4.0, 5.0, 42.0, 1.0, -2.0)):
        for time_s in (100.0, 101.3, 777.7):
            assert hidden.carried(point, time_s, couch) == pytest.approx(hidden.pose(time_s, couch).apply(point), abs=1e-9)
