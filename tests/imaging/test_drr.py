"""Radiographs of the plan: against closed-form integrals, against finite differences, and the two projectors against each other."""

import numpy as np
import pytest

from linac_ctl.errors import RefusedError
from linac_ctl.imaging.drr import drr, drr_and_slopes
from linac_ctl.imaging.geometry import Frames
from linac_ctl.imaging.pose import Pose, of_six, pose_of, small_turn
from linac_ctl.imaging.project_scan import project_scan
from linac_ctl.imaging.volume import checked, cube
from tests.imaging.patient import MIDDLE, circle, pair, planning_ct, radiograph

POSE = of_six((6.0, -4.0, 8.0, 2.0, -1.0, 3.0))
INNER = (slice(25, 103), slice(25, 71))  # rays that leave through the sides of the CT, not through its ends


@pytest.mark.parametrize("pose", [Pose(), POSE], ids=["planned", "moved"])
def test_a_radiograph_of_the_ct_is_that_of_the_patient(pose):
    view = pair()[0]
    seen, exact = drr(planning_ct(4.0), view, pose)[INNER], radiograph(view, pose)[INNER]
    assert np.corrcoef(seen.ravel(), exact.ravel())[0, 1] > 0.999
    assert abs(float((seen - exact).mean())) < 0.02 * float(exact.mean())


def smooth_volume():
    volume = cube(48, 4.0)
    x, y, z = (volume.axis_mm(i) for i in range(3))
    r2 = ((x[:, None, None] - 8) / 30) ** 2 + ((z[None, :, None] + 5) / 24) ** 2 + (y[None, None, :] / 28) ** 2
    return volume.with_data(0.02 * np.exp(-r2))


@pytest.mark.parametrize("k", range(6))
def test_slopes_are_those_of_small_motions(k):
    volume, view = smooth_volume(), pair()[0].binned(4)
    step = np.zeros(6)
    step[k] = 0.5 if k < 3 else 0.01
    there, back = (POSE.after(pose_of(small_turn(s * step[3:]), s * step[:3])) for s in (1, -1))
    slope = (drr(volume, view, there, 0.25) - drr(volume, view, back, 0.25)) / (2 * step[k])
    exact = drr_and_slopes(volume, view, POSE, 0.25)[1 + k]
    assert (slope - exact).std() < 0.03 * exact.std()  # not the largest: a trilinear model has kinks between voxels


def test_the_quick_projector_agrees_with_the_general_one_also_when_arms_sag():
    frames = circle(6, MIDDLE, offset_mm=-40.0, first_deg=11.0)
    sag = np.array([[1.0, -2.0, 3.0]]) * np.cos(np.radians(frames.angle_deg))[:, None]
    frames = Frames(MIDDLE, frames.angle_deg, frames.source_mm + sag, frames.panel_mm - 2 * sag)
    volume = smooth_volume()
    quick = project_scan(volume, frames)
    for k in (0, 3):
        exact = drr(volume, frames.view(k), stride_voxels=0.25)
        assert np.abs(quick[k] - exact).max() < 0.004 * exact.max()


def test_what_is_no_number_is_not_projected():
    volume = smooth_volume()
    volume.data[3, 3, 3] = np.inf
    with pytest.raises(RefusedError, match="not finite"):
        checked(volume, "planning CT")
