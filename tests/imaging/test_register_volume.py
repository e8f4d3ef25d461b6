"""CBCT to planning CT: the pose of a patient whose images owe nothing to the code under test, and matches that are refused."""

from functools import cache
from importlib.util import find_spec

import numba
import numpy as np
import pytest

from linac_ctl.errors import RefusedError
from linac_ctl.imaging.clip import ClipBox
from linac_ctl.imaging.couch import AT_ZERO, CouchPosition
from linac_ctl.imaging.fdk import LITE, reconstruct
from linac_ctl.imaging.fit import Fit, QualityLimits, complaints
from linac_ctl.imaging.match import Binding, approvable, match_of
from linac_ctl.imaging.pose import IDENTITY, Pose, distance, of_six
from linac_ctl.imaging.quality import residual_map
from linac_ctl.imaging.reference import Reference, matched_reference
from linac_ctl.imaging.register_volume import PointMatcher
from linac_ctl.imaging.scatter import ScatterModel
from linac_ctl.imaging.volume import cube
from tests.imaging.patient import ASSUMED_SCATTER, BOX, SMALL, circle, detected, planning_ct, random_pose, scan

FRAMES = circle(60)


@cache
def reference():
    return matched_reference(planning_ct(), FRAMES, LITE, ASSUMED_SCATTER)


@cache
def matcher(dof=6):
    return PointMatcher(reference(), BOX, dof)


@cache
def cbct(pose):
    return reconstruct(detected(scan(FRAMES, pose), SMALL, seed=5), FRAMES, LITE)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_six_numbers_within_0_3_mm_and_0_2_deg_though_scatter_is_assumed_wrong(seed):
    pose = random_pose(seed)
    fit = matcher()(cbct(pose))
    mm, deg = distance(fit.pose, pose)
    assert mm < 0.3 and deg < 0.2
    assert complaints(fit) == ()


def test_scatter_of_nothing_is_as_good_as_none():
    none = matched_reference(planning_ct(), FRAMES, LITE, ScatterModel(0.0, 35.0))
    pose = random_pose(1)
    fit = PointMatcher(none, BOX)(reconstruct(detected(scan(FRAMES, pose), SMALL, seed=5, scatter=None), FRAMES, LITE))
    assert none.modes == () and distance(fit.pose, pose)[0] < 0.3 and complaints(fit) == ()


def test_three_numbers_when_the_patient_is_not_turned():
    pose = Pose((6.0, -8.0, 4.0))
    fit = matcher(3)(cbct(pose))
    assert distance(fit.pose, pose)[0] < 0.3 and fit.pose.r_deg == (0.0, 0.0, 0.0)


def test_a_shift_of_a_neighbouring_vertebra_is_beyond_the_capture_range():
    fit = matcher()(cbct(Pose((0.0, 34.0, 0.0))))
    assert complaints(fit)  # whether it found the right place or the neighbour


def test_an_empty_image_is_refused_with_reasons():
    fit = matcher()(cube(64, 4.0))
    with pytest.raises(RefusedError, match=r"match \(points, 6 DoF\) refused: .*similarity.*; check clip box and set-up"):
        approvable(match_of(fit, binding()))


def test_another_patient_is_refused():
    other = cube(64, 4.0)
    x, y, z = (other.axis_mm(i) for i in range(3))
    round_ = ((x[:, None, None] / 80) ** 2 + (z[None, :, None] / 80) ** 2 + 0 * y[None, None, :]) < 1
    fit = matcher()(other.with_data(0.02 * round_))
    assert any("similarity" in text for text in complaints(fit))


@pytest.mark.parametrize(
    "change, word",
    [({"similarity": 0.79}, "similarity"), ({"inside": 0.69}, "in both images"), ({"rival": 0.99}, "another place"),
     ({"converged": False}, "come to rest"), ({"pose": Pose((25.1, 0, 0))}, "capture range"),
     ({"pose": Pose(r_deg=(6.1, 0, 0))}, "capture range")],
)  # fmt: skip
def test_every_reason_to_refuse_is_said(change, word):
    good = {"pose": Pose((24.9, 0, 0), (0, 5.9, 0)), "dof": 6, "method": "m", "similarity": 0.95, "inside": 0.71, "rival": 0.5,
            "iterations": 9, "converged": True}  # fmt: skip
    assert complaints(Fit(**good)) == ()
    [text] = complaints(Fit(**{**good, **change}))
    assert word in text


@pytest.mark.parametrize("name", ["similarity", "inside"])
def test_a_quality_that_is_no_number_is_refused(name):
    good = {"similarity": 0.95, "inside": 1.0, name: float("nan")}
    assert complaints(Fit(pose=IDENTITY, dof=6, method="m", rival=-1.0, iterations=1, converged=True, **good), QualityLimits())


def binding(angle=0.0, couch=AT_ZERO):
    return Binding("P1", "1.2", ("1.3",), "1.4", "1.5", couch, angle, 321.5)


def test_a_match_is_on_the_grid_and_says_where_and_when():
    match = match_of(matcher()(cbct(random_pose(1))), binding())
    assert match.error == tuple(round(v, 3) for v in match.error)
    assert match.good and match.binding.acquired_s == 321.5
    assert approvable(match) is match


def test_a_match_at_couch_20_counts_from_the_turned_plan():
    turned = of_six((3.0, 0.0, 0.0, 0.0, 0.0, 20.5))
    fit = Fit(turned, 6, "m", 0.95, 1.0, -1.0, 9, True)
    match = match_of(fit, binding(20.0, CouchPosition(rotation_deg=20.0)))
    assert match.good and match.error == pytest.approx((3.0, 0.0, 0.0, 0.0, 0.0, 0.5))


def test_the_result_does_not_depend_on_the_number_of_threads():
    image, most = cbct(random_pose(1)), numba.get_num_threads()
    first = matcher()(image)
    try:
        numba.set_num_threads(1)
        assert matcher()(image) == first
        assert np.array_equal(reconstruct(detected(scan(FRAMES, random_pose(1)), SMALL, seed=5), FRAMES, LITE).data, image.data)
    finally:
        numba.set_num_threads(most)


def test_the_residual_map_points_at_what_changed():
    pose = random_pose(2)
    image = cbct(pose)
    changed = image.data.copy()
    spot = pose.apply(np.array([0.0, 14.0, 10.0]))
    x, y, z = (round((p - o) / 4.0) for p, o in zip(spot, image.origin_mm))
    changed[x - 2 : x + 3, z - 2 : z + 3, y - 2 : y + 3] += 0.01
    found = residual_map(reference().volume, image.with_data(changed), matcher()(image).pose, BOX)
    assert np.linalg.norm(np.array(found.worst_mm) - [0.0, 14.0, 10.0]) < 12.0
    assert found.rms > residual_map(reference().volume, image, matcher()(image).pose, BOX).rms


def test_clip_boxes_that_hold_nothing_are_refused():
    with pytest.raises(RefusedError, match="holds nothing"):
        ClipBox((0.0, 0.0, 0.0), (10.0, -1.0, 10.0))
    with pytest.raises(RefusedError, match="200 are the least"):
        PointMatcher(reference(), ClipBox((300.0, 0.0, 0.0), (320.0, 20.0, 20.0)))
    with pytest.raises(RefusedError, match="5 degrees of freedom"):
        PointMatcher(reference(), BOX, 5)


def test_a_second_opinion_agrees_to_0_3_mm_and_0_2_deg():
    pytest.importorskip("SimpleITK", reason="SimpleITK is not installed (extra itk)")
    from linac_ctl.imaging.second_opinion import ItkMatcher

    known = matched_reference(planning_ct(), FRAMES, LITE)  # it has no unknowns for scatter: judge both without
    image = reconstruct(detected(scan(FRAMES, random_pose(1)), SMALL, seed=1, scatter=None), FRAMES, LITE)
    mm, deg = distance(ItkMatcher(known, BOX)(image).pose, PointMatcher(known, BOX)(image).pose)
    assert mm < 0.3 and deg < 0.2


@pytest.mark.skipif(find_spec("SimpleITK") is not None, reason="SimpleITK is installed")
def test_without_simpleitk_a_second_opinion_is_refused_by_name():
    from linac_ctl.imaging.second_opinion import ItkMatcher

    with pytest.raises(RefusedError, match="install the extra `itk`"):
        ItkMatcher(Reference(reference().volume), BOX)
