"""The beam as the sequencer sees it: warm, arm, deliver, and every way in which each of them ends."""

import asyncio
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from device_models.interface.image import SafetyOpen
from linac_ctl.control.phases import Hold, Phase
from linac_ctl.control.signals import FIRST_GUARD, Guard
from linac_ctl.errors import DeviceError, RefusedError
from linac_ctl.plan.model import Beam
from linac_ctl.plan.trajectory import Field, prepare
from linac_ctl.subsystems.beam import SELFTEST_TIMEOUT_S
from linac_ctl.subsystems.beam_states import BeamState
from linac_ctl.subsystems.linac import Tripped
from tests.subsystems.suite import Suite
from tests.support import machine, small_arc, small_static, small_step_and_shoot

MODE = "10FFF"


class Treatment(Suite):
    """A suite with one beam to give."""

    def __init__(self, beam: Beam | None = None) -> None:
        super().__init__()
        self.beam, self.image = self.linac.beam, self.rig.image
        self.field: Field = prepare(beam or small_static(machine(), mu=20.0), machine().controller)
        for name, place in self.field.start.items():
            wires, aims = getattr(self.image, name), getattr(self.rig.control, name)
            wires["setpoint"] = aims["goal"] = aims["asked"] = aims["seen"] = aims["seen_2"] = place
        if self.field.run_up:
            self.image.gantry["setpoint"] = self.rig.control.gantry["goal"] = self.field.run_up.begin_deg
        self.rig.job["gantry_before_deg"] = self.image.gantry["setpoint"][0]
        self.rig.cycle(5)
        self.move()

    async def arm(self) -> None:
        """Up to one step before beam-on."""
        await self.beam.warm(MODE)
        self.rig.mu = 0.0
        await self.beam.arm(self.field, slot=3, time_limit_s=60.0, prescription=11, session=22)

    async def give(self) -> Any:
        """All of it."""
        await self.arm()
        return await self.beam.deliver(60.0)

    def guard(self, guard: Guard) -> float:
        return float(self.rig.control.signals[FIRST_GUARD + int(guard)])


@pytest.fixture
def treatment() -> Iterator[Treatment]:
    it = Treatment()
    yield it
    it.close()


# --- warm

def test_warm_is_sensed_and_not_only_asked_for(treatment: Treatment) -> None:
    treatment.rig.spoil("beam", "hv_on", 0.0)
    treatment.at(200, treatment.rig.heal)
    begin = treatment.cycle
    treatment.run(treatment.beam.warm(MODE))
    assert treatment.beam.state is BeamState.WARM and treatment.cycle - begin >= 200
    assert treatment.image.beam["hv_request"][0] == 1.0
    assert treatment.image.beam["mode"][0] == list(machine().controller.beam.modes).index(MODE)


@pytest.mark.parametrize(("field", "value"), [("hv_on", 0.0), ("hv_on", float("nan")), ("mode_sensed", -1)])
def test_what_does_not_get_warm_in_time_says_so(treatment: Treatment, field: str, value: float) -> None:
    treatment.rig.spoil("beam", field, value)
    with pytest.raises(DeviceError, match=r"beam: 10FFF not sensed and warm within 60 s; look at carousel"):
        treatment.run(treatment.beam.warm(MODE))
    assert treatment.beam.state is BeamState.INTERRUPTED


def test_warm_already_is_warm_at_once_and_another_mode_is_selected_anew(treatment: Treatment) -> None:
    treatment.run(treatment.beam.warm(MODE))
    begin = treatment.cycle
    treatment.run(treatment.beam.warm(MODE))
    assert treatment.cycle - begin <= 1
    treatment.run(treatment.beam.warm("6X"))
    assert treatment.cycle > begin + 10 and treatment.beam.state is BeamState.WARM


def test_warming_that_is_cancelled_or_tripped_is_interrupted(treatment: Treatment) -> None:
    treatment.rig.spoil("beam", "hv_on", 0.0)

    async def cancelled() -> None:
        task = asyncio.ensure_future(treatment.beam.warm(MODE))
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    treatment.run(cancelled())
    assert treatment.beam.state is BeamState.INTERRUPTED
    treatment.at(50, lambda: treatment.rig.spoil("room", "estop_ok", 0.0))
    with pytest.raises(Tripped, match="ESTOP"):
        treatment.run(treatment.beam.warm(MODE))
    assert treatment.beam.state is BeamState.INTERRUPTED and treatment.image.beam["hv_request"][0] == 0.0


# --- arm

def test_arming_loads_both_channels_and_binds_what_is_delivered(treatment: Treatment) -> None:
    treatment.run(treatment.arm())
    job, safety, field = treatment.rig.job, treatment.image.safety, treatment.field
    assert treatment.beam.state is BeamState.ARMED and treatment.rig.phase is Phase.READY
    assert (safety["preset_mu"][0], safety["time_limit_s"][0], safety["start_mu"][0]) == (20.0, 60.0, 0.0)
    assert (safety["arm"][0], safety["reset"][0], safety["selftest"][0], treatment.image.beam["clear_dose"][0]) == (0, 0, 0, 0)
    assert (job["prescription"][0], job["armed_prescription"][0], job["session"][0], job["armed_session"][0]) == (11, 11, 22, 22)
    assert (job["slot"][0], job["beam_number"][0], job["mu_end"][0], job["points"][0]) == (3, 1, 20.0, field.points)
    n = field.points
    assert np.array_equal(treatment.rig.control.trajectory.mlc[:n], field.axes["mlc"])
    entry = treatment.rig.control.journal[3]
    assert (entry["beam"], entry["started"], entry["complete"]) == (1, 1, 0)


def test_a_self_test_that_does_not_pass_names_the_checks_and_there_is_no_field(treatment: Treatment) -> None:
    treatment.rig.spoil("safety", "passed", 63 & ~int(SafetyOpen.TIMER))
    begin = treatment.linac.time_s
    with pytest.raises(DeviceError, match=r"safety channel: self-test did not pass \(timer\) within 30 s; look at what is open"):
        treatment.run(treatment.arm())
    assert treatment.linac.time_s - begin == pytest.approx(SELFTEST_TIMEOUT_S, abs=0.6)
    assert treatment.beam.state is BeamState.WARM and treatment.rig.phase is not Phase.READY
    assert treatment.image.safety["selftest"][0] == 0.0


def test_a_channel_whose_relay_does_not_open_in_its_own_test_arms_nothing(treatment: Treatment) -> None:
    treatment.rig.spoil("safety", "permit", 1.0)
    with pytest.raises(DeviceError, match="a relay that does not open; no beam until an engineer has looked"):
        treatment.run(treatment.arm())
    assert treatment.beam.state is BeamState.WARM and treatment.image.safety["selftest"][0] == 0.0


def test_a_channel_that_gives_no_permit_ends_the_arming(treatment: Treatment) -> None:
    treatment.rig.spoil("safety", "permit", 0.0)
    with pytest.raises((DeviceError, TimeoutError)):
        treatment.run(treatment.arm())
    assert treatment.beam.state is BeamState.WARM


def test_a_trip_during_arming_is_a_trip_and_no_broken_machine(treatment: Treatment) -> None:
    async def armed() -> None:
        await treatment.beam.warm(MODE)
        treatment.at(2, lambda: treatment.rig.spoil("room", "mains_ok", 0.0))
        await treatment.beam.arm(treatment.field, slot=0, time_limit_s=60.0, prescription=1, session=1)

    with pytest.raises(Tripped, match="POWER"):
        treatment.run(armed())
    assert treatment.beam.state is BeamState.INTERRUPTED


def test_a_resumed_field_counts_on_from_the_channel_that_counted_more(treatment: Treatment) -> None:
    treatment.rig.mu = 7.5
    field = prepare(small_static(machine(), mu=20.0), machine().controller, 7.75)

    async def armed() -> None:
        await treatment.beam.warm(MODE)
        await treatment.beam.arm(field, slot=0, time_limit_s=60.0, prescription=1, session=1, resumed=True)

    treatment.run(armed())
    assert treatment.rig.job["mu_offset"][0] == pytest.approx(0.25)
    assert treatment.beam.mu_1 == pytest.approx(7.75) and treatment.image.safety["start_mu"][0] == 7.75
    assert treatment.rig.control.journal["mu_1"][0] == pytest.approx(7.75)


def test_a_field_that_does_not_fit_the_tables_is_refused(treatment: Treatment) -> None:
    field = prepare(small_arc(machine(), points=70), machine().controller)

    async def armed() -> None:
        await treatment.beam.warm(MODE)
        await treatment.beam.arm(field, slot=0, time_limit_s=60.0, prescription=1, session=1)

    with pytest.raises(RefusedError, match=r"beam 1: \d+ control points > 64 that fit the tables"):
        treatment.run(armed())


# --- deliver

def test_a_field_is_delivered_to_half_a_pulse_and_written_down(treatment: Treatment) -> None:
    given = treatment.run(treatment.give())
    assert given.mu_1 == pytest.approx(20.0, abs=0.06) and given.mu_2 == given.mu_1 and 0.5 < given.beam_on_s < 1.0
    assert treatment.beam.state is BeamState.WARM and treatment.rig.phase is Phase.MOVE and treatment.rig.permit == 0.0
    assert treatment.guard(Guard.START) == 0.0
    entry = treatment.rig.control.journal[3]
    assert entry["complete"] == 1 and entry["mu_1"] == pytest.approx(given.mu_1)


@pytest.mark.parametrize("beam", [small_arc, small_step_and_shoot], ids=["arc", "step_and_shoot"])
def test_other_kinds_of_field_end_the_same_way(beam: Any) -> None:
    it = Treatment(beam(machine(), mode=MODE))
    given = it.run(it.give())
    assert given.mu_1 == pytest.approx(it.field.mu[-1], abs=0.06) and it.linac.panel.history == []
    it.close()


def test_nothing_starts_that_is_not_armed(treatment: Treatment) -> None:
    with pytest.raises(RefusedError, match="off, not armed; one arming is good for one start"):
        treatment.run(treatment.beam.deliver(10.0))
    assert treatment.rig.permit == 0.0 and treatment.rig.phase is not Phase.BEAM


def test_what_prevents_a_start_refuses_it_and_the_field_stays_armed(treatment: Treatment) -> None:
    async def start() -> None:
        await treatment.arm()
        treatment.rig.spoil("room", "key_on", 0.0)
        await asyncio.sleep(0.05)
        await treatment.beam.deliver(10.0)

    with pytest.raises(RefusedError, match="an interlock prevents the start"):
        treatment.run(start())
    assert treatment.beam.state is BeamState.ARMED and treatment.rig.phase is Phase.READY


def test_a_refused_start_may_be_armed_again(treatment: Treatment) -> None:
    treatment.run(treatment.arm())
    given = treatment.run(treatment.give())
    assert given.mu_1 == pytest.approx(20.0, abs=0.06)


def test_a_beam_that_is_held_for_ever_times_out_off(treatment: Treatment) -> None:
    async def short() -> None:
        await treatment.arm()
        treatment.at(20, lambda: treatment.rig.spoil("room", "key_on", 0.0))
        await treatment.beam.deliver(5.0)

    with pytest.raises(DeviceError, match=r"beam: \d+\.\d\d of 20\.00 MU after 5 s of machine time; something holds it"):
        treatment.run(short())
    assert "TRANSITION_TIMEOUT" in treatment.rig.tripped() and treatment.rig.phase is Phase.STOPPED and treatment.rig.permit == 0.0
    assert treatment.beam.state is BeamState.TERMINATED
    treatment.rig.heal()
    treatment.rig.cycle(2)
    treatment.linac.panel.reset("TRANSITION_TIMEOUT", who="piet", role="physicist", reason="key was turned; 20 MU were meant")
    treatment.linac.enter(Phase.MOVE)
    treatment.beam.trigger("reselect")
    treatment.run(treatment.beam.warm(MODE))  # and nothing is stuck in a state that leads nowhere
    assert treatment.beam.state is BeamState.WARM


def test_a_hold_is_followed_and_its_reason_written_down(treatment: Treatment) -> None:
    async def held() -> Any:
        await treatment.arm()
        task = asyncio.ensure_future(treatment.beam.deliver(60.0))
        await asyncio.sleep(0.2)
        treatment.rig.control.mlc["seen"][3] = 33.0  # it has been left behind, and has not gone there by itself
        treatment.rig.spoil("mlc", "readback", 33.0, 3)
        treatment.rig.spoil("mlc", "readback_2", 33.0, 3)
        await asyncio.sleep(0.1)
        assert treatment.beam.state is BeamState.HELD and treatment.rig.permit == 0.0
        treatment.rig.heal()
        await asyncio.sleep(0.4)
        assert treatment.beam.state is BeamState.ON
        return await task

    given = treatment.run(held())
    assert given.mu_1 == pytest.approx(20.0, abs=0.06)
    (hold,) = treatment.linac.holds
    assert hold["beam"] == 1 and "MLC_POS" in hold["why"] and 0.2 < hold["end_s"] - hold["start_s"] < 0.5


@pytest.mark.parametrize(("spoil", "state", "terminate"), [
    (("room", "door_closed", 0.0), BeamState.INTERRUPTED, False), (("beam", "mode_sensed", -1), BeamState.TERMINATED, True),
])
def test_a_trip_ends_a_delivery_off(treatment: Treatment, spoil: tuple[str, str, float], state: BeamState, terminate: bool) -> None:
    async def tripped() -> None:
        await treatment.arm()
        treatment.at(20, lambda: treatment.rig.spoil(*spoil))
        await treatment.beam.deliver(60.0)

    with pytest.raises(Tripped) as trip:
        treatment.run(tripped())
    assert trip.value.terminate is terminate and treatment.beam.state is state
    assert treatment.rig.phase is Phase.STOPPED and treatment.rig.permit == 0.0 and treatment.image.beam["hv_request"][0] == 0.0
    assert treatment.rig.control.journal["complete"][3] == 0
    assert 0.0 < treatment.rig.control.journal["mu_1"][3] < 20.0


def test_a_cancelled_delivery_has_no_beam_in_the_next_cycle(treatment: Treatment) -> None:
    async def cancelled() -> None:
        await treatment.arm()
        task = asyncio.ensure_future(treatment.beam.deliver(60.0))
        await asyncio.sleep(0.2)
        assert treatment.rig.permit == 1.0
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert treatment.rig.permit == 0.0

    treatment.run(cancelled())
    assert treatment.beam.state is BeamState.INTERRUPTED and treatment.rig.phase is Phase.STOPPED
    assert treatment.rig.job["hold"][0] == int(Hold.HOLD)
    mu = treatment.rig.mu
    treatment.rig.cycle(100)
    assert treatment.rig.mu == mu


def test_a_trip_in_the_cycle_of_the_last_pulse_is_a_trip_and_no_broken_machine(treatment: Treatment) -> None:
    """The condition that is waited for and the trip come in the same cycle, in that order of the code: the trip wins."""
    async def both() -> None:
        await treatment.arm()
        task = asyncio.ensure_future(treatment.beam.deliver(60.0))
        await asyncio.sleep(0.2)
        treatment.rig.job["mu_end"] = treatment.rig.job["preset_mu"] = treatment.rig.image.beam["mu_1"][0]
        treatment.rig.spoil("room", "door_closed", 0.0)
        await task

    with pytest.raises(Tripped, match="DOOR"):
        treatment.run(both())
    assert treatment.beam.state is BeamState.INTERRUPTED and treatment.rig.phase is Phase.STOPPED


@pytest.mark.parametrize("state", list(BeamState))
def test_standing_down_switches_off_from_wherever_it_is(treatment: Treatment, state: BeamState) -> None:
    treatment.beam.state = state
    treatment.beam.stand_down()
    assert treatment.image.beam["hv_request"][0] == 0.0 and treatment.rig.job["slot"][0] == -1
    if state not in (BeamState.WARMING, BeamState.ON, BeamState.HELD):
        assert treatment.beam.state is BeamState.OFF


S = BeamState


@pytest.mark.parametrize(("state", "reactions", "held", "after"), [
    (S.ON, 0, True, S.HELD), (S.HELD, 0, False, S.ON), (S.ON, 0, False, S.ON), (S.HELD, 0, True, S.HELD),
    (S.ON, 2, True, S.INTERRUPTED), (S.ON, 34, False, S.TERMINATED), (S.ON, 8, False, S.ON),
    (S.INTERRUPTED, 34, False, S.TERMINATED), (S.INTERRUPTED, 2, False, S.INTERRUPTED),
    (S.TERMINATED, 34, False, S.TERMINATED), (S.TERMINATED, 2, True, S.TERMINATED), (S.OFF, 34, True, S.OFF),
    (S.OFF, 2, True, S.OFF),
    (S.WARM, 0, True, S.WARM), (S.ARMED, 2, False, S.INTERRUPTED), (S.WARMING, 2, False, S.INTERRUPTED),
])
def test_the_state_follows_what_the_cycle_has_done(treatment: Treatment, state: BeamState, reactions: int, held: bool,
                                                   after: BeamState) -> None:
    treatment.beam.state = state
    treatment.beam.follow(reactions, held)
    assert treatment.beam.state is after
