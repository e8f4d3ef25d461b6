"""The field in hand: permit, dose rate, the commanded dose, and where the axes are for it."""

from math import sqrt
from typing import Any

import numpy as np
import pytest

from device_models.interface.image import DT_S
from linac_ctl.control.field import (
    RUN_UP_PATIENCE,
    aim_at_point,
    all_there,
    between_points,
    choose_rate,
    count_dose,
    enter_motion,
    find_segment,
    follow_field,
    permit_field,
    place_axes,
    reach_stop,
    run_up,
    slow_down,
)
from linac_ctl.control.phases import Hold, Reaction
from linac_ctl.control.signals import Signal
from tests.control.rig import controller
from tests.support import machine

NAN = float("nan")
POINTS = 5
AXES = ("gantry", "collimator", "jaws", "mlc", "carriages")
AWAY = (Signal.GANTRY_AWAY, Signal.COLLIMATOR_AWAY, Signal.JAW_AWAY, Signal.LEAF_AWAY, Signal.CARRIAGE_AWAY)


class Hand:
    """A controller with a field of five control points at 0, 10, 20, 20 and 30 MU: the third segment is motion without dose."""

    def __init__(self) -> None:
        self.control, self.image = controller(machine("bench_small"), points=8)
        self.job, self.signals, self.param = self.control.job[0], self.control.signals, self.control.param[0]
        t = self.trajectory = self.control.trajectory
        t.mu[:POINTS] = [0.0, 10.0, 20.0, 20.0, 30.0]
        t.move[:POINTS] = [0, 0, 1, 0, 0]
        t.stop_mu[:POINTS] = [20.0, 20.0, 20.0, 30.0, 30.0]
        t.rate[:POINTS] = [8.0, 6.0, 0.0, 5.0, 0.0]
        t.node_rate2[:POINTS] = [64.0, 16.0, 1.0, 1.0, 0.25]
        t.accel[:POINTS] = [100.0, 50.0, 1.0, 20.0, 1.0]
        for k, name in enumerate(AXES):
            table = getattr(t, name)
            for i in range(POINTS):
                table[i] = 10.0 * i + k + np.arange(table.shape[1]) * 0.125
        self.signals[:] = 0.0
        for name, value in {"points": POINTS, "segment": 0, "half_pulse_mu": 0.05, "pulse_mu": 0.1, "phase": 8, "mu_end": 30.0,
                            "max_rate_mu_per_s": 40.0, "start_rate_mu_per_s": 3.0, "rate_mu_per_s": 8.0}.items():
            self.job[name] = value

    def where(self, name: str) -> list[float]:
        """Setpoints of a device."""
        return [float(x) for x in getattr(self.image, name)["setpoint"]]

    def table(self, name: str, at: float) -> list[float]:
        """Where a device is at control point `at`, which may lie between two."""
        i = int(at)
        rows = getattr(self.trajectory, name)
        return [float(x) for x in rows[i] + (at - i) * (rows[min(i + 1, POINTS - 1)] - rows[i])]

    def stand(self, at: float) -> None:
        """All axes at a control point."""
        for name in AXES:
            getattr(self.image, name)["setpoint"] = self.table(name, at)

    def all_at(self, at: float) -> bool:
        """Are they?"""
        return all(self.where(name) == pytest.approx(self.table(name, at)) for name in AXES)


@pytest.fixture
def hand() -> Hand:
    return Hand()


# --- laggards

@pytest.mark.parametrize("signal", [Signal.GANTRY_OFF_DEG, Signal.LEAF_OFF_MM, Signal.JAW_OFF_MM])
@pytest.mark.parametrize(("share", "factor"), [
    (0.0, 1.0), (0.499, 1.0), (0.5, 1.0), (0.75, 0.5), (0.9, 0.2), (1.0, 0.05), (1.5, 0.05), (NAN, 0.0),
    (float("inf"), 0.05),
])
def test_dose_slows_with_the_worst_laggard_and_creeps_where_it_would_be_held(hand: Hand, signal: Signal, share: float,
                                                                            factor: float) -> None:
    limit = {Signal.GANTRY_OFF_DEG: 0.5, Signal.LEAF_OFF_MM: 4.0, Signal.JAW_OFF_MM: 0.25}[signal]
    for name, most in (("per_gantry_hold", 0.5), ("per_leaf_hold", 4.0), ("per_jaw_hold", 0.25)):
        hand.param[name] = 1.0 / most
    hand.signals[signal] = share * limit
    assert slow_down(hand.signals, hand.param) == pytest.approx(factor)


@pytest.mark.parametrize(("off", "split", "factor"), [
    (0.75, 0.0, 0.5), (0.75, 0.25, 1.0), (0.75, 0.15, 0.8), (90.0, 90.0, 1.0), (90.0, 0.0, 0.05), (0.75, NAN, 0.0), (NAN, 0.0, 0.0),
])
def test_the_gantry_is_behind_by_no_more_than_both_encoders_say(hand: Hand, off: float, split: float, factor: float) -> None:
    hand.signals[[Signal.GANTRY_OFF_DEG, Signal.GANTRY_SPLIT_DEG]] = [off, split]
    assert slow_down(hand.signals, hand.param) == pytest.approx(factor)


def test_the_worst_of_several_laggards_counts(hand: Hand) -> None:
    hand.signals[[Signal.GANTRY_OFF_DEG, Signal.LEAF_OFF_MM, Signal.JAW_OFF_MM]] = [0.6, 1.8, 0.7]
    assert slow_down(hand.signals, hand.param) == pytest.approx(0.2)
    hand.signals[Signal.GANTRY_OFF_DEG] = NAN
    assert slow_down(hand.signals, hand.param) == 0.0


# --- dose rate

def rate(hand: Hand, **job: float) -> float:
    for name, value in job.items():
        hand.job[name] = value
    return float(choose_rate(hand.job, hand.trajectory, hand.signals, hand.param))


def test_the_segment_limits_the_rate(hand: Hand) -> None:
    assert rate(hand) == 8.0
    assert rate(hand, segment=1, expected_mu=12.0) == 6.0


def test_the_next_control_point_is_reached_at_its_own_rate(hand: Hand) -> None:
    assert rate(hand, expected_mu=10.0) == 4.0
    assert rate(hand, expected_mu=9.9) == pytest.approx(sqrt(16.0 + 2 * 100.0 * 0.1))
    assert rate(hand, expected_mu=9.0) == 8.0  # far enough to brake later
    assert rate(hand, expected_mu=11.0) == 4.0  # past it: not a negative way


def test_one_cycle_does_not_run_through_a_control_point(hand: Hand) -> None:
    hand.trajectory.accel[0] = 1e6
    assert rate(hand, expected_mu=9.99) == pytest.approx(0.01 / DT_S + 4.0)
    assert rate(hand, expected_mu=9.5) == 8.0


def test_what_was_slow_at_a_control_point_gathers_speed_from_there(hand: Hand) -> None:
    hand.trajectory.node_rate2[1] = 4.0
    assert rate(hand, segment=1, expected_mu=10.0) == 2.0
    assert rate(hand, segment=1, expected_mu=10.1) == pytest.approx(sqrt(4.0 + 2 * 50.0 * 0.1))
    assert rate(hand, segment=1, expected_mu=9.0) == 2.0
    assert rate(hand, segment=1, expected_mu=15.0) == 6.0
    hand.trajectory.node_rate2[0] = hand.trajectory.node_rate2[3] = 0.04
    assert rate(hand, segment=0, expected_mu=0.0) == 8.0  # a field starts as fast as its run-up says
    assert rate(hand, segment=3, expected_mu=20.0) == 5.0  # after a motion without dose nothing is slow


def test_the_rate_rises_no_faster_than_the_axes_may_accelerate(hand: Hand) -> None:
    assert rate(hand, rate_mu_per_s=0.0) == pytest.approx(1.0)
    assert rate(hand, rate_mu_per_s=2.5) == pytest.approx(3.5)
    assert rate(hand, rate_mu_per_s=7.5) == 8.0


def test_laggards_scale_the_rate(hand: Hand) -> None:
    hand.signals[Signal.GANTRY_OFF_DEG] = 0.75
    assert rate(hand) == pytest.approx(4.0)
    hand.signals[Signal.GANTRY_OFF_DEG] = NAN
    assert rate(hand) == 0.0


def test_the_last_cycle_before_a_stop_asks_for_no_more_than_is_left(hand: Hand) -> None:
    hand.signals[Signal.MU_1] = 19.91
    assert rate(hand, segment=1, expected_mu=15.0) == pytest.approx((20.0 - 19.91 - 0.05) / DT_S)
    hand.signals[Signal.MU_1] = 19.94
    assert rate(hand, segment=1, expected_mu=15.0) == pytest.approx(0.1 * 0.1 / DT_S)  # a tenth of a pulse per cycle
    hand.signals[Signal.MU_1] = 25.0
    assert rate(hand, segment=1, expected_mu=15.0) == pytest.approx(0.1 * 0.1 / DT_S)


def test_the_rate_is_never_negative(hand: Hand) -> None:
    hand.trajectory.rate[0] = -3.0
    assert rate(hand) == 0.0


# --- the commanded dose

def test_the_commanded_dose_runs_on_with_its_rate_and_follows_the_chamber(hand: Hand) -> None:
    hand.signals[Signal.MU_1] = 5.0
    hand.job["expected_mu"], hand.job["flowing"], hand.param["servo_gain"] = 4.0, 7, 0.25
    count_dose(hand.job, hand.trajectory, hand.signals, hand.param)
    assert hand.job["expected_mu"] == pytest.approx(4.0 + 0.25 * 1.0 + 8.0 * DT_S)


def test_with_the_first_pulse_the_commanded_dose_is_that_of_the_chamber(hand: Hand) -> None:
    hand.signals[Signal.MU_1] = 5.0
    hand.job["expected_mu"], hand.job["flowing"] = 4.0, 1
    count_dose(hand.job, hand.trajectory, hand.signals, hand.param)
    assert hand.job["expected_mu"] == pytest.approx(5.0 + 8.0 * DT_S)


def test_the_commanded_dose_never_passes_the_next_stop(hand: Hand) -> None:
    hand.signals[Signal.MU_1] = 21.0
    hand.job["expected_mu"], hand.job["flowing"], hand.job["segment"] = 19.99, 1, 1
    count_dose(hand.job, hand.trajectory, hand.signals, hand.param)
    assert hand.job["expected_mu"] == 20.0


@pytest.mark.parametrize(("mu", "segment", "found"), [
    (0.0, 0, 0), (9.99, 0, 0), (10.0, 0, 1), (15.0, 0, 1), (20.0, 0, 1), (25.0, 0, 1), (20.0, 3, 3), (30.0, 3, 3), (99.0, 3, 3),
    (5.0, 1, 1),
])
def test_segments_are_found_by_dose_and_never_across_a_motion_without_it(hand: Hand, mu: float, segment: int, found: int) -> None:
    hand.job["expected_mu"], hand.job["segment"] = mu, segment
    find_segment(hand.job, hand.trajectory)
    assert hand.job["segment"] == found


@pytest.mark.parametrize(("mu", "at"), [(10.0, 1.0), (10.25, 1.5), (10.5, 2.0)])
def test_short_segments_are_placed_as_long_ones_are(hand: Hand, mu: float, at: float) -> None:
    hand.trajectory.mu[:3] = [0.0, 10.0, 10.5]
    hand.job["expected_mu"], hand.job["segment"] = mu, 1
    place_axes(hand.job, hand.trajectory, hand.image)
    assert hand.all_at(at)


def test_several_short_segments_are_passed_in_one_cycle(hand: Hand) -> None:
    hand.trajectory.mu[:5] = [0.0, 1.0, 2.0, 3.0, 30.0]
    hand.trajectory.move[:5] = 0
    hand.job["expected_mu"] = 3.5
    find_segment(hand.job, hand.trajectory)
    assert hand.job["segment"] == 3


@pytest.mark.parametrize(("mu", "segment", "at"), [(0.0, 0, 0.0), (2.5, 0, 0.25), (10.0, 0, 1.0), (17.5, 1, 1.75), (99.0, 0, 1.0),
                                                   (-1.0, 0, 0.0), (20.0, 2, 3.0), (25.0, 3, 3.5)])
def test_all_axes_are_where_the_commanded_dose_says(hand: Hand, mu: float, segment: int, at: float) -> None:
    hand.job["expected_mu"], hand.job["segment"] = mu, segment
    place_axes(hand.job, hand.trajectory, hand.image)
    assert hand.all_at(at)


# --- run-up

def begin_run_up(hand: Hand, speed: float, cycles: int = 100, wait: int = 0) -> None:
    for name, value in {"run_up_cycles": cycles, "run_up_left": cycles + wait, "run_up_to_deg": 30.0, "run_up_deg_per_s": speed,
                        "run_up_accel": 8.0}.items():
        hand.job[name] = value


@pytest.mark.parametrize("speed", [4.0, -4.0])
@pytest.mark.parametrize("wait", [0, 40])
def test_the_gantry_passes_the_start_at_speed_when_the_run_up_is_over(hand: Hand, speed: float, wait: int) -> None:
    begin_run_up(hand, speed, wait=wait)
    way: list[float] = []
    for _ in range(100 + wait + RUN_UP_PATIENCE + 10):
        run_up(hand.job, hand.image)
        way.append(hand.where("gantry")[0])
    assert way[: wait + 1] == [pytest.approx(30.0 - speed * (1.0 - 0.25))] * (wait + 1)  # standing still at its beginning
    over = 100 + wait
    assert way[over] == pytest.approx(30.0)
    steps = np.diff(way) / DT_S
    assert steps[over - 1] == pytest.approx(speed) and steps[wait + 51] == pytest.approx(speed)
    assert np.abs(np.diff(steps[: over + RUN_UP_PATIENCE - 1])).max() <= 8.0 * DT_S + 2 * 0.001 / DT_S + 1e-6  # as it may, no jumps
    assert steps[wait + 30] == pytest.approx(speed / 50 * 30.5, abs=0.1)  # setpoints are whole millidegrees
    assert way[over + RUN_UP_PATIENCE - 1] == pytest.approx(30.0 + speed * DT_S * (RUN_UP_PATIENCE - 1))
    assert set(way[over + RUN_UP_PATIENCE - 1 :]) == {way[over + RUN_UP_PATIENCE - 1]}  # patience is over: it waits there


def test_a_gantry_that_gathers_speed_quickly_stands_still_until_its_run_up_begins(hand: Hand) -> None:
    begin_run_up(hand, 4.0, wait=3)
    hand.job["run_up_accel"] = 40.0  # 0.1 s for the speed: 0.2 deg, and 3.6 deg at speed
    way: list[float] = []
    for _ in range(5):
        run_up(hand.job, hand.image)
        way.append(hand.where("gantry")[0])
    assert way == pytest.approx([26.2, 26.2, 26.2, 26.2, 26.202], abs=1e-6)


def test_an_arc_waits_no_longer_than_200_ms_for_its_first_pulse() -> None:
    assert round(RUN_UP_PATIENCE * DT_S, 9) == 0.2


def test_run_up_counts_down(hand: Hand) -> None:
    begin_run_up(hand, 4.0)
    run_up(hand.job, hand.image)
    assert hand.job["run_up_left"] == 99


# --- motion without dose

def test_aims_are_a_control_point(hand: Hand) -> None:
    aim_at_point(hand.control, 3)
    for name in AXES:
        assert list(getattr(hand.control, name)["goal"]) == hand.table(name, 3)


@pytest.mark.parametrize(("segment", "moving"), [(0, 0), (1, 0), (2, 1), (3, 0), (4, 0)])
def test_a_motion_is_entered_where_the_segment_is_one(hand: Hand, segment: int, moving: int) -> None:
    hand.job["segment"], hand.job["arrived_cycles"] = segment, 9
    hand.trajectory.move[4] = 1  # past the end: never looked at
    enter_motion(hand.control)
    assert hand.job["moving"] == moving
    assert hand.job["arrived_cycles"] == (0 if moving else 9)
    if moving:
        assert list(hand.control.mlc["goal"]) == hand.table("mlc", 3)


def test_a_field_may_end_with_a_motion_without_dose(hand: Hand) -> None:
    hand.trajectory.move[:POINTS] = [0, 0, 0, 1, 0]
    hand.trajectory.stop_mu[:POINTS] = 20.0
    hand.job["segment"], hand.signals[Signal.MU_1] = 1, 20.0
    reach_stop(hand.control)
    assert hand.job["moving"] == 1 and hand.job["segment"] == 3
    assert list(hand.control.mlc["goal"]) == hand.table("mlc", 4)


@pytest.mark.parametrize("signal", AWAY)
@pytest.mark.parametrize(("away", "there"), [(0.0, True), (1.0, True), (1.001, False), (NAN, False)])
def test_all_axes_have_to_be_there(hand: Hand, signal: Signal, away: float, there: bool) -> None:
    hand.signals[signal] = away
    assert bool(all_there(hand.signals)) is there


def test_one_axis_there_does_not_hide_another_that_is_not(hand: Hand) -> None:
    for signal in AWAY:
        hand.signals[:] = 0.0
        hand.signals[signal] = NAN
        hand.signals[Signal.CARRIAGE_AWAY] = 0.5 if signal is not Signal.CARRIAGE_AWAY else NAN
        assert not all_there(hand.signals)


def test_the_next_segment_begins_when_all_axes_have_settled(hand: Hand) -> None:
    settle = int(hand.param["settle_cycles"])
    hand.stand(2)
    hand.job["segment"], hand.job["expected_mu"], hand.signals[Signal.MU_1] = 2, 20.0, 20.02
    enter_motion(hand.control)
    hand.signals[Signal.LEAF_AWAY] = 5.0
    for _ in range(400):
        between_points(hand.control, hand.image)
    assert hand.all_at(3) and hand.job["moving"] == 1 and hand.job["segment"] == 2  # there, but nobody has seen it
    hand.signals[Signal.LEAF_AWAY] = 1.0
    for _ in range(settle - 1):
        between_points(hand.control, hand.image)
    hand.signals[Signal.LEAF_AWAY] = 1.5
    between_points(hand.control, hand.image)
    hand.signals[Signal.LEAF_AWAY] = 1.0
    for _ in range(settle - 1):
        between_points(hand.control, hand.image)
    assert hand.job["moving"] == 1 and hand.job["arrived_cycles"] == settle - 1
    between_points(hand.control, hand.image)
    assert hand.job["moving"] == 0 and hand.job["segment"] == 3 and hand.job["arrived_cycles"] == 0
    assert hand.job["expected_mu"] == 20.02  # never behind the chamber


def test_after_a_motion_the_commanded_dose_is_at_least_that_of_the_control_point(hand: Hand) -> None:
    hand.job["segment"], hand.job["arrived_cycles"], hand.signals[Signal.MU_1] = 2, 10_000, 19.97
    between_points(hand.control, hand.image)
    assert hand.job["expected_mu"] == 20.0


def test_two_motions_follow_each_other(hand: Hand) -> None:
    hand.trajectory.mu[:5] = [0.0, 20.0, 20.0, 20.0, 30.0]
    hand.trajectory.move[:5] = [0, 1, 1, 0, 0]
    hand.job["segment"], hand.job["arrived_cycles"] = 1, 10_000
    between_points(hand.control, hand.image)
    assert hand.job["segment"] == 2 and hand.job["moving"] == 1
    assert list(hand.control.gantry["goal"]) == hand.table("gantry", 3)


@pytest.mark.parametrize(("mu", "moving"), [(19.94, 0), (19.95, 1), (20.3, 1), (NAN, 0)])
def test_a_stop_is_reached_to_half_a_pulse(hand: Hand, mu: float, moving: int) -> None:
    hand.job["segment"], hand.signals[Signal.MU_1] = 1, mu
    reach_stop(hand.control)
    assert hand.job["moving"] == moving and hand.job["segment"] == (2 if moving else 1)


def test_a_stop_is_reached_from_any_segment_before_it(hand: Hand) -> None:
    hand.job["segment"], hand.signals[Signal.MU_1] = 0, 20.0
    reach_stop(hand.control)
    assert hand.job["moving"] == 1 and hand.job["segment"] == 2


def test_while_something_moves_no_stop_is_reached(hand: Hand) -> None:
    hand.job["segment"], hand.job["moving"], hand.signals[Signal.MU_1] = 0, 1, 20.0
    reach_stop(hand.control)
    assert hand.job["segment"] == 0


def test_the_end_of_the_field_is_no_motion(hand: Hand) -> None:
    hand.job["segment"], hand.signals[Signal.MU_1] = 3, 30.0
    reach_stop(hand.control)
    assert hand.job["moving"] == 0 and hand.job["segment"] == 3


# --- permit and the whole cycle

@pytest.mark.parametrize(("job", "permit"), [
    ({}, 1), ({"moving": 1}, 0), ({"run_up_left": 5, "permit_lead": 4}, 0), ({"run_up_left": 4, "permit_lead": 4}, 1),
    ({"run_up_left": -3}, 1), ({"reactions": int(Reaction.BEAM_HOLD)}, 0), ({"reactions": int(Reaction.BEAM_OFF)}, 0),
    ({"reactions": int(Reaction.PREVENT_START)}, 0), ({"reactions": int(Reaction.TERMINATE)}, 1),
    ({"reactions": int(Reaction.MOTION_STOP | Reaction.PREVENT_MOTION)}, 1),
    ({"reactions": int(Reaction.BEAM_HOLD), "moving": 1}, 0),
])
def test_who_gets_a_permit(hand: Hand, job: dict[str, int], permit: int) -> None:
    for name, value in job.items():
        hand.job[name] = value
    assert permit_field(hand.job) == permit


def test_before_the_first_pulse_the_axes_stand_and_dose_is_asked_for(hand: Hand) -> None:
    hand.job["expected_mu"], hand.job["rate_mu_per_s"] = 2.5, 0.0
    follow_field(hand.control, hand.image)
    assert hand.job["permit"] == 1 and hand.job["rate_mu_per_s"] == pytest.approx(1.0)
    assert hand.job["expected_mu"] == 2.5 and hand.all_at(0.25)
    hand.job["rate_mu_per_s"] = 8.0
    follow_field(hand.control, hand.image)
    assert hand.job["rate_mu_per_s"] == 3.0  # the first pulses find the axes with room to gather speed
    assert hand.job["hold"] == int(Hold.NORMAL)


def test_while_dose_flows_the_axes_follow_it(hand: Hand) -> None:
    hand.job["flowing"], hand.job["expected_mu"], hand.signals[Signal.MU_1] = 5, 9.95, 9.95
    hand.trajectory.node_rate2[1] = 64.0
    follow_field(hand.control, hand.image)
    assert hand.job["expected_mu"] == pytest.approx(10.03) and hand.job["segment"] == 1
    assert hand.all_at(1.003)


def test_a_hold_takes_permit_rate_and_flow_and_keeps_the_place(hand: Hand) -> None:
    hand.job["flowing"], hand.job["expected_mu"], hand.job["reactions"] = 50, 5.0, int(Reaction.BEAM_HOLD)
    hand.signals[Signal.MU_1] = 7.0
    follow_field(hand.control, hand.image)
    assert (hand.job["permit"], hand.job["rate_mu_per_s"], hand.job["flowing"]) == (0, 0.0, 0)
    assert hand.job["expected_mu"] == 5.0 and hand.all_at(0.5) and hand.job["hold"] == int(Hold.HOLD)


def test_between_control_points_there_is_no_beam_and_it_counts_as_a_hold(hand: Hand) -> None:
    hand.stand(2)
    hand.job["segment"] = 2
    enter_motion(hand.control)
    follow_field(hand.control, hand.image)
    assert hand.job["permit"] == 0 and hand.job["hold"] == int(Hold.HOLD)
    assert hand.table("mlc", 2)[0] < hand.where("mlc")[0] < hand.table("mlc", 3)[0]  # on its way, not there in one cycle


def test_during_run_up_only_the_gantry_moves_and_it_is_no_hold(hand: Hand) -> None:
    hand.stand(0)
    begin_run_up(hand, 4.0)
    hand.job["permit_lead"] = 6
    follow_field(hand.control, hand.image)
    assert hand.job["permit"] == 0 and hand.job["rate_mu_per_s"] == 0.0 and hand.job["hold"] == int(Hold.NORMAL)
    assert hand.where("gantry") == [pytest.approx(27.0)] and hand.where("mlc") == hand.table("mlc", 0)
    hand.job["run_up_left"] = 6
    follow_field(hand.control, hand.image)
    assert hand.job["permit"] == 1 and hand.job["rate_mu_per_s"] == 3.0  # the rate that the arc starts with
    assert hand.job["run_up_cycles"] == 100


def test_after_run_up_the_gantry_goes_on_until_the_first_pulse(hand: Hand) -> None:
    begin_run_up(hand, 4.0)
    hand.job["run_up_left"] = -3
    follow_field(hand.control, hand.image)
    assert hand.where("gantry") == [pytest.approx(30.0 + 4.0 * 3 * DT_S)] and hand.job["run_up_cycles"] == 100
    hand.job["flowing"] = 1
    follow_field(hand.control, hand.image)
    assert hand.job["run_up_cycles"] == 0 and hand.where("gantry")[0] < 5.0  # by dose from here on
    assert hand.job["rate_mu_per_s"] == pytest.approx(4.0)


@pytest.mark.parametrize(("left", "cycles", "flowing"), [(1, 100, 5), (-3, 1, 0)])
def test_run_up_goes_on_to_its_last_cycle_whatever_the_dose_does(hand: Hand, left: int, cycles: int, flowing: int) -> None:
    begin_run_up(hand, 4.0, cycles=cycles)
    hand.job["run_up_left"], hand.job["permit_lead"], hand.job["flowing"] = left, 6, flowing
    follow_field(hand.control, hand.image)
    assert hand.job["run_up_left"] == left - 1 and hand.job["run_up_cycles"] == cycles
    assert hand.job["rate_mu_per_s"] == 3.0 and hand.where("gantry")[0] > 25.0


def test_the_first_pulse_counts_at_once(hand: Hand) -> None:
    hand.job["flowing"], hand.job["expected_mu"], hand.signals[Signal.MU_1] = 1, 4.0, 5.0
    follow_field(hand.control, hand.image)
    assert hand.job["expected_mu"] == pytest.approx(5.08) and hand.job["segment"] == 0


def test_the_last_cycle_of_a_run_up_is_no_hold(hand: Hand) -> None:
    begin_run_up(hand, 4.0)
    hand.job["run_up_left"] = 2
    follow_field(hand.control, hand.image)
    assert (hand.job["run_up_left"], hand.job["permit"], hand.job["hold"]) == (1, 0, int(Hold.NORMAL))
    follow_field(hand.control, hand.image)
    assert (hand.job["run_up_left"], hand.job["permit"], hand.job["hold"]) == (0, 0, int(Hold.HOLD))


def test_a_run_up_that_is_held_back_ends_by_dose(hand: Hand) -> None:
    begin_run_up(hand, 4.0)
    hand.job["run_up_left"], hand.job["reactions"] = 0, int(Reaction.BEAM_HOLD)
    follow_field(hand.control, hand.image)
    assert hand.job["run_up_cycles"] == 0 and hand.job["hold"] == int(Hold.HOLD) and hand.all_at(0)


def test_two_copies_of_a_hand_do_the_same() -> None:
    a, b = Hand(), Hand()
    for it in (a, b):
        for _ in range(50):
            follow_field(it.control, it.image)
    assert a.control.job.tobytes() == b.control.job.tobytes()


def test_a_hand_is_what_the_tests_say(hand: Hand) -> None:
    table: Any = hand.trajectory.mu[:POINTS]
    assert list(table) == [0.0, 10.0, 20.0, 20.0, 30.0] and hand.param["slow_down_at"] == 0.5
