"""Faults in a running session: they act in the cycle after their moment, say when they acted, and what is not there is refused."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from device_models.faults.action import Act, Action, Link, Memory, Process
from device_models.faults.behaviour import Behaviour
from device_models.faults.fault import Fault, Lasts, When
from linac_ctl.app import Simulation
from linac_ctl.errors import ControllerGone, FaultScheduleError, PlanError
from linac_ctl.injection import loading
from linac_ctl.injection.schedule import Schedule, schedule_from
from linac_ctl.links.url import parse_url
from tests.support import machine, order_for, small_static

AT_5_MU = When(mu=5.0)
IN_BEAM = When(phase="beam_on", after_s=1.0)


def faulty(*faults: Fault) -> Simulation:
    sim = Simulation(order_for(), faults=Schedule("test", faults))
    sim.run()
    return sim


def trips(sim: Simulation) -> list[str]:
    return [event.what for event in sim.events if event.who == "interlock"]


def test_a_run_that_is_armed_but_has_no_fault_has_the_bits_of_one_that_is_not() -> None:
    plain = Simulation(order_for())
    plain.run()
    assert faulty().finish() == plain.finish()


def test_a_frozen_dose_counter_trips_and_says_when_others_first_read_it_wrong() -> None:
    sim = faulty(Fault("f", IN_BEAM, signal="beam.mu_1", behaviour="freeze"))
    (found,) = sim.injector.evidence()
    assert found.injected_cycle is not None and found.effective_cycle is not None
    assert found.effective_cycle >= found.injected_cycle
    assert trips(sim)[0] == "RATE_PLAUS" and sim.plant.beam["true_total_mu"][0] < 2.5


def test_a_parameter_that_changes_nothing_never_counts_as_effective() -> None:
    sim = faulty(Fault("f", IN_BEAM, parameter="plant.mlc[4].moves", value=1.0))
    (found,) = sim.injector.evidence()
    assert found.injected_cycle is not None and not found.activated and sim.error is None


def test_a_dead_leaf_is_effective_once_it_should_have_moved() -> None:
    sim = faulty(Fault("f", AT_5_MU, parameter="plant.mlc[4].moves", value=0.0))
    assert sim.injector.evidence()[0].activated and sim.error is not None


def test_two_faults_of_one_moment_act_in_the_very_same_cycle() -> None:
    sim = faulty(Fault("a", AT_5_MU, signal="beam.mu_1", behaviour="freeze"),
                 Fault("b", When(fault="a"), signal="beam.mu_2", behaviour="freeze"))
    a, b = sim.injector.evidence()
    assert a.injected_cycle == b.injected_cycle and trips(sim)[0] == "RATE_PLAUS"  # pulses go on, and neither counter counts them


def test_a_blip_is_one_cycle_and_the_wire_says_the_truth_after_it() -> None:
    sim = faulty(Fault("f", IN_BEAM, signal="gantry.readback_2", behaviour="bias", size=0.3, lasts=Lasts(blip=True)))
    (found,) = sim.injector.evidence()
    assert found.cleared_cycle == (found.injected_cycle or 0) + 1 and found.activated and sim.error is None


def test_what_comes_again_does_so_as_often_as_it_says() -> None:
    sim = faulty(Fault("f", IN_BEAM, signal="gantry.readback_2", behaviour="bias", size=0.2,
                       lasts=Lasts(blip=True, every_s=0.5, times=3)))
    (found,) = sim.injector.evidence()
    assert (found.times, found.longest_cycles) == (3, 1)


@pytest.mark.parametrize(("lasts", "longest"), [(Lasts(s=0.2, every_s=0.5, times=2), 20), (Lasts(s=0.2), None), (Lasts(), None)])
def test_of_what_comes_again_it_is_known_for_how_long_it_was_there_at_once(lasts: Lasts, longest: int | None) -> None:
    sim = faulty(Fault("f", IN_BEAM, signal="gantry.readback_2", behaviour="bias", size=0.2, lasts=lasts))
    assert sim.injector.evidence()[0].longest_cycles == longest


def doing(monkeypatch: pytest.MonkeyPatch, lasts: Lasts, *actions: Action) -> Simulation:
    """A fault with these very actions."""
    monkeypatch.setattr(loading, "actions_of", lambda fault, place: actions)
    return faulty(Fault("f", AT_5_MU, mode="ACT-04", lasts=lasts))


def test_a_killed_controller_ends_the_run_and_the_safety_channel_ends_the_beam(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = doing(monkeypatch, Lasts(), Process("kill"))
    assert isinstance(sim.error, ControllerGone) and sim.plant.safety["permit"][0] == 0.0
    assert sim.plant.beam["true_total_mu"][0] < 5.0 + 0.7


def test_a_controller_that_was_frozen_finds_the_chain_open_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    assert trips(doing(monkeypatch, Lasts(s=0.2), Process("freeze")))[0] == "WDG"


@pytest.mark.parametrize(("skipped", "notices"), [
    ("MLC_POS", "EVAL_COUNT"), ("EVAL_COUNT", "EVAL_WATCH"), ("EVAL_WATCH", "EVAL_COUNT")])
def test_a_check_that_is_not_evaluated_is_missed(monkeypatch: pytest.MonkeyPatch, skipped: str, notices: str) -> None:
    assert trips(doing(monkeypatch, Lasts(s=2.0), Process("skip_check", row=skipped)))[0] == notices


def test_a_link_that_is_late_holds_the_beam(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = doing(monkeypatch, Lasts(s=1.0), Link("mlc", "in", Behaviour.DELAY, cycles=5))
    assert trips(sim)[0] == "DATA_STALE" and sim.injector.evidence()[0].activated


def test_an_open_door_is_effective_at_once_and_interrupts(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = doing(monkeypatch, Lasts(s=2.0), Act("open_door", "close_door"))
    (found,) = sim.injector.evidence()
    assert found.effective_cycle == found.injected_cycle and "DOOR" in trips(sim)


def test_a_reading_that_freezes_while_its_axis_stands_is_not_effective() -> None:
    order = order_for(machine(), [small_static(machine(), mu=20.0)])
    sim = Simulation(order, faults=Schedule("test", (Fault("f", IN_BEAM, signal="gantry.readback", behaviour="freeze"),)))
    sim.run()
    assert sim.error is None and not sim.injector.evidence()[0].activated


def test_a_line_that_loses_frames_holds_the_beam_and_says_when_it_lost_the_first() -> None:
    order = replace(order_for(), links={"mlc": parse_url("loopback:")})
    cut = Fault("f", AT_5_MU, mode="LNK-02", set={"link": "mlc"}, lasts=Lasts(s=0.5))
    sim = Simulation(order, faults=Schedule("test", (cut,)))
    sim.run()
    (found,) = sim.injector.evidence()
    assert found.activated and found.effective_cycle - found.injected_cycle <= 2 and trips(sim)


def test_a_line_fault_in_a_session_without_that_line_acts_on_its_wires_instead() -> None:
    sim = faulty(Fault("f", AT_5_MU, mode="LNK-02", set={"link": "mlc"}, lasts=Lasts(s=0.5)))
    assert sim.injector.evidence()[0].activated and trips(sim)


def test_a_plan_that_is_damaged_when_it_is_read_never_becomes_a_session() -> None:
    with pytest.raises(PlanError):
        faulty(Fault("f", When(phase="load"), mode="DAT-03", set={"kind": "mlc_missing"}))


def test_an_edit_at_the_console_is_effective_and_prevents_the_beam() -> None:
    sim = faulty(Fault("f", When(phase="arm"), mode="OPR-01", set={"field": "mu"}))
    assert sim.injector.evidence()[0].activated and sim.plant.beam["true_total_mu"][0] == 0.0


def test_a_process_that_is_away_for_a_while_comes_back_by_itself() -> None:
    sim = faulty(Fault("f", AT_5_MU, mode="CTL-03", set={"dur_ms": 200}))
    (found,) = sim.injector.evidence()
    assert found.cleared_cycle - found.injected_cycle == 20 and trips(sim)[0] == "WDG"


def test_a_schedule_is_the_same_after_it_was_written_down() -> None:
    fault = Fault("f", When(mu=0.0, beam=2), parameter="plant.mlc[4].moves", value=0.0, lasts=Lasts(s=0.5, every_s=1.0, times=3))
    schedule = Schedule("test", (fault, Fault("g", When(fault="f", event="cleared", after_s=0.5), mode="ACT-04", set={"leaf": 0})))
    again = schedule_from(json.loads(json.dumps(schedule.data)))
    assert again == schedule and again.sha256 == schedule.sha256


@pytest.mark.parametrize(("when", "mode", "complaint"), [
    (When(mu=5.0), "DAT-03", "does not bite in phase beam_on"), (When(phase="imaging"), "IMG-01", "takes no images"),
])
def test_a_mode_that_cannot_be_had_in_this_phase_or_session_is_refused(when, mode, complaint) -> None:
    with pytest.raises(FaultScheduleError, match=complaint):
        Simulation(order_for(), faults=Schedule("test", (Fault("f", when, mode=mode),)))


@pytest.mark.parametrize(("when", "complaint"), [
    (When(mu=500.0), "500 MU never come"), (When(mu=5.0, beam=7), "this fraction has 1"), (When(control_point=400), "never comes"),
    (When(phase="imaging"), "takes no images"), (When(at_s=1e5), "ends after"),
    (When(message=3, link="gantri"), "did you mean gantry"),
    (When(truth="plant.beam.true_muu >= 3"), "did you mean true_mu"), (When(truth="plant.beam.true_mu > 3"), "write it like"),
])
def test_a_moment_that_cannot_come_is_refused_before_anything_runs(when, complaint) -> None:
    with pytest.raises(FaultScheduleError, match=complaint):
        Simulation(order_for(), faults=Schedule("test", (Fault("f", when, signal="gantry.readback", behaviour="freeze"),)))


@pytest.mark.parametrize(("given", "complaint"), [
    ({"signal": "gantri.readback", "behaviour": "nan"}, "did you mean gantry"),
    ({"signal": "gantry.readbak", "behaviour": "nan"}, "did you mean readback"),
    ({"signal": "mlc[500].readback", "behaviour": "nan"}, "none of them is 500"),
    ({"signal": "gantry.readback", "behaviour": "freze"}, "did you mean freeze"),
    ({"signal": "gantry.readback", "behaviour": "bias"}, "needs a size"),
    ({"signal": "beam.pulses", "behaviour": "nan"}, "whole numbers"),
    ({"parameter": "plant.mlc[3].mooves", "value": 0.0}, "did you mean moves"),
    ({"parameter": "gantry.readback", "value": 0.0}, "one of the plant"),
    ({"mode": "ACT-99"}, "unknown"),
    ({"mode": "ACT-04", "set": {"leaf": 400}}, "not from 0"),
])
def test_what_is_not_there_is_refused_before_anything_runs(given, complaint) -> None:
    with pytest.raises(FaultScheduleError, match=complaint):
        Simulation(order_for(), faults=Schedule("test", (Fault("f", AT_5_MU, **given),)))


def test_a_fault_of_the_first_set_up_begins_once() -> None:
    sim = faulty(Fault("f", When(phase="setup"), signal="gantry.readback_2", behaviour="bias", size=0.1))
    assert sim.injector.evidence()[0].times == 1 and sim.injector.evidence()[0].activated


def test_a_bit_that_turns_over_in_the_goal_of_the_couch_while_the_beam_is_on_does_not_move_it() -> None:
    sim = faulty(Fault("f", When(phase="beam_on"), mode="CTL-11", set={"field": "couch"}))
    (found,), rows = sim.injector.evidence(), sim.trace.rows()
    after = rows["couch"][rows["cycle"] >= found.effective_cycle]
    assert found.activated and len(after) > 100 and np.ptp(after, axis=0).max() < 0.1  # mm, deg


def test_a_word_of_memory_that_is_not_there_is_refused_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FaultScheduleError, match="did you mean vertical"):
        doing(monkeypatch, Lasts(), Memory("control.couch[verticl].goal", flip_bit=1))


def test_a_motor_that_creeps_is_effective_at_once_and_due_where_it_is_too_far() -> None:
    order = order_for()
    rows = tuple(row for row in order.table.rows if row.id != "COUCH_LOOSE")  # which takes its power away before it is too far
    order = replace(order, table=order.table.model_copy(update={"rows": rows}))
    sim = Simulation(order, faults=Schedule("test", (Fault("f", IN_BEAM, parameter="plant.couch[0].slides", value=2.0),)))
    sim.run()
    (found,), trace = sim.injector.evidence(), sim.trace.rows()
    assert found.effective_cycle is not None and found.due_cycle is not None and found.due_cycle > found.effective_cycle + 20
    off = abs(trace["couch"][:, 0] - trace["couch_set"][:, 0])
    (at,) = np.flatnonzero(trace["cycle"] == found.due_cycle)
    assert off[at] > 0.9 and off[at - 2] < 1.1  # mm


def still(*faults: Fault) -> Simulation:
    """One open field: nothing moves in the beam."""
    sim = Simulation(order_for(machine(), [small_static(machine(), mu=20.0)]), faults=Schedule("test", faults))
    sim.run()
    return sim


def test_an_encoder_that_freezes_where_nothing_moves_is_never_due() -> None:
    second = still(Fault("f", IN_BEAM, parameter="plant.gantry.freeze_2", value=1.0))
    assert not second.injector.evidence()[0].activated and second.error is None
    first = still(Fault("f", IN_BEAM, parameter="plant.gantry.freeze", value=1.0))
    assert first.injector.evidence()[0].due_cycle is None and first.error is None


def test_a_setpoint_that_lies_is_due_once_the_machine_has_followed_it() -> None:
    sim = faulty(Fault("f", IN_BEAM, mode="ACT-10", set={"d_mm": 8.0}))
    (found,) = sim.injector.evidence()
    assert found.due_cycle is not None and found.effective_cycle is not None
    assert found.effective_cycle + 5 < found.due_cycle < found.effective_cycle + 60 and trips(sim)[0] == "COUCH_LOOSE"


def test_a_counter_that_is_off_by_less_than_channels_may_be_apart_is_not_due_yet() -> None:
    sim = still(Fault("f", AT_5_MU, parameter="plant.chambers[1].gain", value=0.5))
    (found,) = sim.injector.evidence()
    assert found.due_cycle is not None and found.due_cycle > (found.effective_cycle or 0) + 2


@pytest.mark.parametrize("order", [("frozen", "drift"), ("drift", "frozen")])
def test_what_one_fault_moves_by_and_by_is_no_effect_of_another(order: tuple[str, str]) -> None:
    both = {"frozen": Fault("frozen", AT_5_MU, parameter="plant.gantry.freeze_2", value=1.0),
            "drift": Fault("drift", AT_5_MU, mode="PLT-10", set={"axis": "transverse", "pct": 2.0, "ramp_s": 10.0})}
    sim = still(*(both[name] for name in order))
    found = {one.id: one for one in sim.injector.evidence()}
    assert found["drift"].activated and not found["frozen"].activated and sim.error is None


@pytest.mark.parametrize(("mode", "within"), [
    ({"mode": "SEN-04"}, 5), ({"mode": "SEN-15", "set": {"sensor": "gantry", "kind": "republish_old"}}, 5),
    ({"mode": "SEN-15", "set": {"sensor": "gantry", "kind": "slow_rate", "age_ms": 500.0}}, 20)])
def test_two_encoders_that_freeze_together_are_effective_where_nothing_moves_too(mode: dict[str, Any], within: int) -> None:
    sim = still(Fault("f", IN_BEAM, **mode))
    (found,) = sim.injector.evidence()
    assert found.effective_cycle == found.injected_cycle and found.due_cycle is None
    assert trips(sim)[0] == "GANTRY_STILL" and sim.linac.panel.history[0].cycle - found.effective_cycle <= within


@pytest.mark.parametrize("twice", [
    {"mode": "PLT-01", "set": {"accel_deg_per_s2": 15.0}}, {"parameter": "plant.couch[0].slides", "value": 30.0}])
def test_faults_that_do_the_same_do_not_hide_each_other(twice: dict[str, Any]) -> None:
    sim = still(Fault("a", IN_BEAM, **twice), Fault("b", When(fault="a"), **twice))
    a, b = sim.injector.evidence()
    assert a.injected_cycle == b.injected_cycle and a.activated and trips(sim)
    assert not sim.verdicts().violated


@pytest.mark.parametrize("way", ["out", "both"])
def test_a_line_that_carries_old_orders_is_due_when_the_device_gives_itself_up(way: str) -> None:
    sim = still(Fault("f", IN_BEAM, mode="LNK-02", set={"link": "couch", "direction": {"out": "tx", "both": "both"}[way]}))
    (found,) = sim.injector.evidence()
    assert found.due_cycle is not None and trips(sim)
    if way == "out":  # ten cycles old is old enough; the controller sees the power gone, and never before the fault was there
        assert found.due_cycle - found.injected_cycle == 10 and trips(sim)[0] == "DRIVE_PLAUS"
        assert next(trip.cycle for trip in sim.linac.panel.history) >= found.due_cycle


def test_a_phase_that_is_entered_again_is_not_waited_for_again() -> None:
    again = Fault("again", When(phase="setup", after_s=0.5), signal="gantry.readback", behaviour="gain", size=1.0,
                  lasts=Lasts(blip=True, every_s=0.3, times=60))
    sim = faulty(again)
    entered = [event.cycle for event in sim.events if event.what in ("step SetUp", "step ClearRoom")]
    begun = [event.cycle for event in sim.events if event.what == "again injected"]
    assert len(entered) == 2 and begun == [entered[0] + 50 + 30 * k for k in range(60)] and entered[1] < begun[-1]


def test_a_couch_that_falls_as_fast_as_it_can_rests_within_three_millimetres_of_its_stop() -> None:
    sim = still(Fault("f", When(phase="load"), mode="PLT-04", set={"v_mm_per_s": 200.0}, lasts=Lasts(blip=True)))
    assert sim.injector.evidence()[0].activated and trips(sim)
    assert "SI-17" not in {verdict.id for verdict in sim.verdicts().violated}


def test_a_fault_that_ends_stops_its_own_ramp_and_no_other() -> None:
    skew = {"mode": "PLT-10", "set": {"axis": "transverse", "pct": 2.0, "ramp_s": 0.1}}
    short = Fault("short", AT_5_MU, lasts=Lasts(s=0.5), **skew)
    other = Fault("other", When(fault="short", after_s=0.3), mode="PLT-10", set={"axis": "radial", "pct": 2.0, "ramp_s": 10.0})
    sim = still(short, other)
    cleared = next(event.cycle for event in sim.events if event.what == "short cleared")
    begun = next(event.cycle for event in sim.events if event.what == "other injected")
    went = float(sim.plant.beam["asymmetry_x"][0]) / 0.02 * 1000.0  # cycles of its ramp
    assert begun < cleared < sim.engine.cycle - 50 and float(sim.plant.beam["asymmetry_y"][0]) == 0.0
    assert abs(went - min(1000, sim.engine.cycle - begun)) <= 2
