"""Worked numbers of an image-guided shift, and the bugs that such code is known for."""

import numpy as np
import pytest

from linac_ctl.errors import RefusedError
from linac_ctl.imaging.couch import AT_ZERO, CouchMechanics, CouchPosition, angles_of, tilt_of
from linac_ctl.imaging.couch_shift import (
    CouchAxes,
    ShiftLimits,
    check_not_moved,
    check_where_taken,
    couch_order,
    error_from_table_axes,
    planned_pose,
    setup_error,
)
from linac_ctl.imaging.patient_position import fixed_from_dicom, in_fixed_frame
from linac_ctl.imaging.pose import Pose, distance, of_six, rotation
from linac_ctl.imaging.volume import cube
from linac_ctl.records.native_scale import to_native
from linac_ctl.records.trajectory_log import Axis

LIMITS = ShiftLimits(tilt_deg=3.0, remote_mm=60.0, remote_deg=4.0, stale_mm=1.0, stale_deg=0.5)
MECHANICS = CouchMechanics((12.0, -640.0, -95.0), (4.0, 1105.0, -31.0))
ISOCENTRIC = CouchMechanics()
OFFSET = Pose((3.0, 5.0, 2.0))  # the target lies left, superior, anterior of its place


def order(error, at=AT_ZERO, axes=CouchAxes.ALL, mechanics=ISOCENTRIC, **more):
    return couch_order(error, at, axes, mechanics, LIMITS, **more)


def where(point, seen_at, error, goes_to, mechanics):
    """A point planned at `point`, carried by the table top from the image to the target position."""
    moved = mechanics.table_top(goes_to).after(mechanics.table_top(seen_at).inverse()).after(error)
    return moved.apply(np.array(point, float))


def test_at_couch_0_the_patient_moves_against_the_offset():
    assert order(OFFSET).shift == (-3.0, -5.0, -2.0, 0.0, 0.0, 0.0)


def test_down_is_more_on_the_native_vertical_scale():
    at = CouchPosition(10.0, 1200.0, -100.0)
    before, after = at.six, order(OFFSET, at).targets.six
    axes = (Axis.COUCH_LAT, Axis.COUCH_LNG, Axis.COUCH_VRT)
    native_cm = [to_native(axis, b) - to_native(axis, a) for axis, a, b in zip(axes, before, after)]
    assert native_cm == pytest.approx([-0.30, -0.50, +0.20])
    assert to_native(Axis.COUCH_VRT, after[2]) == pytest.approx(110.2)  # plan -100 mm is 110 cm on the scale


def test_at_couch_90_an_offset_along_the_table_needs_the_same_table_shift():
    at = CouchPosition(rotation_deg=90.0)
    assert order(error_from_table_axes(OFFSET, 90.0), at).shift == (-3.0, -5.0, -2.0, 0.0, 0.0, 0.0)


def test_at_couch_90_an_offset_in_the_room_is_turned_back():
    at = CouchPosition(rotation_deg=90.0)
    assert order(OFFSET, at).shift == (-5.0, 3.0, -2.0, 0.0, 0.0, 0.0)


def test_a_yaw_of_2_deg_moves_a_point_100_mm_away_by_3_5_mm_and_the_shift_undoes_it():
    pivot, target = np.array([0.0, -100.0, 0.0]), (0.0, 0.0, 0.0)
    turn = rotation(0.0, 0.0, 2.0)
    error = Pose(tuple(pivot - turn @ pivot), (0.0, 0.0, 2.0))
    assert np.linalg.norm(error.apply(np.array(target))) == pytest.approx(3.49, abs=0.01)
    got = order(error)
    assert np.linalg.norm(got.shift[:3]) == pytest.approx(3.49, abs=0.01)
    assert got.shift[3:] == (-2.0, 0.0, 0.0)
    assert where(target, got.taken_at, error, got.targets, CouchMechanics()) == pytest.approx([0.0] * 3, abs=2e-3)


@pytest.mark.parametrize("couch_deg", [0.0, 90.0, -90.0, 33.0, 270.0, 359.9, -0.1])
@pytest.mark.parametrize("mechanics", [CouchMechanics(), MECHANICS], ids=["isocentric", "far pivot"])
def test_six_axes_bring_every_point_home_at_any_couch_angle(couch_deg, mechanics):
    at = CouchPosition(-14.0, 1130.0, -52.0, couch_deg, 0.4, -0.7)
    error = of_six((9.0, -12.0, 4.0, 1.7, -1.1, 2.0))
    got = order(error, at, mechanics=mechanics)
    for point in ((0, 0, 0), (80, 0, 0), (0, -60, 40)):
        assert where(point, at, error, got.targets, mechanics) == pytest.approx(point, abs=0.02)
    mm, deg = distance(got.left, Pose())
    assert mm < 0.02 and deg < 0.002
    assert abs(got.shift[3]) < 4.0  # not the long way round


def test_a_far_pivot_costs_translation_that_an_isocentric_couch_does_not():
    error = Pose(r_deg=(1.0, 0.0, 0.0))
    assert order(error).shift[:3] == (0.0, 0.0, 0.0)
    shift = order(error, mechanics=CouchMechanics((0.0, -640.0, -95.0))).shift
    assert shift[2] == pytest.approx(640.0 * np.sin(np.radians(1.0)) + 0.014, abs=2e-3)  # what sinks about the pivot is raised


def test_a_couch_that_only_translates_brings_the_target_home_and_says_what_is_left():
    target, error = (10.0, -20.0, 15.0), of_six((4.0, -6.0, 2.0, 1.5, -1.0, 2.0))
    got = order(error, axes=CouchAxes.TRANSLATIONS, target_mm=target)
    assert got.shift[3:] == (0.0, 0.0, 0.0)
    assert where(target, got.taken_at, error, got.targets, CouchMechanics()) == pytest.approx(target, abs=2e-3)
    assert distance(got.left, error)[1] == pytest.approx(0.0, abs=1e-6)


def test_without_pitch_and_roll_only_the_yaw_is_undone():
    error = of_six((4.0, -6.0, 2.0, 1.5, -1.0, 2.0))
    got = order(error, axes=CouchAxes.WITH_ROTATION)
    assert got.shift[4:] == (0.0, 0.0) and got.shift[3] == pytest.approx(-2.0, abs=0.05)
    assert abs(got.left.r_deg[2]) < 0.05


@pytest.mark.parametrize("turn, refused", [(2.99, False), (3.01, True), (-3.01, True)])
@pytest.mark.parametrize("axis", [0, 1], ids=["pitch", "roll"])
def test_pitch_and_roll_end_at_3_deg(axis, turn, refused):
    error = Pose(r_deg=tuple(turn if k == axis else 0.0 for k in range(3)))
    if not refused:
        assert order(error).targets.six[4 + axis] == pytest.approx(-turn, abs=1e-3)
        return
    with pytest.raises(RefusedError, match=r"(pitch|roll) of -?3.01 deg is beyond ±3 deg; set the patient up again"):
        order(error)


def test_a_shift_beyond_the_remote_limit_is_for_people_in_the_room():
    order(Pose((59.9, 0.0, 0.0)))
    with pytest.raises(RefusedError, match=r"60.1 mm > 60 mm"):
        order(Pose((60.1, 0.0, 0.0)))
    with pytest.raises(RefusedError, match=r"4.10 deg > 4 deg"):
        order(Pose(r_deg=(0.0, 0.0, 4.1)))


def test_the_same_order_twice_is_one_shift():
    at = CouchPosition(-14.0, 1130.0, -52.0)
    first = order(OFFSET, at)
    assert order(OFFSET, at) == first
    check_not_moved(first, at, LIMITS)
    with pytest.raises(RefusedError, match="applied once"):
        check_not_moved(first, first.targets, LIMITS)


def test_a_couch_moved_since_the_image_needs_a_new_image():
    got = order(OFFSET)
    check_not_moved(got, CouchPosition(0.99), LIMITS)
    with pytest.raises(RefusedError, match=r"moved 1.01 mm, 0.00 deg since the image"):
        check_not_moved(got, CouchPosition(1.01), LIMITS)
    with pytest.raises(RefusedError, match=r"0.51 deg since"):
        check_not_moved(got, CouchPosition(rotation_deg=359.49), LIMITS)


def test_an_image_is_used_only_where_it_was_taken():
    taken_at = CouchPosition(5.0, -100.0, 20.0)
    check_where_taken("approval", taken_at, CouchPosition(5.0, -100.99, 20.0), LIMITS)
    with pytest.raises(RefusedError, match=r"approval: the couch moved 1.01 mm, 0.00 deg since the image .limits 1 mm, 0.5 deg"):
        check_where_taken("approval", taken_at, CouchPosition(5.0, -101.01, 20.0), LIMITS)


def test_a_missing_readback_moves_nothing():
    with pytest.raises(RefusedError, match="no number"):
        CouchPosition(float("nan"))


def test_the_order_of_couch_rotations_is_not_that_of_a_pose():
    at = CouchPosition(rotation_deg=20.0, pitch_deg=2.5, roll_deg=-2.0)
    matrix = rotation(0.0, 0.0, 20.0) @ tilt_of(at)
    assert angles_of(matrix) == pytest.approx((20.0, 2.5, -2.0))
    assert np.abs(rotation(2.5, -2.0, 20.0) - matrix).max() > 1e-3  # taking one for the other would be wrong by this


def test_negated_numbers_are_not_the_inverse():
    error = of_six((15.0, -15.0, 15.0, 3.0, 3.0, -3.0))
    wrong = of_six(tuple(-v for v in (*error.t_mm, *error.r_deg)))
    assert np.linalg.norm(wrong.after(error).apply(np.zeros(3))) > 0.5
    assert np.linalg.norm(error.inverse().after(error).apply(np.zeros(3))) < 1e-9


def test_a_patient_who_lies_as_planned_at_couch_45_has_no_error():
    assert distance(setup_error(planned_pose(45.0), 45.0), Pose()) == pytest.approx((0.0, 0.0), abs=1e-9)


@pytest.mark.parametrize(
    "position, left, superior, anterior",
    [("HFS", (1, 0, 0), (0, 1, 0), (0, 0, 1)), ("FFS", (-1, 0, 0), (0, -1, 0), (0, 0, 1)),
     ("HFP", (-1, 0, 0), (0, 1, 0), (0, 0, -1)), ("FFP", (1, 0, 0), (0, -1, 0), (0, 0, -1))],
)  # fmt: skip
def test_left_superior_and_anterior_in_the_room(position, left, superior, anterior):
    matrix = fixed_from_dicom(position)
    for dicom, fixed in (((1, 0, 0), left), ((0, 0, 1), superior), ((0, -1, 0), anterior)):
        assert tuple(matrix @ np.array(dicom, float)) == fixed
    assert np.linalg.det(matrix) == pytest.approx(1.0)  # turned, never mirrored


def test_a_shift_to_the_left_of_a_feet_first_patient_goes_the_other_way():
    offset = fixed_from_dicom("FFS") @ np.array([3.0, 0.0, 0.0])  # target 3 mm to the patient's left
    assert order(Pose(tuple(offset))).shift[:3] == (3.0, 0.0, 0.0)


@pytest.mark.parametrize("position", ["HFS", "FFS", "HFP", "FFP"])
def test_voxels_go_where_their_points_go(position):
    volume = cube(4, 2.0, (1.0, -3.0, 5.0))
    volume.data[3, 1, 2] = 1.0  # x z y
    point = np.array([volume.axis_mm(0)[3], volume.axis_mm(1)[2], volume.axis_mm(2)[1]])
    laid = in_fixed_frame(volume, position)
    x, z, y = np.argwhere(laid.data == 1.0)[0]
    found = [laid.axis_mm(0)[x], laid.axis_mm(1)[y], laid.axis_mm(2)[z]]
    dicom = np.array([point[0], -point[2], point[1]])
    assert found == pytest.approx(fixed_from_dicom(position) @ dicom)


def test_lying_on_the_side_is_refused():
    with pytest.raises(RefusedError, match="HFDL"):
        fixed_from_dicom("HFDL")
