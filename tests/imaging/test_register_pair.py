"""Two radiographs to a pose; markers; views that cannot give depth."""

from functools import cache

import numpy as np
import pytest

from linac_ctl.errors import RefusedError
from linac_ctl.imaging.fit import complaints
from linac_ctl.imaging.geometry import Panel
from linac_ctl.imaging.markers import find_blobs, match_markers, meet
from linac_ctl.imaging.pose import Pose, distance, of_six
from linac_ctl.imaging.register_pair import PairMatcher, Radiograph
from tests.imaging.patient import ASSUMED_SCATTER, MIDDLE, detected, pair, phantom, planning_ct, radiograph, random_pose

FINE = Panel(512, 384, 0.776, 0.776)
MARKERS = np.array(list(phantom(True).markers_mm.values()))


@cache
def matcher(dof=6):
    return PairMatcher(planning_ct(), dof, ASSUMED_SCATTER)


def shots(pose, panel=MIDDLE, first_deg=0.0, fiducials=False, rays=2, seed=1):
    views = pair(panel, first_deg)
    return [
        Radiograph(detected(radiograph(v, pose, fiducials, rays)[None], panel, seed + k)[0], v) for k, v in enumerate(views)
    ]


@pytest.mark.parametrize("first_deg", [0.0, 45.0])
def test_a_pair_gives_six_numbers_within_0_5_mm_and_0_5_deg(first_deg):
    pose = random_pose(4)
    fit = matcher()(shots(pose, first_deg=first_deg))
    mm, deg = distance(fit.pose, pose)
    assert mm < 0.5 and deg < 0.5
    assert complaints(fit) == ()


def test_three_numbers_when_the_patient_is_not_turned():
    pose = Pose((-6.0, 9.0, 3.0))
    fit = matcher(3)(shots(pose))
    assert distance(fit.pose, pose)[0] < 0.5 and fit.pose.r_deg == (0.0, 0.0, 0.0)


def test_a_radiograph_of_nothing_is_refused():
    empty = [Radiograph(np.zeros_like(s.image), s.view) for s in shots(Pose())]
    assert complaints(matcher()(empty))


def test_one_view_or_two_from_one_side_give_no_depth():
    both = shots(Pose())
    with pytest.raises(RefusedError, match="two views at least 30 deg apart"):
        matcher()(both[:1])
    with pytest.raises(RefusedError, match="0 deg apart"):
        matcher()([both[0], both[0]])


def test_an_image_of_another_size_than_its_geometry_is_refused():
    with pytest.raises(RefusedError, match="its geometry says"):
        Radiograph(np.zeros((10, 10), np.float32), pair()[0])
    with pytest.raises(RefusedError, match="not finite"):
        Radiograph(np.full((128, 96), np.nan, np.float32), pair()[0])


def test_rays_meet_where_the_point_is():
    views, point = pair(FINE, 20.0), np.array([5.0, -12.0, 30.0])
    at, miss = meet(views, [v.project(point) for v in views])
    assert at == pytest.approx(point, abs=1e-6) and miss < 1e-6


@cache
def marked():
    pose = of_six((7.0, -5.0, 9.0, 1.0, -1.5, 2.0))
    return pose, shots(pose, FINE, fiducials=True, rays=1)


def test_markers_give_the_shift_to_0_2_mm():
    pose, images = marked()
    fit = match_markers(MARKERS, images, 3)
    centre = MARKERS.mean(0)
    assert np.linalg.norm(fit.pose.apply(centre) - pose.apply(centre)) < 0.2
    assert fit.dof == 3


def test_three_markers_give_the_turn_as_well():
    pose, images = marked()
    fit = match_markers(MARKERS, images, 6)
    mm, deg = distance(fit.pose, pose)
    assert mm < 0.3 and deg < 1.0 and complaints(fit) == ()


def test_blobs_are_found_to_a_part_of_a_pixel():
    pose, images = marked()
    true, found = images[0].view.project(pose.apply(MARKERS)), find_blobs(images[0]).at
    for at in true:
        assert np.linalg.norm(found - at, axis=1).min() < 0.2


def test_a_marker_that_migrated_is_not_believed():
    planned = MARKERS.copy()
    planned[1] += [0.0, 6.0, 0.0]
    with pytest.raises(RefusedError, match="from where the others put it"):
        match_markers(planned, marked()[1], 3)


def test_no_markers_no_match():
    with pytest.raises(RefusedError, match="none found for marker"):
        match_markers(MARKERS, shots(Pose((4.0, 0.0, 0.0)), FINE, rays=1), 3)
    with pytest.raises(RefusedError, match="2 markers do not fix three turns"):
        match_markers(MARKERS[:2], marked()[1], 6)
