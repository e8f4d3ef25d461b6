"""On silence: a node of the real plant stops talking in the middle of a beam, and truth is asked what happened.

SI-13: 30 ms after the last sample the beam is held, 100 ms after it everything stops. Silence of the safety channel or
of the beam itself is no different.
"""

from typing import Any

import numpy as np
import pytest

from device_models.interface.image import AXIS_DEVICES, Node
from device_models.plant import new_plant, step_plant
from linac_ctl.control.phases import Phase, Reaction
from linac_ctl.control.signals import FIRST_GUARD, Guard, Signal
from linac_ctl.interlocks.panel import Panel
from linac_ctl.plan.trajectory import prepare
from linac_ctl.runtime.engine import Engine
from linac_ctl.subsystems.beam import load
from tests.control.rig import LOW_IS_FINE, controller, table
from tests.support import machine, small_static

IDS = [row.id for row in table().rows]


class Live:
    """Controller and real plant, cycle by cycle, brought to a beam by hand."""

    def __init__(self) -> None:
        it = machine("bench_small")
        self.control, self.image = controller(it, rows=20_000)
        self.plant = new_plant(it.plant, 1)
        self.engine = Engine(self.control, self.image, self.plant)
        self.panel = Panel(table(), self.control)
        self.plant.room["door_closed"] = self.plant.room["key_on"] = self.plant.room["last_person_out"] = 1.0
        self.plant.room["door_was_closed"] = 1.0
        for guard in Guard:
            self.control.signals[FIRST_GUARD + int(guard)] = 0.0 if guard in LOW_IS_FINE else 1.0
        self.engine.power_up()
        self.field = prepare(small_static(it, mu=300.0), it.controller)

    def cycle(self, n: int = 1) -> None:
        """n scan cycles, whatever happens in them."""
        for _ in range(n):
            self.engine._block(1)
            self.control.job["events"] = 0

    def warm_up(self) -> None:
        """Axes at the start of the field, source warm, channel armed and tested."""
        safety, beam, job = self.image.safety, self.image.beam, self.control.job
        job["phase"] = int(Phase.MOVE)
        self.cycle(2)
        for name, place in self.field.start.items():
            getattr(self.control, name)["goal"] = place
        beam["hv_request"] = 1.0
        self.cycle(1500)
        load(self.control, self.field, machine("bench_small").controller.beam)
        job["preset_mu"], job["time_limit_s"] = 300.0, 60.0
        safety["reset"] = safety["arm"] = beam["clear_dose"] = 1.0
        self.cycle(3)
        safety["reset"] = safety["arm"] = beam["clear_dose"] = 0.0
        safety["selftest"] = 1.0
        self.cycle(60)
        safety["selftest"] = 0.0

    def beam_on(self) -> None:
        """Pulses flow."""
        self.warm_up()
        self.control.job["phase"] = int(Phase.READY)
        self.cycle(5)
        self.control.job["phase"] = int(Phase.BEAM)
        self.cycle(60)
        assert self.tripped() == [] and self.pulses > 0

    @property
    def pulses(self) -> int:
        """Truth: of the last cycle."""
        return int(self.plant.beam["pulses_now"][0])

    @property
    def reactions(self) -> int:
        return int(self.control.job["reactions"][0])

    def tripped(self) -> list[str]:
        return [IDS[i] for i in np.flatnonzero(self.control.interlocks["tripped"])]


@pytest.mark.parametrize("node", list(Node), ids=lambda node: node.name.lower())
def test_a_silent_node_holds_the_beam_at_30_ms_and_stops_everything_at_100_ms(node: Node) -> None:
    live = Live()
    live.beam_on()
    live.plant.nodes["silent"][int(node)] = 1.0
    given: list[Any] = []
    for _ in range(12):
        live.cycle()
        given.append((live.pulses, float(live.image.beam["permit"][0]), live.reactions, live.tripped()))
    pulses, permit, reactions, tripped = zip(*given, strict=True)
    if node in (Node.BEAM, Node.SAFETY):  # their other readings stand still too, and may be seen to do so even earlier
        assert permit[2] == 0.0
    else:
        assert permit[:3] == (1.0, 1.0, 0.0) and tripped[2] == ["DATA_STALE"]
        assert reactions[2] == int(Reaction.BEAM_HOLD)
    assert pulses[3:] == (0,) * 9  # 10 ms after the permit fell there is no pulse in truth
    assert "DATA_LOST" not in tripped[8] and "DATA_LOST" in tripped[9]
    assert reactions[9] & int(Reaction.BEAM_OFF) and reactions[9] & int(Reaction.MOTION_STOP)
    assert (live.image.nodes["enable"] == 0.0).all()
    assert live.control.job["phase"][0] == int(Phase.STOPPED)


@pytest.mark.parametrize("node", [Node.GANTRY, Node.MLC, Node.ROOM], ids=lambda node: node.name.lower())
def test_a_node_that_speaks_again_in_time_lets_the_beam_go_on_after_200_ms(node: Node) -> None:
    live = Live()
    live.beam_on()
    live.plant.nodes["silent"][int(node)] = 1.0
    live.cycle(5)
    live.plant.nodes["silent"][int(node)] = 0.0
    live.cycle(19)
    assert live.image.beam["permit"][0] == 0.0
    live.cycle(3)
    assert live.image.beam["permit"][0] == 1.0 and live.tripped() == []
    live.cycle(10)
    assert live.pulses > 0


def test_a_node_that_was_lost_needs_somebody_to_look() -> None:
    live = Live()
    live.beam_on()
    live.plant.nodes["silent"][int(Node.COUCH)] = 1.0
    live.cycle(10)
    live.plant.nodes["silent"][int(Node.COUCH)] = 0.0
    live.cycle(500)
    assert "DATA_LOST" in live.tripped() and live.pulses == 0


def test_readings_that_are_repeated_under_a_fresh_stamp_pass_for_fresh() -> None:
    """A known limit: age is told by the node. Of the gantry it is known that its encoders tremble."""
    live = Live()
    live.beam_on()
    live.plant.nodes["stale"][int(Node.COUCH)] = 1.0
    live.cycle(50)
    assert live.control.signals[Signal.NODE_AGE_CYCLES] == 0.0 and live.tripped() == []


@pytest.mark.parametrize("beam", [False, True])
def test_both_encoders_of_the_gantry_that_freeze_at_rest_are_noticed_before_it_creeps(beam: bool) -> None:
    live = Live()
    live.beam_on() if beam else live.warm_up()
    stood = float(live.plant.gantry["position"][0])
    live.plant.gantry["freeze"] = live.plant.gantry["freeze_2"] = 1.0
    live.cycle(7)
    assert live.tripped() == ["GANTRY_STILL"] and live.image.beam["permit"][0] == 0.0
    live.cycle(1300)
    assert live.image.nodes["enable"][Node.GANTRY] == 0.0 and abs(live.plant.gantry["position"][0] - stood) < 0.05


def test_before_any_node_has_spoken_all_readings_are_lost() -> None:
    it = machine("bench_small")
    control, image = controller(it)
    assert not np.isfinite(image.gantry["readback"]).any()
    assert all(len(getattr(image, name)) == n for name, n in it.controller.sizes().items())
    assert set(AXIS_DEVICES) == set(it.controller.sizes())
    assert (image.nodes["sampled_cycle"] < -9).all() and control.job["cycle"][0] == 0


def test_what_the_room_does_is_gone_from_truth_within_the_next_cycle() -> None:
    live = Live()
    live.beam_on()
    live.plant.room["door_closed"] = 0.0
    live.cycle()
    assert live.pulses == 0 and live.image.beam["permit"][0] == 0.0
    assert live.tripped()[0] == "DOOR"
    live.cycle(100)
    assert live.pulses == 0


def test_a_controller_that_stops_in_the_middle_of_a_beam_has_none_after_60_ms() -> None:
    live = Live()
    live.beam_on()
    before = []
    for i in range(12):
        step_plant(live.plant, live.image, int(live.control.job["cycle"][0]) + 1 + i)
        before.append(live.pulses)
    assert live.image.beam["permit"][0] == 1.0 and before[0] > 0
    assert before[6:] == [0] * 6
