"""Moving devices: only readbacks make a request done, and a request that failed moves nothing any more."""

import asyncio
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from transitions import MachineError

from linac_ctl.control.phases import Phase, Reaction
from linac_ctl.control.signals import Guard, Signal
from linac_ctl.errors import DeviceError, RefusedError
from linac_ctl.subsystems.linac import Tripped
from linac_ctl.subsystems.motion import State
from tests.subsystems.suite import Suite

NAN = float("nan")


@pytest.fixture
def suite() -> Iterator[Suite]:
    it = Suite().move()
    yield it
    it.close()


def at_rest(suite: Suite, device: str) -> None:
    """Nothing moves any more, wherever it is."""
    suite.rig.cycle(400)
    wires = getattr(suite.rig.image, device)
    before = wires["setpoint"].copy()
    suite.rig.cycle(50)
    assert (wires["setpoint"] == before).all()
    assert (getattr(suite.rig.control, device)["velocity"] == 0.0).all()


def test_a_move_is_done_when_the_readback_is_there_and_has_settled(suite: Suite) -> None:
    suite.run(suite.linac.gantry.move_to([30.0]))
    assert suite.linac.gantry.state is State.IDLE
    assert suite.rig.image.gantry["readback"][0] == pytest.approx(30.0, abs=0.1)
    assert suite.linac.signal(Signal.GANTRY_AWAY) <= 1.0
    assert 5.0 < suite.linac.time_s < 6.2  # 30 deg at 6 deg/s, starting and stopping


def test_a_setpoint_that_arrived_is_no_readback_that_did(suite: Suite) -> None:
    suite.rig.spoil("jaws", "readback", -60.0, 2)
    suite.rig.spoil("jaws", "readback_2", -60.0, 2)
    with pytest.raises((DeviceError, Tripped)):
        suite.run(suite.linac.jaws.move_to([-70.0, 70.0, -70.0, 70.0]))
    assert suite.linac.jaws.state is State.FAULTED


@pytest.mark.parametrize(("device", "goal", "says"), [
    ("gantry", [185.1], r"gantry: goal 185\.100 deg is outside -185 \.\. 185 deg; nothing moved"),
    ("gantry", [-185.1], "outside"), ("gantry", [NAN], "gantry: goal nan deg"), ("gantry", [float("inf")], "goal inf"),
    ("jaws", [-50.0, 50.0, NAN, 50.0], "Y1: goal nan mm"), ("jaws", [30.0, 50.0, -50.0, 50.0], "X1: goal 30.000 mm"),
    ("couch", [0.0, 0.0, 0.0, 0.0, 0.0, 9.0], "couch roll: goal 9.000 deg"), ("couch", [251.0, 0, 0, 0, 0, 0], "couch lateral"),
    ("gantry", [1.0, 2.0], "gantry: 2 positions for 1 axes; nothing moved"), ("gantry", [], "gantry: 0 positions"),
    ("jaws", 5.0, "jaws: 1 positions for 4 axes"), ("mlc", [0.0] * 10, "mlc: 10 positions for 20 axes"),
    ("mlc", [-151.0] + [0.0] * 19, "leaf: goal -151"), ("mlc", [0.0] * 19 + [151.0], "leaf: goal -151"),
    ("mlc", [0.0] * 19 + [NAN], "leaf: goal nan"), ("carriages", [-1.0, -100.0], "carriage A"),
])
def test_a_goal_that_is_no_place_is_refused_before_anything_moves(suite: Suite, device: str, goal: Any, says: str) -> None:
    motion = getattr(suite.linac, device)
    goals, wires = motion.aims["goal"].copy(), motion.wires["setpoint"].copy()
    with pytest.raises(RefusedError, match=says):
        suite.run(motion.move_to(goal))
    suite.rig.cycle(50)
    assert motion.state is State.IDLE
    assert (motion.aims["goal"] == goals).all() and (motion.wires["setpoint"] == wires).all()


@pytest.mark.parametrize(("device", "goal"), [("gantry", [185.0]), ("gantry", [-185.0]), ("mlc", [200.0] * 10 + [150.0] * 10),
                                              ("mlc", [-150.0] * 10 + [-200.0] * 10), ("gantry", 5.0)])
def test_the_ends_of_a_range_may_be_asked_for(suite: Suite, device: str, goal: Any) -> None:
    motion = getattr(suite.linac, device)
    suite.run(motion.move_to(goal))
    assert np.allclose(motion.wires["readback"], goal, atol=0.3)


def test_what_does_not_get_there_in_time_is_a_fault_that_says_so(suite: Suite) -> None:
    suite.rig.control.carriages["seen"][0] = 100.0  # where it is stuck
    suite.rig.spoil("carriages", "readback", 100.0, 0)
    suite.rig.spoil("carriages", "readback_2", 100.0, 0)
    begin = suite.linac.time_s
    with pytest.raises(DeviceError, match=r"carriages: not within 0\.2 mm of its goal after 90 s; look at the drive, then reset"):
        suite.run(suite.linac.carriages.move_to([50.0, -50.0]))
    assert suite.linac.time_s - begin == pytest.approx(90.0, abs=0.05)
    assert suite.linac.carriages.state is State.FAULTED


def test_a_faulted_device_is_reset_by_the_next_move(suite: Suite) -> None:
    suite.linac.gantry.trigger("start")
    suite.linac.gantry.trigger("fail")
    suite.run(suite.linac.gantry.move_to([1.0]))
    assert suite.linac.gantry.state is State.IDLE


def test_a_trip_ends_the_wait_and_names_its_rows(suite: Suite) -> None:
    suite.at(100, lambda: suite.rig.spoil("room", "estop_ok", 0.0))
    with pytest.raises(Tripped, match=r"ESTOP: ESTOP 0\.000, fine is >= 1, at") as tripped:
        suite.run(suite.linac.gantry.move_to([90.0]))
    assert not tripped.value.terminate and suite.linac.gantry.state is State.FAULTED
    at_rest(suite, "gantry")
    assert 0.0 < suite.rig.image.gantry["readback"][0] < 15.0
    assert ("interlock", "ESTOP") in suite.said


def test_a_terminating_trip_says_that_the_field_is_lost(suite: Suite) -> None:
    suite.at(100, lambda: suite.rig.spoil("gantry", "readback_2", 55.0))
    with pytest.raises(Tripped, match="GANTRY_DIS") as tripped:
        suite.run(suite.linac.gantry.move_to([90.0]))
    assert tripped.value.terminate


def test_a_trip_that_was_there_before_ends_the_move_at_once_and_nothing_moves(suite: Suite) -> None:
    suite.rig.spoil("room", "touchguard_ok", 0.0)
    suite.rig.cycle(2)
    begin = suite.cycle
    with pytest.raises(Tripped, match="TOUCHGUARD"):
        suite.run(suite.linac.gantry.move_to([90.0]))
    assert suite.cycle - begin <= 1 and suite.linac.gantry.state is State.FAULTED
    suite.rig.heal()
    suite.rig.cycle()
    suite.linac.panel.reset("TOUCHGUARD", who="anna", role="therapist", reason="hand was in the way")
    suite.rig.cycle(100)
    assert suite.rig.image.gantry["setpoint"][0] == 0.0


def test_a_trip_that_only_takes_the_beam_stops_a_move_too(suite: Suite) -> None:
    row = [r.id for r in suite.linac.panel.table.rows].index("CLOCK")
    suite.rig.control.interlocks["phases"][row] = 31  # as if it were watched here
    suite.at(100, lambda: suite.rig.guard(Guard.CLOCK_STEP_S, 9.0))
    with pytest.raises(Tripped, match="CLOCK"):
        suite.run(suite.linac.gantry.move_to([90.0]))
    at_rest(suite, "gantry")
    assert not int(suite.rig.job["reactions"][0]) & int(Reaction.MOTION_STOP)  # it has power, and stays where it is


def test_a_cancelled_move_comes_to_rest_short_of_its_goal(suite: Suite) -> None:
    async def cancelled() -> None:
        task = asyncio.ensure_future(suite.linac.gantry.move_to([90.0]))
        await asyncio.sleep(3.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    suite.run(cancelled())
    assert suite.linac.gantry.state is State.FAULTED
    before = float(suite.rig.image.gantry["setpoint"][0])
    at_rest(suite, "gantry")
    assert 0.0 < float(suite.rig.image.gantry["setpoint"][0]) - before < 1.6  # 6 deg/s at 12 deg/s2


def test_a_device_that_moves_refuses_a_second_request_and_goes_on_with_the_first(suite: Suite) -> None:
    async def twice() -> None:
        first = asyncio.ensure_future(suite.linac.gantry.move_to([20.0]))
        await asyncio.sleep(1.0)
        with pytest.raises(MachineError):
            await suite.linac.gantry.move_to([-20.0])
        await first

    suite.run(twice())
    assert suite.rig.image.gantry["readback"][0] == pytest.approx(20.0, abs=0.1)


def test_several_devices_move_at_the_same_time(suite: Suite) -> None:
    async def all_at_once() -> None:
        await asyncio.gather(suite.linac.gantry.move_to([60.0]), suite.linac.collimator.move_to([90.0]),
                             suite.linac.couch.move_to([10.0, 20.0, -30.0, 5.0, 1.0, -1.0]))

    suite.run(all_at_once())
    assert suite.linac.time_s < 16.0
    assert np.allclose(suite.rig.image.couch["readback"], [10.0, 20.0, -30.0, 5.0, 1.0, -1.0], atol=0.2)


def test_a_device_that_is_not_fitted_is_always_there(suite: Suite) -> None:
    begin = suite.cycle
    suite.run(suite.linac.kv_arms.move_to([1.0, 2.0, 3.0, 4.0]))
    assert suite.cycle == begin and suite.linac.kv_arms.state is State.IDLE


def test_in_idle_and_move_axes_move_and_in_stopped_they_do_not(suite: Suite) -> None:
    suite.linac.enter(Phase.STOPPED)
    suite.rig.cycle()
    suite.linac.gantry.aims["goal"] = 50.0
    suite.rig.cycle(50)
    assert suite.rig.image.gantry["setpoint"][0] == 0.0
