"""The margin that would have covered a moved target."""

import numpy as np
import pytest

from device_models.interface.volume import Pose
from device_models.patient.spine import spine
from device_models.patient.structures import Structure, extruded
from linac_ctl.study.cover import target

SQUARE = np.array([(-10.0, -10.0), (10.0, -10.0), (10.0, 10.0), (-10.0, 10.0)])
ANGLES = np.arange(64) * 2 * np.pi / 64
BOX = target(extruded(SQUARE, np.arange(-20.0, 21.0, 2.0), "box", "CTV"))
CIRCLE = 10.0 * np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])
ROD = target(extruded(CIRCLE, np.arange(-20.0, 21.0, 2.0), "rod", "CTV"))


def test_a_target_in_its_place_needs_no_margin():
    assert BOX.margin_mm(BOX.points) == 0.0


@pytest.mark.parametrize("t, needs", [
    ((3.0, 0.0, 0.0), 3.0), ((0.0, 2.0, 0.0), 2.0), ((0.0, 0.0, -1.5), 1.5), ((3.0, 0.0, 4.0), 5.0), ((1.0, 2.0, 2.0), 3.0),
])
def test_a_shifted_box_needs_the_length_of_its_shift(t, needs):
    assert BOX.margin_mm(Pose(t).apply(BOX.points)) == pytest.approx(needs, abs=1e-9)


def test_a_rod_that_turns_about_its_own_axis_needs_next_to_nothing_and_a_tilted_one_does():
    assert ROD.margin_mm(Pose(r_deg=(0.0, 2.0, 0.0)).apply(ROD.points)) < 0.02
    tilted = ROD.margin_mm(Pose(r_deg=(2.0, 0.0, 0.0)).apply(ROD.points))
    assert tilted == pytest.approx(20.0 * np.sin(np.radians(2.0)), abs=0.05)


def test_a_hole_is_outside():
    outer, inner = (np.column_stack([s * SQUARE[:, 0], np.zeros(4), s * SQUARE[:, 1]]) for s in (1.0, 0.5))
    ring = target(Structure("ring", "CTV", (outer, inner)))
    assert ring.outside_mm(np.array([[0.0, 0.0, 0.0], [7.0, 0.0, 0.0], [12.0, 0.0, 0.0]])).tolist() == [5.0, 0.0, 2.0]


def test_outlines_that_change_from_plane_to_plane_reach_half_way():
    steps = [np.column_stack([s * SQUARE[:, 0], np.full(4, y), s * SQUARE[:, 1]]) for y, s in ((0.0, 1.0), (4.0, 0.5))]
    stack = target(Structure("steps", "CTV", tuple(steps)))
    assert len(stack.slabs) == 2
    asked = np.array([[8.0, 1.9, 0.0], [8.0, 4.0, 0.0], [0.0, 4.0, 0.0], [0.0, 4.5, 0.0]])
    assert stack.outside_mm(asked).tolist() == [0.0, 2.0, 0.0, 0.5]


def test_the_spine_target_is_one_slab_and_covers_itself():
    aim = target(next(s for s in spine().structures if s.kind == "CTV"))
    assert len(aim.slabs) == 1
    assert aim.margin_mm(aim.points) == pytest.approx(0.0, abs=1e-9)
