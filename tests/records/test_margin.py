"""What margin the target would have needed, and how far it is from the edge of a field."""

from dataclasses import replace

import numpy as np
import pytest

from device_models.interface.volume import Pose
from linac_ctl.records.margin import Opening, achieved, edge_mm, spread
from linac_ctl.records.position_plots import position_chart, view_panels
from linac_ctl.records.result import ShiftResult, TrackedResult
from linac_ctl.records.silhouette import beams_eye, hull, planned_points
from linac_ctl.records.target import TargetOutline, TargetTruth
from tests.records.synthetic import result

CUBE = np.array([[x, y, z] for x in (-10.0, 10.0) for y in (-20.0, 20.0) for z in (-5.0, 5.0)])
NONE = np.full(4, np.nan)


def truth(*off_mm: tuple[float, float, float], turn_deg: float = 0.0) -> TargetTruth:
    rows = [[k, 1.0, 1.0, 10.0 * k, *off, turn_deg, 0.0, 0.0, *[0.0] * 6] for k, off in enumerate(off_mm)]
    return TargetTruth(np.array(rows), TargetOutline("CTV", np.zeros(3), (CUBE,), np.eye(3)))


def strips(left: float, right: float, jaws: np.ndarray = NONE) -> Opening:
    sides = np.arange(-30.0, 31.0, 5.0)
    n = len(sides) - 1
    return Opening(sides[:-1], sides[1:], np.full(n, left), np.full(n, right), jaws)


def test_the_margin_is_weighted_by_dose() -> None:
    one, all_of_it = achieved(truth((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)), (1,))
    assert one.centre.mean == pytest.approx(0.25) and one.centre.worst == 1.0  # the last sample has half an interval
    assert all_of_it.mean_mm == pytest.approx((0.0, 0.0, 0.25)) and all_of_it.mu == 20.0


def test_a_turn_counts_at_the_outline_and_not_at_the_centre() -> None:
    got = achieved(truth((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), turn_deg=1.0), (1,))[0]
    assert got.centre.worst == 0.0
    assert got.outline.worst == pytest.approx(2 * np.sin(np.radians(0.5)) * np.hypot(20.0, 5.0))


def test_without_dose_there_is_nothing_to_sum_up() -> None:
    assert achieved(truth((1.0, 0.0, 0.0)), (1,)) == ()
    assert achieved(truth((1.0, 0.0, 0.0), (1.0, 0.0, 0.0)), (2,)) == ()


def test_ninety_five_per_cent_leaves_the_rare_worst_out() -> None:
    got = spread(np.array([0.1, 0.2, 5.0]), np.array([50.0, 46.0, 4.0]))
    assert (got.most, got.worst) == (0.2, 5.0)


@pytest.mark.parametrize(("point", "mm"), [
    ((0.0, 0.0), 10.0), ((8.0, 0.0), 2.0), ((-12.0, 0.0), -2.0), ((0.0, 28.0), 2.0), ((0.0, 33.0), -3.0), ((13.0, 34.0), -5.0),
])
def test_distance_to_the_edge_of_an_open_square(point: tuple[float, float], mm: float) -> None:
    assert edge_mm(np.array([point]), strips(-10.0, 10.0)) == pytest.approx(mm)


def test_jaws_and_neighbouring_leaves_are_edges_too() -> None:
    assert edge_mm(np.zeros((1, 2)), strips(-10.0, 10.0, np.array([-3.0, 10.0, -30.0, 30.0]))) == pytest.approx(3.0)
    step = strips(-10.0, 10.0)
    step.left[7:] = 2.0  # from y = 5 mm on the leaves reach over the middle
    assert edge_mm(np.array([[0.0, 1.0]]), step) == pytest.approx(4.0)
    assert edge_mm(np.zeros((1, 2)), strips(10.0, 10.0)) == -np.inf


def test_a_turned_collimator_and_gantry_show_the_target_turned() -> None:
    points = planned_points(truth((0.0, 0.0, 0.0)).outline, 0.0)
    front, side = hull(beams_eye(points, 0.0)), hull(beams_eye(points, 90.0))
    assert front[:, 0].max() == pytest.approx(10.0 * 1000.0 / 995.0)  # the near side is magnified
    assert side[:, 0].max() == pytest.approx(5.0 * 1000.0 / 990.0)
    turned = beams_eye(np.array([[10.0, 0.0, 0.0]]), 0.0, 90.0)[0]
    assert turned == pytest.approx([0.0, -10.0])  # collimator axes turn anticlockwise, so the target turns clockwise


def test_the_true_outline_is_moved_by_the_error() -> None:
    outline = truth((0.0, 0.0, 0.0)).outline
    moved = planned_points(outline, 0.0, Pose((3.0, 0.0, 0.0)))
    assert np.allclose(moved - planned_points(outline, 0.0), [3.0, 0.0, 0.0])
    turned = planned_points(outline, 90.0, Pose((3.0, 0.0, 0.0))) - planned_points(outline, 90.0)
    assert np.allclose(turned, [0.0, 3.0, 0.0])  # the patient's left points to +Y when the couch stands at 90 deg


def test_a_hull_leaves_inner_points_out() -> None:
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    assert hull(np.vstack([square, [[0.5, 0.5]], [[0.5, 0.0]]])).tolist() == square.tolist()


def test_the_chart_shows_triggered_images_where_the_truth_is_seen_from_that_side() -> None:
    seen = TrackedResult(1.0, 1, 10.0, -90.0, "mu", (0.5, 0.1), "inside", 0.9, "1.2")  # source at 0 deg: u is X
    panels = view_panels(truth((0.5, 0.1, 7.0), (0.5, 0.1, 7.0)), [seen], np.zeros(1))
    assert [(panel.lines[0].y.tolist(), panel.dots[0].y.tolist()) for panel in panels] == [([0.5], [0.5]), ([0.1], [0.1])]


def test_the_chart_has_a_dot_for_every_match_and_image_and_a_mark_for_every_shift() -> None:
    seen = TrackedResult(1.0, 1, 10.0, -90.0, "mu", (0.5, 0.1), "inside", 0.9, "1.2")
    shift = ShiftResult(0.5, *[(0.0,) * 6] * 3)
    done = replace(result(), tracked=(seen,), shifts=(shift,))
    svg = position_chart(truth((0.5, 0.1, 7.0), (0.5, 0.1, 7.0)), done, 1.5, np.zeros(1))
    assert svg.count("<circle ") == 2 and "shift 1" in svg and "beam on" in svg
