"""Motion between fields: a setpoint arrives exactly, never passes its goal, and keeps to speed and acceleration."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_models.interface.image import AXIS, DT_S, records
from linac_ctl.control.ramp import aim_at, interpolate, ramp, stay, take_up
from linac_ctl.control.state import AIM

places = st.floats(-60.0, 60.0).map(lambda x: round(x, 3))
GRID_SPEED = 0.001 / DT_S  # a setpoint is rounded to 0.001, so its speed is known to this
GRID_CHANGE = 2 * GRID_SPEED / DT_S
speeds, accels = st.floats(2.0, 100.0), st.floats(4.0, 1000.0)


def axes(n: int = 1, **aim: Any) -> tuple[Any, Any]:
    return records(n, AIM, **({"speed": 10.0, "accel": 40.0} | aim)), records(n, AXIS)


def walk(aims: Any, wires: Any, longest: int = 200_000) -> list[float]:
    """Setpoints of the first axis, cycle by cycle, until it stands at its goal."""
    way = [float(wires["setpoint"][0])]
    while way[-1] != round(float(aims["goal"][0]), 3) or aims["velocity"][0] != 0.0:
        ramp(aims, wires)
        way.append(float(wires["setpoint"][0]))
        assert len(way) < longest
    return way


@given(places, places, speeds, accels)
def test_a_setpoint_arrives_exactly_and_never_passes_its_goal(start: float, goal: float, speed: float, accel: float) -> None:
    aims, wires = axes(goal=goal, speed=speed, accel=accel)
    wires["setpoint"] = start
    way = np.array(walk(aims, wires))
    low, high = min(start, goal), max(start, goal)
    assert way[-1] == goal and way.min() >= low - 1e-9 and way.max() <= high + 1e-9
    steps = np.diff(way) / DT_S
    assert (steps * (goal - start) >= -1e-9).all()  # never away from it
    assert np.abs(steps).max(initial=0.0) <= speed + GRID_SPEED * (1 + 1e-6)
    changes = np.abs(np.diff(np.concatenate([[0.0], steps, [0.0]]))) / DT_S
    assert changes[:-2].max(initial=0.0) <= accel + GRID_CHANGE * (1 + 1e-6)
    assert changes.max(initial=0.0) <= 2 * accel + GRID_CHANGE * (1 + 1e-6)  # the last step lands on the goal itself


@given(places, places, speeds, accels)
def test_a_way_takes_about_as_long_as_a_trapezoid_of_these_limits(start: float, goal: float, speed: float, accel: float) -> None:
    aims, wires = axes(goal=goal, speed=speed, accel=accel)
    wires["setpoint"] = start
    way, far = walk(aims, wires), abs(goal - start)
    shortest = far / speed + speed / accel if far > speed * speed / accel else 2.0 * np.sqrt(far / accel)
    assert (len(way) - 1) * DT_S <= shortest * 1.02 + 5 * DT_S
    assert (len(way) - 1) * DT_S >= shortest - 3 * DT_S


@given(st.lists(st.tuples(places, st.integers(1, 300)), min_size=2, max_size=6), speeds, accels)
def test_a_goal_that_changes_on_the_way_changes_no_limit(goals: list[tuple[float, int]], speed: float, accel: float) -> None:
    aims, wires = axes(speed=speed, accel=accel)
    way = [0.0]
    for goal, cycles in goals:
        aims["goal"] = goal
        for _ in range(cycles):
            ramp(aims, wires)
            way.append(float(wires["setpoint"][0]))
    way += walk(aims, wires)[1:]
    steps = np.diff(way) / DT_S
    assert way[-1] == goals[-1][0] and np.abs(steps).max() <= speed + GRID_SPEED * (1 + 1e-6)
    assert np.abs(np.diff(steps)).max(initial=0.0) <= (2 * accel + GRID_CHANGE) * DT_S * (1 + 1e-6)


@pytest.mark.parametrize("goal", [0.0, 0.001, -0.001, 1e-7, 0.0016])
def test_small_ways_and_none_at_all(goal: float) -> None:
    aims, wires = axes(goal=goal)
    assert len(walk(aims, wires)) <= 6


@given(st.floats(-60.0, 60.0), speeds, accels)
def test_every_setpoint_on_the_way_and_its_end_are_whole_thousandths(goal: float, speed: float, accel: float) -> None:
    aims, wires = axes(goal=goal, speed=speed, accel=accel)
    way = walk(aims, wires)
    assert way == [round(place, 3) for place in way] and abs(way[-1] - goal) <= 0.0005 + 1e-9


def test_axes_do_not_wait_for_each_other() -> None:
    aims, wires = axes(3, goal=[1.0, -20.0, 5.0], speed=[10.0, 5.0, 2.0])
    for _ in range(100):
        ramp(aims, wires)
    assert wires["setpoint"][0] == 1.0 and -5.0 < wires["setpoint"][1] < -4.0 and 1.8 < wires["setpoint"][2] < 2.0


def test_a_goal_that_is_no_number_is_never_reached() -> None:
    aims, wires = axes(goal=float("nan"))
    ramp(aims, wires)
    assert wires["setpoint"][0] != aims["goal"][0]


def test_staying_and_taking_up_leave_no_speed_and_no_rest() -> None:
    aims, wires = axes(2, goal=9.0, velocity=4.0, rest=0.0004)
    wires["setpoint"], wires["readback"] = [1.0, 2.0], [1.5, 2.5]
    stay(aims, wires)
    assert list(aims["goal"]) == [1.0, 2.0] and not aims["velocity"].any() and list(wires["setpoint"]) == [1.0, 2.0]
    assert not aims["rest"].any()
    aims["velocity"], aims["rest"] = 4.0, 0.0004
    take_up(aims, wires)
    assert list(aims["goal"]) == list(wires["setpoint"]) == [1.5, 2.5] and not aims["velocity"].any()
    assert not aims["rest"].any()


def test_aims_and_places_between_points() -> None:
    aims, wires = axes(2)
    aim_at(aims, np.array([3.0, 4.0]))
    assert list(aims["goal"]) == [3.0, 4.0]
    interpolate(wires, np.array([0.0, 10.0]), np.array([10.0, -10.0]), 0.25)
    assert list(wires["setpoint"]) == [2.5, 5.0]
    interpolate(wires, np.array([0.0, 10.0]), np.array([10.0, -10.0]), 0.0)
    assert list(wires["setpoint"]) == [0.0, 10.0]
