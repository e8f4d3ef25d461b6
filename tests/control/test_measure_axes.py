"""How far axes are off, by whose motion, and how fast: one axis, one device, all of them."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_models.interface.image import AXIS_DEVICES, Node
from linac_ctl.control.measure_axes import measure_leaf_speeds, measure_positions, measure_still, measure_unasked
from linac_ctl.control.signals import Signal
from tests.control.bare import SIZES, Bare

NAN, INF = float("nan"), float("inf")
FIELDS = {  # off, away, split, stray
    "gantry": (Signal.GANTRY_OFF_DEG, Signal.GANTRY_AWAY, Signal.GANTRY_SPLIT_DEG, Signal.GANTRY_STRAY_DEG),
    "collimator": (Signal.COLLIMATOR_OFF_DEG, Signal.COLLIMATOR_AWAY, Signal.COLLIMATOR_SPLIT_DEG, Signal.COLLIMATOR_STRAY_DEG),
    "jaws": (Signal.JAW_OFF_MM, Signal.JAW_AWAY, Signal.JAW_SPLIT_MM, Signal.JAW_STRAY_MM),
    "mlc": (Signal.LEAF_OFF_MM, Signal.LEAF_AWAY, Signal.LEAF_SPLIT_MM, Signal.LEAF_STRAY_MM),
    "carriages": (Signal.CARRIAGE_OFF_MM, Signal.CARRIAGE_AWAY, Signal.CARRIAGE_SPLIT_MM, Signal.CARRIAGE_STRAY_MM),
    "couch_mm": (Signal.COUCH_OFF_MM, Signal.COUCH_AWAY, Signal.COUCH_SPLIT_MM, Signal.COUCH_STRAY_MM),
    "couch_deg": (Signal.COUCH_OFF_DEG, Signal.COUCH_AWAY, Signal.COUCH_SPLIT_DEG, Signal.COUCH_STRAY_DEG),
    "kv_arms": (Signal.KV_ARM_OFF_MM, Signal.KV_ARM_AWAY, Signal.KV_ARM_SPLIT_MM, Signal.KV_ARM_STRAY_MM),
    "mv_arm": (Signal.MV_ARM_OFF_MM, Signal.MV_ARM_AWAY, Signal.MV_ARM_SPLIT_MM, Signal.MV_ARM_STRAY_MM),
}
EVERY_AXIS = [(device, at) for device, n in SIZES.items() for at in range(n)]


class Axes(Bare):
    """Every axis stands at 10 where it is wanted, within 0 to 40 and a tolerance of 0.5; at most 20 per s, 100 per s2."""

    def __init__(self, sizes: dict[str, int] = SIZES) -> None:
        super().__init__(sizes)
        for name in AXIS_DEVICES:
            wires, aims = getattr(self.image, name), getattr(self.control, name)
            wires["setpoint"] = wires["readback"] = wires["readback_2"] = 10.0
            for field, value in {"goal": 10.0, "seen": 10.0, "seen_2": 10.0, "asked": 10.0, "per_tolerance": 2.0, "middle": 20.0,
                                 "half": 20.0, "speed": 20.0, "accel": 100.0}.items():
                aims[field] = value

    def say(self, device: str, at: int, **wires: float) -> "Axes":
        """Wires of one axis."""
        for name, value in wires.items():
            getattr(self.image, device)[name][at] = value
        return self

    def aim(self, device: str, at: int, **fields: float) -> "Axes":
        """The controller's memory of one axis."""
        for name, value in fields.items():
            getattr(self.control, device)[name][at] = value
        return self

    def stand(self, device: str, at: int, place: float) -> "Axes":
        """This axis is there, has been there, and both encoders say so."""
        return self.say(device, at, readback=place, readback_2=place).aim(device, at, seen=place, seen_2=place)

    def cycle(self) -> tuple[float, float]:
        """-> (longest step of a leaf, sum of squares)"""
        fastest, square = measure_positions(self.control, self.image)
        return float(fastest), float(square)

    def of(self, device: str, at: int) -> tuple[float, float, float, float]:
        """(off, away, split, stray) that belong to this axis."""
        kind = device if device != "couch" else "couch_mm" if at < 3 else "couch_deg"
        off, away, split, stray = (self.signal(signal) for signal in FIELDS[kind])
        return off, away, split, stray


@pytest.fixture
def axes() -> Axes:
    return Axes()


def same(values: Any, expected: Any) -> bool:
    """Nearly equal, or both no number."""
    return bool(values == pytest.approx(expected, nan_ok=True))


def written(axes: Axes) -> dict[str, tuple[float, ...]]:
    """All signals of positions, by kind."""
    return {kind: tuple(axes.signal(signal) for signal in signals) for kind, signals in FIELDS.items()}


# --- off, away, split, range: every axis of every device

def test_axes_that_are_where_they_are_wanted_are_not_off(axes: Axes) -> None:
    assert axes.cycle() == (0.0, 0.0)
    assert set(written(axes).values()) == {(0.0, 0.0, 0.0, 0.0)}
    assert axes.signal(Signal.BEYOND_RANGE) == -10.0


@pytest.mark.parametrize(("device", "at"), EVERY_AXIS)
@pytest.mark.parametrize("far", [0.25, -3.0])
def test_an_axis_elsewhere_is_off_and_away_in_its_own_devices_signals_only(axes: Axes, device: str, at: int, far: float) -> None:
    axes.stand(device, at, 10.0 + far).aim(device, at, pace=1e6)
    axes.cycle()
    off, away, split, stray = axes.of(device, at)
    assert (off, away, split, stray) == pytest.approx((abs(far), 2 * abs(far), 0.0, 0.0))
    elsewhere = {kind for kind, values in written(axes).items() if values[0] != 0.0}
    assert elsewhere == {device if device != "couch" else "couch_mm" if at < 3 else "couch_deg"}


@pytest.mark.parametrize(("device", "at"), EVERY_AXIS)
@pytest.mark.parametrize("far", [0.75, -0.75, NAN])
def test_encoders_that_differ_split_their_own_device_only(axes: Axes, device: str, at: int, far: float) -> None:
    axes.say(device, at, readback_2=10.0 + far)
    axes.cycle()
    assert same(axes.of(device, at)[:3], (0.0, 0.0, abs(far)))
    assert sum(values[2] != 0.0 for values in written(axes).values()) == 1


@pytest.mark.parametrize(("device", "at"), EVERY_AXIS)
def test_an_axis_without_a_reading_may_be_anywhere(axes: Axes, device: str, at: int) -> None:
    axes.say(device, at, readback=NAN, readback_2=NAN)
    axes.cycle()
    assert all(math.isnan(value) for value in axes.of(device, at)) and math.isnan(axes.signal(Signal.BEYOND_RANGE))


@pytest.mark.parametrize(("device", "at"), EVERY_AXIS)
@pytest.mark.parametrize(("place", "beyond"), [(39.0, -1.0), (40.0, 0.0), (42.5, 2.5), (0.0, 0.0), (-2.5, 2.5), (1e10, 1e10)])
def test_the_worst_of_all_axes_beyond_its_range_counts(axes: Axes, device: str, at: int, place: float, beyond: float) -> None:
    axes.stand(device, at, place)
    axes.cycle()
    assert axes.signal(Signal.BEYOND_RANGE) == pytest.approx(beyond)


@pytest.mark.parametrize("device", SIZES)
def test_of_several_axes_of_a_device_the_worst_counts_wherever_it_is(device: str) -> None:
    last = {"couch": 2}.get(device, SIZES[device] - 1)
    for at in range(last + 1):
        axes = Axes()
        for i in range(last + 1):
            axes.stand(device, i, 11.0 if i != at else 7.0).say(device, i, readback_2=11.5 if i != at else 5.0)
        axes.aim(device, at, goal=6.75, pace=1e6)
        axes.cycle()
        assert axes.of(device, at)[:3] == pytest.approx((3.0, 2.0 if last else 0.5, 2.0))


@pytest.mark.parametrize("device", ["jaws", "mlc"])
@pytest.mark.parametrize("at", [0, 1, 3])
@pytest.mark.parametrize("far", [3e9, -3e9, INF, -INF])
def test_an_absurd_reading_is_the_worst_and_hides_no_other_signal(device: str, at: int, far: float) -> None:
    axes = Axes()
    for i in range(4):
        axes.stand(device, i, 12.0).say(device, i, readback_2=12.5).aim(device, i, pace=0.0)
    axes.say(device, at, readback=far)
    axes.cycle()
    off, away, split, stray = axes.of(device, at)
    assert off == pytest.approx(abs(far)) and away == pytest.approx(2 * abs(far)) and split == pytest.approx(abs(far))
    assert axes.signal(Signal.BEYOND_RANGE) == pytest.approx(abs(far))
    assert same(stray, 2.5 if math.isfinite(far) else NAN)  # as far as the other encoder saw it


@pytest.mark.parametrize("device", ["jaws", "mlc"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0), (3, 1)])
def test_of_two_absurd_readings_the_worse_counts(device: str, order: tuple[int, int]) -> None:
    axes = Axes()
    for at, place in zip(order, (3e9, -5e9), strict=True):
        axes.say(device, at, readback=place, readback_2=place)
    axes.stand(device, 2, 13.0).cycle()
    assert axes.of(device, 0) == pytest.approx((5e9, 1e10, 0.0, 5e9))
    assert axes.signal(Signal.BEYOND_RANGE) == pytest.approx(5e9)


@pytest.mark.parametrize("device", ["jaws", "mlc"])
@pytest.mark.parametrize("at", [0, 1, 3])
def test_an_absurd_second_encoder_splits(device: str, at: int) -> None:
    axes = Axes().say(device, at, readback_2=4e9)
    axes.say(device, 2, readback_2=6e9 if at == 3 else 10.0)
    axes.cycle()
    assert axes.of(device, at)[2] == pytest.approx(6e9 if at == 3 else 4e9)


@given(st.lists(st.floats(-9.0, 29.0), min_size=4, max_size=4), st.sampled_from(["jaws", "mlc"]))
def test_signals_of_a_device_are_the_largest_of_its_axes(places: list[float], device: str) -> None:
    axes = Axes()
    for i, place in enumerate(places):
        axes.stand(device, i, place).aim(device, i, pace=1e6)
    axes.cycle()
    far = max(abs(place - 10.0) for place in places)
    assert axes.of(device, 0)[:3] == pytest.approx((far, 2 * far, 0.0))


def test_a_couch_of_three_axes_has_no_turns() -> None:
    axes = Axes({**SIZES, "couch": 3}).stand("couch", 2, 14.0)
    axes.cycle()
    assert axes.of("couch", 2)[:2] == (4.0, 8.0) and axes.signal(Signal.COUCH_OFF_DEG) == 0.0


def test_a_couch_of_two_axes_is_measured_too() -> None:
    axes = Axes({**SIZES, "couch": 2}).stand("couch", 1, 14.0)
    axes.cycle()
    assert axes.of("couch", 1)[:2] == (4.0, 8.0) and axes.signal(Signal.COUCH_OFF_DEG) == 0.0


@pytest.mark.parametrize(("mm_at", "deg_at", "away"), [(2.0, 1.0, 4.0), (1.0, 2.0, 4.0), (NAN, 1.0, NAN), (1.0, NAN, NAN)])
def test_the_couch_is_away_by_the_worse_of_way_and_turn(axes: Axes, mm_at: float, deg_at: float, away: float) -> None:
    axes.stand("couch", 1, 10.0 + mm_at).stand("couch", 4, 10.0 - deg_at)
    axes.cycle()
    assert same(axes.signal(Signal.COUCH_AWAY), away)


def test_away_is_from_the_goal_and_off_from_the_setpoint(axes: Axes) -> None:
    axes.aim("gantry", 0, goal=15.0).aim("mlc", 1, goal=7.0)
    axes.cycle()
    assert axes.of("gantry", 0)[:2] == (0.0, 10.0) and axes.of("mlc", 1)[:2] == (0.0, 6.0)


# --- leaves: steps and squares

@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize(("to", "step", "square"), [(10.5, 0.5, 0.25), (7.0, 3.0, 9.0), (NAN, NAN, NAN), (3e9, 3e9, 9e18)])
def test_the_longest_step_of_any_leaf_is_seen_and_how_far_all_are_off(axes: Axes, at: int, to: float, step: float,
                                                                     square: float) -> None:
    assert same(axes.say("mlc", at, readback=to).cycle(), (step, square))


def test_steps_and_squares_of_several_leaves(axes: Axes) -> None:
    for at, to in enumerate((10.5, 8.0, 13.0, 9.0)):
        axes.say("mlc", at, readback=to)
    assert axes.cycle() == pytest.approx((3.0, 0.25 + 4.0 + 9.0 + 1.0))
    assert axes.cycle()[0] == 0.0  # they are still there


@pytest.mark.parametrize("worst_at", [0, 1, 3])
def test_of_absurd_steps_the_longest_is_seen(axes: Axes, worst_at: int) -> None:
    for at in (0, 1, 3):
        axes.say("mlc", at, readback=6e9 if at == worst_at else 2e9)
    assert axes.say("mlc", 2, readback=12.0).cycle()[0] == pytest.approx(6e9)


def test_a_leaf_that_comes_back_from_the_absurd_took_a_long_step(axes: Axes) -> None:
    axes.aim("mlc", 2, seen=5e9)
    axes.say("mlc", 3, readback=11.0)
    assert axes.cycle()[0] == pytest.approx(5e9)


# --- who moved

ONE = [("jaws", 2), ("mlc", 1), ("gantry", 0), ("couch", 4)]


def goes_to(axes: Axes, device: str, at: int, place: float, setpoint: float = 10.0) -> float:
    """The axis goes there in one cycle, both encoders see it. -> stray"""
    axes.say(device, at, setpoint=setpoint, readback=place, readback_2=place).cycle()
    return axes.of(device, at)[3]


@pytest.mark.parametrize(("device", "at"), EVERY_AXIS)
@pytest.mark.parametrize(("place", "stray"), [(10.5, 0.0), (9.5, 0.0), (10.51, 0.51), (9.49, 0.51), (13.0, 3.0), (7.0, 3.0)])
def test_an_axis_that_leaves_its_setpoint_by_more_than_its_tolerance_has_strayed(axes: Axes, device: str, at: int, place: float,
                                                                                 stray: float) -> None:
    assert goes_to(axes, device, at, place) == pytest.approx(stray)
    others = sum(values[3] != 0.0 for values in written(axes).values())
    assert others == (1 if stray else 0)


@pytest.mark.parametrize(("device", "at"), ONE)
def test_what_it_has_strayed_adds_up_over_cycles_and_is_forgotten_near_the_setpoint(axes: Axes, device: str, at: int) -> None:
    assert [goes_to(axes, device, at, place) for place in (10.4, 10.8, 11.2, 11.0, 10.5, 10.8)] == pytest.approx(
        [0.0, 0.4, 0.8, 0.6, 0.0, 0.3])


@pytest.mark.parametrize(("device", "at"), ONE)
def test_an_axis_that_stands_while_its_setpoint_goes_has_not_strayed(axes: Axes, device: str, at: int) -> None:
    assert goes_to(axes, device, at, 10.0, setpoint=10.001) == 0.0
    axes.aim(device, at, pace=0.0, asked=14.0)
    assert goes_to(axes, device, at, 10.0, setpoint=14.0) == 0.0
    assert goes_to(axes, device, at, 9.0, setpoint=14.0) == pytest.approx(1.0)  # away from it
    assert goes_to(axes, device, at, 11.0, setpoint=14.0) == 0.0  # and back, and more


@pytest.mark.parametrize(("device", "at"), ONE)
def test_what_came_back_pays_for_nothing_that_goes_later(axes: Axes, device: str, at: int) -> None:
    axes.stand(device, at, 14.0)
    assert [goes_to(axes, device, at, place) for place in (12.0, 13.0, 12.5)] == pytest.approx([0.0, 1.0, 0.5])


@pytest.mark.parametrize(("device", "at"), ONE)
@pytest.mark.parametrize(("second", "stray"), [(11.0, 1.0), (12.0, 2.0), (10.0, 0.0), (14.0, 2.0), (9.0, 1.0), (NAN, NAN)])
def test_what_only_one_encoder_sees_is_no_motion(axes: Axes, device: str, at: int, second: float, stray: float) -> None:
    axes.say(device, at, readback=12.0, readback_2=second)
    axes.cycle()
    assert same(axes.of(device, at)[3], stray)


@pytest.mark.parametrize(("device", "at"), ONE)
@pytest.mark.parametrize(("pace", "stray"), [(7.0, 2.0), (7.5, 2.0), (7.6, 0.0), (20.0, 0.0)])
def test_an_axis_that_was_fast_of_late_may_run_on(axes: Axes, device: str, at: int, pace: float, stray: float) -> None:
    """It stops within half of its tolerance from sqrt(100 / 2) = 7.07 per s; 0.5 per s are forgotten in every cycle."""
    axes.aim(device, at, pace=pace)
    assert goes_to(axes, device, at, 12.0) == pytest.approx(stray)
    assert getattr(axes.control, device)["pace"][at] == pytest.approx(pace - 0.5)


@pytest.mark.parametrize(("device", "at"), ONE)
@pytest.mark.parametrize(("to", "before", "pace"), [
    (10.05, 0.0, 5.0), (9.95, 0.0, 5.0), (10.2, 0.0, 20.0), (13.0, 0.0, 20.0),  # no faster than it may be
    (10.05, 5.4, 5.0), (10.05, 9.0, 8.5), (10.0, 0.4, 0.0),
])
def test_the_pace_of_a_setpoint_is_its_speed_or_what_is_left_of_a_higher_one(axes: Axes, device: str, at: int, to: float,
                                                                             before: float, pace: float) -> None:
    axes.aim(device, at, pace=before).say(device, at, setpoint=to)
    axes.cycle()
    assert getattr(axes.control, device)["pace"][at] == pytest.approx(pace)
    assert getattr(axes.control, device)["asked"][at] == to and getattr(axes.control, device)["seen"][at] == 10.0


@pytest.mark.parametrize(("device", "at"), ONE)
@pytest.mark.parametrize(("accel", "tolerance", "rests"), [
    (98.0, 0.5, True), (97.9, 0.5, False), (49.0, 1.0, True), (48.9, 1.0, False)])
def test_an_axis_rests_when_it_stops_within_half_of_its_tolerance(axes: Axes, device: str, at: int, accel: float, tolerance: float,
                                                                 rests: bool) -> None:
    """7 per s: 49 / (2 accel) is half of the tolerance at accel = 49 / tolerance."""
    axes.aim(device, at, pace=0.0, accel=accel, per_tolerance=1.0 / tolerance, speed=7.0)
    axes.say(device, at, setpoint=10.5)  # 50 per s, of which it may have 7
    axes.aim(device, at, asked=10.0)
    axes.say(device, at, readback=8.0, readback_2=8.0).cycle()
    assert (axes.of(device, at)[3] > 0.0) is rests


@pytest.mark.parametrize("at", [0, 3])
@pytest.mark.parametrize("device", ["jaws", "mlc"])
def test_of_several_that_strayed_the_worst_counts(device: str, at: int) -> None:
    axes = Axes()
    for i in range(4):
        far = 3.0 if i == at else 1.0
        axes.say(device, i, readback=10.0 + far, readback_2=10.0 + far)
    axes.cycle()
    assert axes.of(device, at)[3] == 3.0


# --- speeds

def moves(axes: Axes, device: str, at: int, step: float, step_2: float) -> None:
    """Both encoders, in this cycle."""
    wires, aims = getattr(axes.image, device), getattr(axes.control, device)
    wires["readback"][at], wires["readback_2"][at] = aims["seen"][at] + step, aims["seen_2"][at] + step_2
    measure_unasked(axes.control, axes.image)


def read_gantry(axes: Axes, sampled: int, readback: float = 10.0, readback_2: float = 10.0) -> float:
    """A reading of the gantry -> how many in a row said nothing new."""
    axes.say("gantry", 0, readback=readback, readback_2=readback_2)
    axes.image.nodes["sampled_cycle"][Node.GANTRY] = sampled
    measure_still(axes.control, axes.image)
    return axes.signal(Signal.GANTRY_STILL)


def test_readings_of_the_gantry_that_say_nothing_new_are_counted(axes: Axes) -> None:
    assert [read_gantry(axes, sampled) for sampled in (1, 2, 3, 5)] == [1.0, 2.0, 3.0, 4.0]


def test_a_reading_that_did_not_come_says_nothing_about_encoders(axes: Axes) -> None:
    assert [read_gantry(axes, sampled) for sampled in (1, 1, 1, 2, 2)] == [1.0, 1.0, 1.0, 2.0, 2.0]


@pytest.mark.parametrize(("readback", "readback_2"), [(10.001, 10.0), (10.0, 9.999), (9.0, 11.0), (NAN, 10.0), (10.0, NAN)])
def test_one_encoder_that_says_something_new_is_enough(axes: Axes, readback: float, readback_2: float) -> None:
    assert [read_gantry(axes, sampled) for sampled in (1, 2)] == [1.0, 2.0]
    assert read_gantry(axes, 3, readback, readback_2) == 0.0


@pytest.mark.parametrize(("step", "step_2", "asked", "unasked"), [
    (0.0, 0.0, 0.0, 0.0), (0.02, 0.02, 0.0, 2.0), (-0.02, -0.02, 0.0, 2.0), (0.02, 0.01, 0.0, 1.0), (0.01, 0.03, 0.0, 1.0),
    (0.02, 0.0, 0.0, 0.0), (0.04, 0.04, 3.0, 1.0), (0.0, 0.0, 3.0, -3.0), (NAN, 0.0, 0.0, NAN), (0.0, NAN, 0.0, NAN),
])
def test_a_gantry_is_faster_than_it_was_asked_to_be_when_both_encoders_see_it(axes: Axes, step: float, step_2: float, asked: float,
                                                                             unasked: float) -> None:
    axes.set("job", gantry_asked_deg_per_s=asked)
    moves(axes, "gantry", 0, step, step_2)
    assert same(axes.signal(Signal.GANTRY_UNASKED_DEG_PER_S), unasked)


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize(("step", "step_2", "asked", "unasked"), [
    (0.2, 0.2, 0.0, 20.0), (-0.2, -0.1, 0.0, 10.0), (0.2, 0.2, 15.0, 5.0), (NAN, 0.2, 0.0, NAN), (0.1, NAN, 0.0, NAN)])
def test_each_way_of_the_couch_is_watched_by_itself(axes: Axes, at: int, step: float, step_2: float, asked: float,
                                                    unasked: float) -> None:
    axes.job["couch_asked_mm_per_s"][:] = 45.0
    axes.job["couch_asked_mm_per_s"][at] = asked
    moves(axes, "couch", at, step, step_2)
    assert same(axes.signal(Signal.COUCH_UNASKED_MM_PER_S), unasked)
    assert same(axes.control.couch["seen_2"][at], 10.0 + step_2)


@pytest.mark.parametrize("at", [3, 4, 5])
def test_turns_of_the_couch_have_no_speed_in_mm(axes: Axes, at: int) -> None:
    moves(axes, "couch", at, 5.0, 5.0)
    assert axes.signal(Signal.COUCH_UNASKED_MM_PER_S) == 0.0


def test_a_couch_slower_than_asked_is_not_fast() -> None:
    axes = Axes({**SIZES, "couch": 1})
    axes.job["couch_asked_mm_per_s"][:] = 45.0
    moves(axes, "couch", 0, 0.1, 0.1)
    assert axes.signal(Signal.COUCH_UNASKED_MM_PER_S) == 0.0


def test_the_second_place_of_the_gantry_is_remembered(axes: Axes) -> None:
    moves(axes, "gantry", 0, 0.02, 0.03)
    assert axes.control.gantry["seen_2"][0] == pytest.approx(10.03)


@pytest.mark.parametrize(("apart", "cycles"), [(1.0, 1.0), (1.5, 1.5), (4.0, 4.0), (10.0, 10.0), (10.5, 1.0), (0.5, 1.0),
                                               (0.0, 1.0), (-4.0, 1.0), (NAN, 1.0), (INF, 1.0)])
@pytest.mark.parametrize(("node", "signal"), [(Node.GANTRY, Signal.GANTRY_UNASKED_DEG_PER_S),
                                              (Node.COUCH, Signal.COUCH_UNASKED_MM_PER_S), (Node.MLC, Signal.LEAF_SPEED_MM_PER_S)])
def test_speeds_are_counted_over_the_time_between_readings_where_that_can_be(axes: Axes, node: Node, signal: Signal, apart: float,
                                                                            cycles: float) -> None:
    axes.image.nodes["apart_cycles"] = 2.0
    axes.image.nodes["apart_cycles"][int(node)] = apart
    for device, at in (("gantry", 0), ("couch", 1)):
        axes.say(device, at, readback=10.4, readback_2=10.4)
    measure_unasked(axes.control, axes.image)
    measure_leaf_speeds(axes.control, axes.image, 0.4, 0.0)
    assert axes.signal(signal) == pytest.approx(40.0 / cycles)


# --- leaves in the mean

def leaf_mean(square: float, before: float, sizes: dict[str, int] = SIZES) -> tuple[float, float]:
    """Of four leaves. -> (signal, what is remembered)"""
    axes = Axes(sizes)
    axes.set("job", leaf_rms2=before)
    measure_leaf_speeds(axes.control, axes.image, 0.0, square)
    return axes.signal(Signal.LEAF_RMS_MM), float(axes.job["leaf_rms2"])


@pytest.mark.parametrize(("square", "before", "rms", "after"), [
    (16.0, 4.0, 2.0, 4.0), (0.0, 4.0, 1.99499373, 3.98), (56.0, 4.0, 2.01246118, 4.05), (0.0, 0.0, 0.0, 0.0),
    (8.0, 0.0, 0.1, 0.01), (NAN, 4.0, NAN, NAN), (16.0, NAN, 2.0, 4.0), (NAN, NAN, NAN, NAN), (INF, 1.0, INF, INF),
    (16.0, -1.0, 2.0, 4.0),  # a mean of squares that cannot be starts again
])
def test_the_mean_of_the_leaves_goes_slowly_and_starts_again_after_what_is_no_number(square: float, before: float, rms: float,
                                                                                    after: float) -> None:
    assert same(leaf_mean(square, before), (rms, after))


def test_a_machine_without_leaves_has_none_that_are_off() -> None:
    assert leaf_mean(0.0, 0.0, {**SIZES, "mlc": 0}) == (0.0, 0.0)


def test_a_machine_with_a_single_leaf_has_its_square() -> None:
    assert leaf_mean(9.0, 9.0, {**SIZES, "mlc": 1}) == (3.0, 9.0)
