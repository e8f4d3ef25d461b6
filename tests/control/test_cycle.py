"""The scan cycle, piece by piece: power, permit, reactions, the end of a field, watches, the journal, the row."""

from typing import Any

import numpy as np
import pytest

from device_models.interface.heartbeat import REFUSAL, answer
from device_models.interface.image import AXIS_DEVICES, DT_S, Node
from linac_ctl.control.cycle import (
    coast,
    drop_permit,
    end_field,
    give_permit,
    give_power,
    inputs,
    move,
    outputs,
    ramp_all,
    react,
    remember_speeds,
    stay_all,
    take_up_all,
    write_journal,
)
from linac_ctl.control.cycle import test_watches as look_at_watches
from linac_ctl.control.measure_self import sum_of_point
from linac_ctl.control.phases import Event, Hold, Phase, Reaction
from linac_ctl.control.signals import Signal
from linac_ctl.control.state import columns
from tests.control.rig import Rig, controller, table
from tests.support import machine

NAN = float("nan")
BEAM_OFF, HOLD, STOP = int(Reaction.BEAM_OFF), int(Reaction.BEAM_HOLD), int(Reaction.MOTION_STOP)
IDS = [row.id for row in table().rows]


class Desk:
    """Controller and wires, nothing behind them."""

    def __init__(self, name: str = "c_arm_m120") -> None:
        self.machine = machine(name)
        self.control, self.image = controller(self.machine, points=8, rows=16)
        self.job, self.beam = self.control.job[0], self.image.beam[0]
        self.control.signals[:] = 0.0
        for i, device in enumerate(AXIS_DEVICES):
            self.wires(device)["setpoint"], self.wires(device)["readback"] = 10.0 + i, 20.0 + i
            self.aims(device)["goal"], self.aims(device)["velocity"] = 30.0 + i, 0.0
        t = self.control.trajectory
        t.mu[:3], t.stop_mu[:3], t.rate[:3] = [0.0, 5.0, 10.0], 10.0, 8.0
        t.node_rate2[:3], t.accel[:3] = 64.0, 100.0
        self.set(points=3, mu_end=10.0, half_pulse_mu=0.05, pulse_mu=0.1, enabled=1)
        self.set(max_rate_mu_per_s=40.0, start_rate_mu_per_s=3.0)

    def wires(self, device: str) -> Any:
        return getattr(self.image, device)

    def aims(self, device: str) -> Any:
        return getattr(self.control, device)

    def set(self, **job: Any) -> None:
        for name, value in job.items():
            self.control.job[name] = int(value) if isinstance(value, Phase | Reaction) else value

    def setpoints(self) -> list[float]:
        """First axis of each device."""
        return [float(self.wires(device)["setpoint"][0]) for device in AXIS_DEVICES]

    def goals(self) -> list[float]:
        return [float(self.aims(device)["goal"][0]) for device in AXIS_DEVICES]


@pytest.fixture
def desk() -> Desk:
    return Desk()


N = len(AXIS_DEVICES)
SET, SEEN, GOAL = ([base + i for i in range(N)] for base in (10.0, 20.0, 30.0))


# --- all devices alike

def test_staying_forgets_every_goal(desk: Desk) -> None:
    for device in AXIS_DEVICES:
        desk.aims(device)["velocity"] = 3.0
    stay_all(desk.control, desk.image)
    assert desk.goals() == SET and desk.setpoints() == SET
    assert all((desk.aims(device)["velocity"] == 0.0).all() for device in AXIS_DEVICES)


def test_taking_up_asks_for_nothing_but_where_things_stand(desk: Desk) -> None:
    take_up_all(desk.control, desk.image)
    assert desk.goals() == SEEN and desk.setpoints() == SEEN


def test_ramping_moves_every_axis_towards_its_goal(desk: Desk) -> None:
    ramp_all(desk.control, desk.image)
    assert all(now > before for now, before in zip(desk.setpoints(), SET, strict=True))
    assert desk.goals() == GOAL


# --- power

@pytest.mark.parametrize("phase", list(Phase))
def test_power_is_asked_for_in_every_phase_but_one(desk: Desk, phase: Phase) -> None:
    desk.set(phase=phase)
    give_power(desk.control, desk.image)
    wanted = 0 if phase is Phase.STOPPED else 1
    assert (desk.image.nodes["enable"] == float(wanted)).all() and desk.job["enabled"] == wanted
    assert desk.setpoints() == SET  # it was there all along


@pytest.mark.parametrize("reaction", list(Reaction))
def test_only_a_motion_stop_takes_power_away(desk: Desk, reaction: Reaction) -> None:
    desk.set(phase=Phase.MOVE, reactions=reaction)
    give_power(desk.control, desk.image)
    assert (desk.image.nodes["enable"] == (0.0 if reaction is Reaction.MOTION_STOP else 1.0)).all()


def test_power_that_comes_back_starts_from_where_things_stand(desk: Desk) -> None:
    desk.set(phase=Phase.MOVE, enabled=0)
    give_power(desk.control, desk.image)
    assert desk.setpoints() == SEEN and desk.goals() == SEEN and desk.job["enabled"] == 1
    desk.set(phase=Phase.STOPPED, enabled=0)
    desk.wires("gantry")["readback"] = 77.0
    give_power(desk.control, desk.image)
    assert desk.setpoints() == SEEN  # no power, nothing taken up


# --- motion

def test_between_fields_every_axis_moves_and_there_is_no_beam(desk: Desk) -> None:
    desk.set(phase=Phase.MOVE, permit=1, rate_mu_per_s=5.0, flowing=3)
    move(desk.control, desk.image)
    assert desk.setpoints()[0] > SET[0] and desk.setpoints()[-1] > SET[-1]
    assert (desk.job["permit"], desk.job["rate_mu_per_s"], desk.job["flowing"]) == (0, 0.0, 0)


@pytest.mark.parametrize("job", [{"reactions": Reaction.MOTION_STOP}, {"reactions": Reaction.PREVENT_MOTION}, {"enabled": 0}])
def test_what_forbids_motion_freezes_setpoints_and_forgets_goals(desk: Desk, job: dict[str, Any]) -> None:
    desk.set(phase=Phase.MOVE, **job)
    move(desk.control, desk.image)
    assert desk.setpoints() == SET and desk.goals() == SET


@pytest.mark.parametrize("reaction", [Reaction.BEAM_HOLD, Reaction.BEAM_OFF, Reaction.PREVENT_START, Reaction.TERMINATE])
def test_what_forbids_beam_lets_motion_go_on(desk: Desk, reaction: Reaction) -> None:
    desk.set(phase=Phase.MOVE, reactions=reaction)
    move(desk.control, desk.image)
    assert desk.setpoints()[0] > SET[0]


def test_in_a_field_the_dose_places_the_axes_and_the_couch_may_still_settle(desk: Desk) -> None:
    desk.set(phase=Phase.BEAM, expected_mu=5.0)
    desk.control.trajectory.gantry[:3] = [[0.0], [50.0], [100.0]]
    move(desk.control, desk.image)
    at = dict(zip(AXIS_DEVICES, desk.setpoints(), strict=True))
    assert at["gantry"] == 50.0 and at["couch"] > 15.0 and at["kv_arms"] == 16.0 and at["mv_arm"] == 17.0
    assert desk.job["permit"] == 1


# --- commanded speeds

def test_the_highest_commanded_speed_is_remembered_for_a_while(desk: Desk) -> None:
    desk.set(gantry_before_deg=10.0)
    desk.control.job["couch_before_mm"] = desk.wires("couch")["setpoint"][:3]
    desk.wires("gantry")["setpoint"] += 6.0 * DT_S
    desk.wires("couch")["setpoint"][1] -= 20.0 * DT_S
    remember_speeds(desk.control, desk.image)
    assert desk.job["gantry_deg_per_s"] == pytest.approx(6.0) and desk.job["gantry_asked_deg_per_s"] == pytest.approx(6.0)
    assert list(desk.job["couch_asked_mm_per_s"]) == pytest.approx([0.0, 20.0, 0.0])
    remember_speeds(desk.control, desk.image)
    assert desk.job["gantry_deg_per_s"] == 0.0
    assert desk.job["gantry_asked_deg_per_s"] == pytest.approx(6.0 - 0.055)
    assert desk.job["couch_asked_mm_per_s"][1] == pytest.approx(19.6)
    for _ in range(500):
        remember_speeds(desk.control, desk.image)
    assert desk.job["gantry_asked_deg_per_s"] == 0.0 and not desk.job["couch_asked_mm_per_s"].any()


def test_a_gantry_that_turns_back_was_asked_to_as_well(desk: Desk) -> None:
    desk.set(gantry_before_deg=10.0)
    desk.wires("gantry")["setpoint"] -= 2.0 * DT_S
    remember_speeds(desk.control, desk.image)
    assert desk.job["gantry_deg_per_s"] == pytest.approx(-2.0) and desk.job["gantry_asked_deg_per_s"] == pytest.approx(2.0)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_each_translation_of_the_couch_counts_for_itself_and_no_rotation(desk: Desk, axis: int) -> None:
    desk.control.job["couch_before_mm"] = desk.wires("couch")["setpoint"][:3]
    desk.wires("couch")["setpoint"][axis] += 10.0 * DT_S
    desk.wires("couch")["setpoint"][3:] += 30.0 * DT_S
    remember_speeds(desk.control, desk.image)
    assert list(desk.job["couch_asked_mm_per_s"]) == pytest.approx([10.0 if i == axis else 0.0 for i in range(3)])
    assert list(desk.job["couch_before_mm"]) == list(desk.wires("couch")["setpoint"][:3])


def test_a_machine_without_couch_has_no_couch_speed() -> None:
    desk = Desk("bench_one_axis")
    remember_speeds(desk.control, desk.image)
    assert not desk.job["couch_asked_mm_per_s"].any()


def test_no_axis_was_asked_to_go_faster_than_it_may_however_far_its_setpoint_jumps(desk: Desk) -> None:
    desk.set(gantry_before_deg=-170.0)
    desk.control.job["couch_before_mm"] = 0.0
    desk.wires("couch")["setpoint"][:3] = [0.0, -300.0, 150.0]
    remember_speeds(desk.control, desk.image)
    assert desk.job["gantry_asked_deg_per_s"] == desk.control.gantry["speed"][0]
    assert list(desk.job["couch_asked_mm_per_s"]) == [0.0, *desk.control.couch["speed"][1:3]]


def test_power_that_comes_back_finds_no_speed_in_a_setpoint_that_was_taken_up(desk: Desk) -> None:
    desk.set(enabled=0, gantry_before_deg=-170.0)
    desk.control.job["couch_before_mm"] = 0.0
    give_power(desk.control, desk.image)
    remember_speeds(desk.control, desk.image)
    assert desk.job["enabled"] == 1 and desk.wires("couch")["setpoint"][0] != 0.0
    assert desk.job["gantry_asked_deg_per_s"] == 0.0 and not desk.job["couch_asked_mm_per_s"].any()
    for name in AXIS_DEVICES:
        assert list(getattr(desk.control, name)["asked"]) == list(desk.wires(name)["setpoint"])


# --- permit

def test_the_permit_of_this_cycle_is_on_the_wire_with_its_rate(desk: Desk) -> None:
    desk.set(permit=1, rate_mu_per_s=8.0, low_cycles=7, pulses_at_permit=3)
    desk.image.beam["pulses"] = 41
    give_permit(desk.job, desk.beam)
    assert (desk.beam["permit"], desk.beam["rate_mu_per_s"]) == (1.0, 8.0)
    assert desk.job["low_cycles"] == 0 and desk.job["pulses_at_permit"] == 41
    assert desk.job["beam_s"] == pytest.approx(DT_S)
    desk.image.beam["pulses"] = 45
    give_permit(desk.job, desk.beam)
    assert desk.job["pulses_at_permit"] == 41  # the edge has passed
    assert desk.job["beam_s"] == pytest.approx(2 * DT_S)


@pytest.mark.parametrize(("permit", "high", "after"), [(1, 0, 1), (1, 7, 8), (0, 7, 0), (0, 0, 0)])
def test_cycles_of_a_permit_are_counted_from_its_rise(desk: Desk, permit: int, high: int, after: int) -> None:
    desk.set(permit=permit, high_cycles=high)
    give_permit(desk.job, desk.beam)
    assert desk.job["high_cycles"] == after


def test_without_a_permit_there_is_no_rate_and_the_low_cycles_count(desk: Desk) -> None:
    desk.set(permit=0, rate_mu_per_s=8.0, low_cycles=7, beam_s=1.0, pulses_at_permit=3)
    desk.image.beam["permit"], desk.image.beam["pulses"] = 1.0, 50
    give_permit(desk.job, desk.beam)
    assert (desk.beam["permit"], desk.beam["rate_mu_per_s"]) == (0.0, 0.0)
    assert desk.job["low_cycles"] == 8 and desk.job["beam_s"] == 1.0 and desk.job["pulses_at_permit"] == 3
    give_permit(desk.job, desk.beam)
    assert desk.job["pulses_at_permit"] == 3


@pytest.mark.parametrize(("permit", "flowing", "counted"), [
    (1, 1, True), (1, 40, True), (1, 0, False), (0, 1, False), (0, 0, False)])
def test_beam_on_time_of_a_field_counts_while_its_beam_flows(desk: Desk, permit: int, flowing: int, counted: bool) -> None:
    desk.set(permit=permit, flowing=flowing, flowing_s=2.0)
    give_permit(desk.job, desk.beam)
    assert desk.job["flowing_s"] == pytest.approx(2.0 + DT_S if counted else 2.0, abs=1e-9)


# --- outputs

def test_every_cycle_answers_the_channel_and_tells_it_its_limits(desk: Desk) -> None:
    desk.set(phase=Phase.IDLE, preset_mu=12.5, time_limit_s=33.0, cycle=99)
    desk.image.safety["challenge"] = 123456
    desk.image.nodes["sampled_cycle"][Node.BEAM] = 97
    outputs(desk.control, desk.image)
    safety = desk.image.safety[0]
    assert safety["response"] == answer(123456) and (safety["preset_mu"], safety["time_limit_s"]) == (12.5, 33.0)
    assert desk.job["cycle"] == 100 and desk.image.nodes["enable"][0] == 1.0
    assert desk.setpoints()[0] > SET[0] and desk.job["gantry_before_deg"] == desk.setpoints()[0]
    assert desk.job["events"] == 0


@pytest.mark.parametrize(("silent", "answered"), [(1, True), (3, True), (4, False), (1_000_000, False)])
def test_a_source_not_heard_of_is_stopped_by_the_other_channel(desk: Desk, silent: int, answered: bool) -> None:
    desk.set(phase=Phase.BEAM, cycle=99)
    desk.image.safety["challenge"] = 123456
    desk.image.nodes["sampled_cycle"][Node.BEAM] = 100 - silent
    outputs(desk.control, desk.image)
    assert desk.image.safety["response"][0] == (answer(123456) if answered else REFUSAL)


@pytest.mark.parametrize(("radiating", "answered"), [(0, True), (1, False), (10, False)])
def test_a_source_that_is_stuck_is_stopped_by_the_other_channel(desk: Desk, radiating: int, answered: bool) -> None:
    desk.set(phase=Phase.IDLE, cycle=99, radiating=radiating)
    desk.image.safety["challenge"] = 123456
    desk.image.nodes["sampled_cycle"][Node.BEAM] = 100
    outputs(desk.control, desk.image)
    assert desk.image.safety["response"][0] == (answer(123456) if answered else REFUSAL)


def test_what_the_beam_is_told_has_the_stamp_of_its_cycle(desk: Desk) -> None:
    desk.set(phase=Phase.BEAM, cycle=99)
    outputs(desk.control, desk.image)
    assert desk.beam["said_cycle"] == 100
    outputs(desk.control, desk.image)
    assert desk.beam["said_cycle"] == 101


def test_whatever_a_device_hears_wears_the_cycle_it_was_said_in(desk: Desk) -> None:
    desk.set(phase=Phase.IDLE, cycle=99)
    outputs(desk.control, desk.image)
    assert (desk.image.nodes["said_cycle"] == 100).all() and desk.image.beam["said_cycle"][0] == 100


def test_a_hold_that_begins_or_ends_in_a_field_is_an_event(desk: Desk) -> None:
    desk.set(phase=Phase.BEAM, hold=Hold.NORMAL, reactions=Reaction.BEAM_HOLD)
    outputs(desk.control, desk.image)
    assert desk.job["events"] == int(Event.HOLD_EDGE) and desk.beam["permit"] == 0.0
    desk.set(events=0)
    outputs(desk.control, desk.image)
    assert desk.job["events"] == 0
    desk.set(reactions=0)
    outputs(desk.control, desk.image)
    assert desk.job["events"] == int(Event.HOLD_EDGE) and desk.beam["permit"] == 1.0 and desk.beam["rate_mu_per_s"] > 0.0


def test_outside_a_field_nothing_is_held(desk: Desk) -> None:
    desk.set(phase=Phase.MOVE, hold=Hold.NORMAL, reactions=Reaction.BEAM_HOLD)
    outputs(desk.control, desk.image)
    assert desk.job["events"] == 0


# --- watches

def watch(desk: Desk, i: int, sense: float, limit: float, settle: int = 1, signal: Signal = Signal.MU_1) -> None:
    desk.control.watches[i : i + 1] = np.array([(int(signal), sense, limit, settle, 0, 1)], desk.control.watches.dtype)


@pytest.mark.parametrize(("sense", "value", "hit"), [
    (1.0, 4.9, 1), (1.0, 5.0, 1), (1.0, 5.1, 0), (1.0, NAN, 0), (-1.0, 5.1, 1), (-1.0, 5.0, 1), (-1.0, 4.9, 0), (-1.0, NAN, 0),
])
def test_a_watch_is_hit_while_its_condition_holds(desk: Desk, sense: float, value: float, hit: int) -> None:
    watch(desk, 3, sense, 5.0)
    desk.control.signals[Signal.MU_1] = value
    assert look_at_watches(desk.control.watches, desk.control.signals) == hit


def test_a_watch_settles_in_cycles_in_a_row(desk: Desk) -> None:
    watch(desk, 0, 1.0, 5.0, settle=3)
    hits = []
    for value in (1.0, 1.0, 9.0, 1.0, 1.0, 1.0, 1.0, 9.0):
        desk.control.signals[Signal.MU_1] = value
        hits.append(look_at_watches(desk.control.watches, desk.control.signals))
    assert hits == [0, 0, 0, 0, 0, 1, 1, 0]


def test_a_watch_that_nobody_set_is_never_hit(desk: Desk) -> None:
    desk.control.watches["limit"] = 1e9
    for _ in range(5):
        assert look_at_watches(desk.control.watches, desk.control.signals) == 0
    assert not desk.control.watches["good_cycles"].any()
    watch(desk, 0, 1.0, 5.0)
    watch(desk, 7, 1.0, 5.0)
    assert look_at_watches(desk.control.watches, desk.control.signals) == 2


# --- reactions

def with_beam(desk: Desk, phase: Phase = Phase.BEAM) -> Desk:
    desk.set(phase=phase, permit=1, rate_mu_per_s=8.0, flowing=9, hold=Hold.NORMAL)
    for name in ("permit", "hv_request"):
        desk.image.beam[name] = 1.0
    desk.image.beam["rate_mu_per_s"] = 8.0
    return desk


def test_dropping_the_permit_leaves_nothing_of_it(desk: Desk) -> None:
    with_beam(desk)
    drop_permit(desk.job, desk.beam)
    assert (desk.job["permit"], desk.job["rate_mu_per_s"], desk.job["flowing"]) == (0, 0.0, 0)
    assert (desk.beam["permit"], desk.beam["rate_mu_per_s"]) == (0.0, 0.0)


@pytest.mark.parametrize(("reaction", "permit", "phase", "hv"), [
    (Reaction.BEAM_HOLD, 0, Phase.BEAM, 1.0), (Reaction.PREVENT_START, 0, Phase.BEAM, 1.0),
    (Reaction.BEAM_OFF, 0, Phase.STOPPED, 0.0), (Reaction.MOTION_STOP, 1, Phase.BEAM, 1.0),
    (Reaction.PREVENT_MOTION, 1, Phase.BEAM, 1.0), (Reaction.TERMINATE, 1, Phase.BEAM, 1.0), (Reaction(0), 1, Phase.BEAM, 1.0),
])
def test_what_each_reaction_does_to_a_beam_in_its_own_cycle(desk: Desk, reaction: Reaction, permit: int, phase: Phase,
                                                            hv: float) -> None:
    with_beam(desk).set(reactions=reaction)
    react(desk.control, desk.image)
    assert desk.job["permit"] == permit and desk.beam["permit"] == float(permit)
    assert desk.job["phase"] == int(phase) and desk.beam["hv_request"] == hv
    stopped = phase is Phase.STOPPED
    assert desk.job["hold"] == int(Hold.HOLD if stopped else Hold.NORMAL)
    assert desk.goals() == (SET if stopped else GOAL)


@pytest.mark.parametrize(("reaction", "enable"), [
    (Reaction.MOTION_STOP, 0.0), (Reaction.PREVENT_MOTION, 1.0), (Reaction.BEAM_OFF, 1.0), (Reaction.BEAM_HOLD, 1.0)])
def test_a_motion_stop_takes_drive_power_in_its_own_cycle(desk: Desk, reaction: Reaction, enable: float) -> None:
    with_beam(desk).set(reactions=reaction)
    desk.image.nodes["enable"] = 1.0
    react(desk.control, desk.image)
    assert (desk.image.nodes["enable"] == enable).all()


@pytest.mark.parametrize(("phase", "after"), [
    (Phase.IDLE, Phase.IDLE), (Phase.MOVE, Phase.MOVE), (Phase.READY, Phase.STOPPED), (Phase.STOPPED, Phase.STOPPED)])
def test_an_interrupt_ends_an_armed_field_and_leaves_other_phases(desk: Desk, phase: Phase, after: Phase) -> None:
    with_beam(desk, phase).set(reactions=Reaction.BEAM_OFF)
    react(desk.control, desk.image)
    assert desk.job["phase"] == int(after) and desk.beam["hv_request"] == 0.0
    assert desk.goals() == (SET if phase is Phase.READY else GOAL)


# --- the end of a field

@pytest.mark.parametrize(("left", "over"), [(0.06, False), (0.05, True), (-3.0, True), (NAN, False)])
def test_a_field_ends_to_half_a_pulse(desk: Desk, left: float, over: bool) -> None:
    with_beam(desk).set(segment=0, expected_mu=9.9)
    desk.control.signals[Signal.MU_LEFT] = left
    end_field(desk.control, desk.image)
    assert desk.beam["permit"] == (0.0 if over else 1.0)
    assert desk.job["phase"] == int(Phase.MOVE if over else Phase.BEAM)
    assert desk.job["events"] == (int(Event.FIELD_END) if over else 0)
    assert desk.job["hold"] == int(Hold.HOLD if over else Hold.NORMAL)
    assert (desk.job["segment"], desk.job["expected_mu"]) == ((1, 10.0) if over else (0, 9.9))
    assert desk.goals()[1:] == (SET[1:] if over else GOAL[1:])


@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.MOVE, Phase.READY, Phase.STOPPED])
def test_only_a_field_in_hand_can_end(desk: Desk, phase: Phase) -> None:
    with_beam(desk, phase)
    desk.control.signals[Signal.MU_LEFT] = 0.0
    end_field(desk.control, desk.image)
    assert desk.job["phase"] == int(phase) and desk.job["events"] == 0


@pytest.mark.parametrize(("speed", "goal"), [(6.0, 11.5), (-6.0, 8.5), (0.0, 10.0), (3.0, 10.375), (0.6, 10.015),
                                             (-0.6, 9.985)])
def test_the_gantry_of_an_arc_comes_to_rest_as_fast_as_it_may(desk: Desk, speed: float, goal: float) -> None:
    desk.set(gantry_deg_per_s=speed)
    aim, wire = desk.control.gantry[0], desk.image.gantry[0]
    assert aim["accel"] == 12.0
    coast(desk.job, aim, wire)
    assert aim["goal"] == pytest.approx(goal) and aim["velocity"] == speed
    before = float(wire["setpoint"])
    with_beam(desk).set(gantry_deg_per_s=speed)
    desk.control.signals[Signal.MU_LEFT] = 0.0
    end_field(desk.control, desk.image)
    assert aim["goal"] == pytest.approx(goal) and wire["setpoint"] == before
    ramp_all(desk.control, desk.image)
    assert abs((wire["setpoint"] - before) / DT_S - speed) <= 12.0 * DT_S + 1e-9  # no jump


# --- the journal

def test_the_journal_holds_the_dose_of_the_field_in_hand(desk: Desk) -> None:
    desk.set(slot=2, cycle=77)
    desk.control.signals[[Signal.MU_1, Signal.MU_2]] = [1.5, 1.25]
    desk.image.safety["mu_backup"] = 1.75
    write_journal(desk.control, desk.image)
    entry = desk.control.journal[2]
    counts = [float(entry[name]) for name in ("mu", "mu_1", "mu_2", "mu_backup", "cycle")]
    assert counts == [1.75, 1.5, 1.25, 1.75, 77.0]  # nobody has heard of the chambers of late
    assert not desk.control.journal["mu_1"][:2].any() and not desk.control.journal["mu_1"][3:].any()


@pytest.mark.parametrize(("sampled", "given_mu"), [(77, 1.5), (75, 1.5), (79, 1.5), (74, 1.75), (80, 1.75), (-77, 1.75)])
def test_counts_of_chambers_count_for_two_cycles_and_not_from_the_future(desk: Desk, sampled: int, given_mu: float) -> None:
    desk.set(slot=2, cycle=77)
    desk.control.signals[[Signal.MU_1, Signal.MU_2]] = [1.5, 1.25]
    desk.image.safety["mu_backup"] = 1.75
    desk.image.nodes["sampled_cycle"][Node.BEAM] = sampled
    write_journal(desk.control, desk.image)
    assert desk.control.journal["mu"][2] == given_mu


def test_slot_zero_is_a_slot_and_without_one_nothing_is_written(desk: Desk) -> None:
    desk.control.signals[Signal.MU_1] = 1.5
    desk.set(slot=-1)
    write_journal(desk.control, desk.image)
    assert not desk.control.journal["mu_1"].any()
    desk.set(slot=0)
    write_journal(desk.control, desk.image)
    assert desk.control.journal["mu_1"][0] == 1.5


# --- inputs, whole

@pytest.fixture
def rig() -> Rig:
    it = Rig()
    it.beam(cycles=8)
    return it


def test_in_a_quiet_beam_inputs_say_nothing(rig: Rig) -> None:
    assert rig.cycle() == 0
    assert rig.job["reactions"][0] == 0 and rig.permit == 1.0 and rig.job["evaluated"][0] == len(IDS)


def test_a_trip_is_an_event_and_takes_the_permit_in_its_cycle(rig: Rig) -> None:
    rig.spoil("room", "door_closed", 0.0)
    assert rig.cycle() & int(Event.TRIPPED)
    assert rig.permit == 0.0 and rig.phase is Phase.STOPPED
    assert rig.signal(Signal.TRIP_TO_PERMIT_CYCLES) == 0.0
    assert not rig.cycle() & int(Event.TRIPPED)  # once


def test_a_permit_that_nobody_takes_away_is_measured(rig: Rig) -> None:
    """Were `react` to fail, the next scan would see it: TRIP_LATENCY."""
    rig.control.interlocks["reaction"][IDS.index("DOOR")] = int(Reaction.BEAM_HOLD)
    rig.spoil("room", "door_closed", 0.0)
    rig.cycle()
    assert rig.permit == 0.0 and rig.signal(Signal.TRIP_TO_PERMIT_CYCLES) == 0.0


def test_a_permit_that_has_fallen_is_not_measured_for_longer(rig: Rig) -> None:
    rig.control.signals[Signal.TRIP_TO_PERMIT_CYCLES] = 1.0
    rig.cycle()
    assert rig.permit == 0.0 and rig.signal(Signal.TRIP_TO_PERMIT_CYCLES) == 0.0


def test_a_condition_that_holds_is_an_event(rig: Rig) -> None:
    rig.control.watches[0:1] = np.array([(int(Signal.MU_1), -1.0, 0.5, 1, 0, 1)], rig.control.watches.dtype)
    assert rig.cycle() & int(Event.WATCH_HIT)


def test_the_end_of_the_field_is_an_event(rig: Rig) -> None:
    rig.job["mu_end"] = rig.job["preset_mu"] = rig.image.beam["mu_1"][0]
    assert rig.cycle() & int(Event.FIELD_END)
    assert rig.phase is Phase.MOVE and rig.permit == 0.0


def test_a_trip_in_the_cycle_of_the_last_pulse_is_a_stop_and_no_completed_field(rig: Rig) -> None:
    rig.job["mu_end"] = rig.image.beam["mu_1"][0]
    rig.spoil("room", "door_closed", 0.0)
    events = rig.cycle()
    assert events & int(Event.TRIPPED) and not events & int(Event.FIELD_END) and rig.phase is Phase.STOPPED


def test_the_beam_stops_where_the_next_segment_is_a_motion(rig: Rig) -> None:
    t = rig.control.trajectory
    t.stop_mu[0] = rig.image.beam["mu_1"][0]
    t.move[0] = 1
    t.check[0] = sum_of_point(t, 0)
    rig.cycle()
    assert rig.job["moving"][0] == 1
    rig.job["moving"] = 0
    rig.enter(Phase.MOVE)
    rig.cycle()
    assert rig.job["moving"][0] == 0


def test_inputs_write_the_journal(rig: Rig) -> None:
    rig.job["slot"] = 4
    rig.cycle()
    assert rig.control.journal["mu_1"][4] == rig.image.beam["mu_1"][0] > 0.0


def test_a_row_is_written_every_second_cycle_and_a_full_buffer_is_an_event(rig: Rig) -> None:
    assert rig.job["row_every"][0] == 2
    before, cycle = int(rig.job["row"][0]), int(rig.job["cycle"][0])
    rig.cycle(10)
    assert rig.job["row"][0] == before + 5
    written = rig.control.rows[before : before + 5, 0]
    assert [int(c) for c in written] == [c for c in range(cycle + 1, cycle + 11) if c % 2 == 0]
    rig.job["row"] = len(rig.control.rows) - 1
    rig.job["cycle"] += rig.job["cycle"] % 2 + 1
    assert rig.cycle() & int(Event.ROWS_FULL)


def test_the_columns_of_a_row_are_those_that_are_named(rig: Rig) -> None:
    names = columns(rig.machine.controller)
    assert len(names) == rig.control.rows.shape[1] == len(set(names))
    rig.control.rows[:] = NAN
    rig.job["cycle"] += (rig.job["cycle"] + 1) % 2
    at = int(rig.job["row"][0])
    rig.cycle(2)
    row = dict(zip(names, rig.control.rows[at], strict=True))
    assert row["phase"] == int(Phase.BEAM) and row["permit"] == 1.0 and row["hold"] == 0.0 and row["reactions"] == 0.0
    assert row["beam"] == rig.job["beam_number"][0] and row["clearance_mm"] == 500.0
    assert 0.0 < row["control_point"] < 1.0 and row["rate_mu_per_s"] == pytest.approx(40.0)
    assert row["mu_1"] == pytest.approx(rig.image.beam["mu_1"][0], abs=0.5) and row["mu_2"] == row["mu_1"]
    assert row["expected_mu"] == pytest.approx(row["mu_1"], abs=1.0)
    for device in AXIS_DEVICES:
        assert not np.isnan(getattr(rig.image, device)["setpoint"]).any()
    assert not np.isnan(rig.control.rows[at]).any()


def test_every_axis_has_its_own_two_columns() -> None:
    rig = Rig("c_arm_m120")
    names, rows = columns(rig.machine.controller), rig.control.rows
    rig.obedient = False
    k = 0.0
    for device in AXIS_DEVICES:
        wires = getattr(rig.image, device)
        for i in range(len(wires)):
            k += 1.0
            wires["readback"][i], wires["readback_2"][i] = k + 0.5, k + 0.5
            wires["setpoint"][i] = getattr(rig.control, device)["goal"][i] = k
    rig.job["enabled"] = 1
    rig.cycle(2)
    assert list(rows[0][12::2]) == [pytest.approx(x) for x in np.arange(1.0, k + 1.0)]
    assert list(rows[0][13::2]) == [pytest.approx(x + 0.5) for x in np.arange(1.0, k + 1.0)]
    assert names[12:14] == ["gantry.setpoint_deg", "gantry.readback_deg"] and names[-1].endswith("readback_mm")
    assert "A1.setpoint_mm" in names and "B60.readback_mm" in names and "couch pitch.setpoint_deg" in names
    assert [n for n in names if n.startswith("A")][:3] == ["A1.setpoint_mm", "A1.readback_mm", "A2.setpoint_mm"]


def test_reactions_of_the_scan_are_those_of_the_job(rig: Rig) -> None:
    rig.spoil("room", "key_on", 0.0)
    inputs(rig.control, rig.image)
    rig.cycle(2)
    assert rig.job["reactions"][0] == int(Reaction.PREVENT_START) and HOLD + BEAM_OFF + STOP == 7
