"""Edges of a field in its port image, from pictures whose edges are known in closed form."""

from typing import Any

import numpy as np
import pytest

from linac_ctl.imaging.field_edges import Opening, field_edges
from linac_ctl.imaging.geometry import Panel, View, nominal

SIDES = np.arange(-50.0, 51.0, 5.0)
PANEL = Panel(200, 200, 2.0, 2.0)
FLAT = np.full((200, 200), 0.7, np.float32)


def view(gantry: float) -> View:
    return nominal(PANEL, np.array([gantry]), 1000.0, 1500.0).view(0)


def seen(opening: Opening, gantry: float) -> Any:
    """Line integrals through the field: straight edges, 3 mm wide, at the isocentre plane."""
    it, turn = view(gantry), np.radians(opening.collimator_deg)
    pixels = np.stack(np.meshgrid(np.arange(200), np.arange(200), indexing="ij"), -1).astype(float)
    rays = it.source_mm + it.rays(pixels) * (1000.0 / (it.rays(pixels) @ (-it.source_mm / 1000.0)))[..., None]
    axis = np.array([np.cos(np.radians(gantry)), 0.0, -np.sin(np.radians(gantry))])
    u, v = rays @ axis, rays[..., 1]
    x, y = u * np.cos(turn) + v * np.sin(turn), v * np.cos(turn) - u * np.sin(turn)
    x1, x2, y1, y2 = opening.jaws_mm
    pair = np.clip(np.searchsorted(SIDES, y) - 1, 0, 19)
    left, right = np.maximum(opening.leaf_mm[20:][pair], x1), np.minimum(opening.leaf_mm[:20][pair], x2)
    share = np.clip((x - left) / 3.0 + 0.5, 0, 1) * np.clip((right - x) / 3.0 + 0.5, 0, 1) * ((y > y1) & (y < y2))
    return (FLAT - np.log(0.015 + 0.985 * share)).astype(np.float32)


def opening(gantry: float = 0.0, collimator: float = 0.0, jaws: Any = (-30.0, 30.0, -40.0, 40.0), move: Any = None) -> Opening:
    steps = np.linspace(0.0, 9.5, 20)
    leaves = np.concatenate([25.0 - steps, -20.0 + 0.5 * steps])
    for index, mm in (move or {}).items():
        leaves[index] += mm
    return Opening(gantry, collimator, jaws, SIDES, leaves)


@pytest.mark.parametrize("gantry", [0.0, 90.0, 180.0, -120.0])
@pytest.mark.parametrize("collimator", [0.0, 15.0, -90.0])
def test_edges_where_the_plan_wants_them_are_found_there(gantry: float, collimator: float) -> None:
    it = opening(gantry, collimator)
    found = field_edges(seen(it, gantry), FLAT, view(gantry), it)
    assert found.pair.tolist() == list(range(3, 17))  # the others are under the Y jaws or near them
    assert np.abs(found.off_mm).max() < 0.25 and abs(found.mean_mm) < 0.05


@pytest.mark.parametrize(("leaf", "mm", "side"), [
    (7, 3.0, "X2 side"), (7, -3.0, "X2 side"), (27, -4.0, "X1 side"), (27, 2.0, "X1 side"),
])
def test_a_leaf_that_is_off_is_found_with_its_number_its_side_and_its_sign(leaf: int, mm: float, side: str) -> None:
    found = field_edges(seen(opening(move={leaf: mm}), 0.0), FLAT, view(0.0), opening())
    assert found.worst == (pytest.approx(abs(mm), abs=0.25), 7, side)
    row = found.pair.tolist().index(7)
    assert found.off_mm[row, 0 if side == "X1 side" else 1] == pytest.approx(mm, abs=0.25)


def test_a_leaf_that_is_closed_is_an_edge_that_is_not_there() -> None:
    found = field_edges(seen(opening(move={7: -60.0, 27: 20.0}), 0.0), FLAT, view(0.0), opening())
    assert found.worst[:2] == (float("inf"), 7)


def test_a_jaw_in_front_of_the_leaves_is_the_edge() -> None:
    it = opening(jaws=(-12.0, 12.0, -40.0, 40.0))
    found = field_edges(seen(it, 0.0), FLAT, view(0.0), it)
    assert np.abs(found.off_mm).max() < 0.25
    pushed = field_edges(seen(opening(jaws=(-12.0, 14.0, -40.0, 40.0)), 0.0), FLAT, view(0.0), it)
    assert pushed.off_mm[:, 1] == pytest.approx(2.0, abs=0.3)


def test_a_gap_too_narrow_to_show_two_edges_is_left_out() -> None:
    it = opening(jaws=(-3.0, 3.0, -40.0, 40.0))
    assert len(field_edges(FLAT, FLAT, view(0.0), it).pair) == 0


def test_a_field_without_leaves_has_strips_between_its_jaws() -> None:
    it = Opening(0.0, 0.0, (-20.0, 30.0, -15.0, 15.0))
    strips = it.strips()
    assert np.abs(strips[:, 1]).max() <= 12.0 and (strips[:, 2:] == [-20.0, 30.0]).all()
