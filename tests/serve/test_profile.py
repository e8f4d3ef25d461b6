"""A device's own moves: never past the goal by more than the grid, never faster than allowed, and a stop is a stop."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from device_models.interface.image import DT_S
from device_models.serve.profile import Profile

places, speeds, accels = st.integers(-200_000, 200_000), st.integers(2_000, 60_000), st.integers(5_000, 200_000)


def walk(profile: Profile, longest: int = 60_000) -> list[float]:
    way = [float(profile.place[0])]
    while profile.moving:
        profile.step()
        way.append(float(profile.place[0]))
        assert len(way) < longest
    return way


@given(places, places, speeds, accels)
def test_a_move_arrives_exactly_and_keeps_its_limits(start: int, goal: int, speed: int, accel: int) -> None:
    it = Profile(np.array([speed / 1000]), np.array([accel / 1000]))
    it.rest_at(np.array([start / 1000]))
    it.start(0, goal / 1000)
    way = np.array(walk(it))
    steps = np.diff(way) / DT_S
    assert way[-1] == goal / 1000 and it.setpoints()[0] == goal / 1000
    assert np.abs(steps).max(initial=0.0) <= speed / 1000 + 0.06  # the last step lands on the goal itself
    assert np.abs(np.diff(steps)).max(initial=0.0) <= 2.5 * accel / 1000 * DT_S + 0.06
    low, high = sorted((start / 1000, goal / 1000))
    assert way.min() >= low - 1e-9 and way.max() <= high + 1e-9


@given(st.floats(-50.0, 50.0), accels)
def test_a_stop_takes_the_way_that_its_deceleration_needs(speed: float, accel: int) -> None:
    it = Profile(np.array([60.0]), np.array([accel / 1000]))
    it.follow(np.array([0.0]))
    it.follow(np.array([speed * DT_S]))
    it.stop()
    way = walk(it)
    needed = speed * speed / (2 * accel / 1000)
    assert abs(way[-1] - way[0]) <= needed + abs(speed) * DT_S + 0.01 and not it.moving


def test_a_standing_axis_has_nothing_to_stop() -> None:
    it = Profile(np.array([10.0]), np.array([10.0]))
    it.rest_at(np.array([3.0]))
    it.stop()
    assert not it.moving and it.step() == []


def test_an_axis_that_is_told_no_number_stands_where_it_was() -> None:
    it = Profile(np.array([10.0]), np.array([10.0]))
    it.rest_at(np.array([3.0]))
    it.follow(np.array([float("nan")]))
    assert it.place[0] == 3.0 and not it.moving
