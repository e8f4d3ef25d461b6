"""Where a point falls on the panel, at any angle, with sagging arms."""

import numpy as np
import pytest

from linac_ctl.errors import RefusedError
from linac_ctl.imaging.geometry import Frames, Panel, kv_angle_deg, nominal

PANEL = Panel(9, 7, 2.0, 1.0)


def test_at_gantry_0_the_kv_source_is_on_the_patients_left():
    view = nominal(PANEL, kv_angle_deg(np.array([0.0])), 1000.0, 1500.0).view(0)
    assert view.source_mm == pytest.approx([1000.0, 0.0, 0.0], abs=1e-9)
    assert view.project(np.zeros(3)) == pytest.approx([4.0, 3.0])


def test_a_superior_point_is_higher_and_magnified():
    view = nominal(PANEL, np.array([0.0]), 1000.0, 1500.0).view(0)
    assert view.project(np.array([2.0, 1.0, 0.0])) == pytest.approx([4.0 + 2.0 * 1.5 / 2.0, 3.0 + 1.0 * 1.5])


@pytest.mark.parametrize("angle", [0.0, 37.0, 90.0, 181.0, -100.0])
def test_a_ray_through_the_image_of_a_point_meets_the_point(angle):
    frames = Frames(PANEL, np.array([angle]), np.array([[0.7, -0.4, 999.0]]), np.array([[-1.1, 2.0, -501.0]]))
    view, point = frames.view(0), np.array([12.0, -30.0, 17.0])
    ray = view.rays(view.project(point))
    along = point - view.source_mm
    assert np.linalg.norm(np.cross(ray, along)) < 1e-9


@pytest.mark.parametrize("by", [2, 3])
def test_binning_leaves_points_where_they_are(by):
    frames = nominal(Panel(16, 13, 2.0, 1.0), np.array([20.0]), 1000.0, 1500.0, 5.0)
    point = np.array([3.0, 2.0, -1.0])
    full = frames.view(0).project(point)
    expected = (full - (by - 1) / 2) / by  # pixel 0 of the binned image covers pixels 0 .. by - 1
    assert frames.binned(by).view(0).project(point) == pytest.approx(expected)
    assert frames.view(0).binned(by).project(point) == pytest.approx(expected)


def test_a_missing_readback_and_arms_out_of_place_are_refused():
    with pytest.raises(RefusedError, match="not finite"):
        nominal(PANEL, np.array([np.nan]), 1000.0, 1500.0)
    with pytest.raises(RefusedError, match="are the arms in place"):
        nominal(PANEL, np.array([0.0]), 1000.0, -10.0)
