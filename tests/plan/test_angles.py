"""Circular angles to paths."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linac_ctl.plan.angles import TurnError, signed, unwrap

REACH = 185.0


@pytest.mark.parametrize(
    "angle_deg, expected_deg",
    [(0, 0), (180, 180), (-180, 180), (540, 180), (180.001, -179.999), (359.9999, 0), (270, -90), (185, -175)],
)
def test_one_angle_lies_within_half_a_turn_and_180_is_positive(angle_deg, expected_deg):
    assert signed(angle_deg) == expected_deg
    assert unwrap([angle_deg, angle_deg], ["NONE", "NONE"], REACH) == [expected_deg, expected_deg]


@pytest.mark.parametrize(
    "angles_deg, way, path_deg",
    [
        ([181, 0, 179], "CW", [-179, 0, 179]),
        ([179, 0, 181], "CC", [179, 0, -179]),
        ([180, 270, 0, 90, 180], "CW", [-180, -90, 0, 90, 180]),
        ([180, 90, 0, 270, 180], "CC", [180, 90, 0, -90, -180]),
        ([181, 179], "CW", [-179, 179]),  # the direction gives the way, not the shorter way
        ([175, 185], "CW", [175, 185]),
        ([178, 182], "CW", [178, 182]),
        ([182, 90], "CC", [182, 90]),
        ([350, 10], "CW", [-10, 10]),
    ],
)
def test_the_direction_gives_the_way_through_the_overlap_at_180(angles_deg, way, path_deg):
    assert unwrap(angles_deg, [way] * len(angles_deg), REACH) == path_deg


def test_a_path_may_turn_round_where_the_direction_changes():
    assert unwrap([0, 30, 10], ["CW", "CC", "NONE"], REACH) == [0, 30, 10]


def test_an_angle_that_changes_without_a_direction_is_refused():
    with pytest.raises(TurnError, match="no direction of rotation, but the angle goes from 10 to 20 deg") as caught:
        unwrap([0, 10, 20], ["CW", "NONE", "NONE"], REACH)
    assert caught.value.point == 1


def test_a_step_against_its_direction_is_refused_where_it_happens():
    with pytest.raises(TurnError, match=r"longest step is 359.9 deg") as caught:
        unwrap([0, 10, 9.9, 20], ["CW"] * 4, REACH)
    assert caught.value.point == 1


@given(
    start=st.integers(-185000, 185000),
    steps=st.lists(st.integers(0, 40000), min_size=1, max_size=20),
    clockwise=st.booleans(),
)
def test_every_arc_within_reach_comes_back_as_it_went(start, steps, clockwise):
    sign = 1 if clockwise else -1
    path = [start]
    for step in steps:
        if abs(path[-1] + sign * step) <= 185000:
            path.append(path[-1] + sign * step)
    written = [p / 1000.0 % 360.0 for p in path]
    got = unwrap(written, ["CW" if clockwise else "CC"] * len(path), REACH)
    assert [round(b - a, 3) for a, b in pairwise(got)] == [round((b - a) / 1000.0, 3) for a, b in pairwise(path)]
    assert max(abs(g) for g in got) <= REACH
    assert [signed(g) for g in got] == [signed(p / 1000.0) for p in path]
