"""A controller that begins again, and one whose tasks are gone: nothing is given twice, and somebody says so at once."""

import pytest

from device_models.faults.fault import Fault, Lasts, When
from linac_ctl.app import Simulation
from linac_ctl.errors import DeviceError, RefusedError
from linac_ctl.injection.schedule import Schedule
from tests.support import order_for, quick, small_static

PRESCRIBED_MU = 20.0


def ran(*faults: Fault) -> Simulation:
    """A field of 20 MU with these faults, which acted."""
    order = order_for(quick(), [small_static(quick(), mu=PRESCRIBED_MU, mode="6X")], reaction_s=0.1)
    sim = Simulation(order, faults=Schedule("some", faults))
    sim.run()
    assert all(found.activated for found in sim.injector.evidence())
    return sim


def given_mu(sim: Simulation) -> float:
    """Truth, since power-up."""
    return float(sim.plant.beam["true_total_mu"][0])


def effective(sim: Simulation) -> int:
    """In which cycle the first fault began to act."""
    found = sim.injector.evidence()[0].effective_cycle
    assert found is not None
    return found


def test_a_restart_with_a_fresh_journal_gives_what_is_left_and_the_referee_counts_it_once() -> None:
    sim = ran(Fault("it", When(mu=8.0), mode="CTL-13"))
    assert sim.error is None and given_mu(sim) == pytest.approx(PRESCRIBED_MU, abs=0.2)
    assert sim.true_mu()[1] == pytest.approx(given_mu(sim), abs=1e-6)
    assert not {"SI-05", "SI-09", "SI-15", "SI-30"} & {verdict.id for verdict in sim.verdicts().violated}


def test_a_journal_that_is_half_a_second_old_is_set_right_by_what_the_second_channel_has_counted() -> None:
    sim = ran(Fault("it", When(mu=8.0), mode="CTL-13", set={"age_s": 0.5}))
    assert sim.error is None and given_mu(sim) == pytest.approx(PRESCRIBED_MU, abs=0.2)
    assert any("set right" in event.what for event in sim.events)


def test_a_journal_of_an_hour_ago_is_refused_before_another_pulse() -> None:
    sim = ran(Fault("it", When(mu=8.0), mode="CTL-13", set={"age_s": 3600.0}))
    assert isinstance(sim.error, RefusedError) and "the safety channel has counted 8." in str(sim.error)
    assert given_mu(sim) == pytest.approx(8.0, abs=0.5)


@pytest.mark.parametrize("when", [When(mu=8.0), When(phase="beam_on"), When(phase="arm", after_s=0.2)])
def test_a_session_whose_task_is_cancelled_takes_the_beam_away_at_once_and_says_why(when: When) -> None:
    sim = ran(Fault("it", when, mode="CTL-06", set={"kind": "cancel"}))
    first = sim.linac.panel.history[-1]
    assert first.id == "TASK_ALIVE" and first.cycle <= effective(sim) + 2
    assert isinstance(sim.error, DeviceError) and "nobody had asked for that" in str(sim.error)
    late = sim.trace.rows()["cycle"][sim.trace.rows()["pulses"] > 0]
    assert not (late > effective(sim) + 2).any()


@pytest.mark.parametrize("kind", ["cancel", "timeout"])
@pytest.mark.parametrize("when", [When(mu=8.0), When(fault="one", after_s=0.01), When(fault="one", after_s=0.05)])
def test_two_of_them_still_come_to_a_clear_end(kind: str, when: When) -> None:
    sim = ran(Fault("one", When(mu=8.0), mode="CTL-06", set={"kind": "timeout"}),
              Fault("two", when, mode="CTL-06", set={"kind": kind}))
    assert sim.finished and given_mu(sim) <= PRESCRIBED_MU + 0.2


def test_a_device_whose_task_is_gone_is_not_taken_for_one_that_has_arrived() -> None:
    sim = ran(Fault("it", When(phase="idle"), mode="CTL-05", set={"task": "mlc"}))
    trip = sim.linac.panel.history[0]
    assert trip.id == "TASK_ALIVE" and trip.cycle <= effective(sim) + 2
    assert given_mu(sim) == 0.0 and sim.error is not None


def test_a_couch_whose_task_is_gone_in_the_set_up_is_not_taken_for_one_that_has_arrived() -> None:
    sim = ran(Fault("it", When(phase="idle"), mode="CTL-05", set={"task": "couch"}))
    trip = sim.linac.panel.history[0]
    assert trip.id == "TASK_ALIVE" and trip.cycle <= effective(sim) + 2
    assert given_mu(sim) == 0.0 and "set up again" in str(sim.error)


def test_a_time_limit_that_runs_out_early_takes_the_beam() -> None:
    sim = ran(Fault("it", When(mu=8.0), mode="CTL-06", set={"kind": "timeout"}))
    trip = next(trip for trip in sim.linac.panel.history if trip.id == "TRANSITION_TIMEOUT")
    assert trip.cycle <= effective(sim) + 2 and given_mu(sim) < 8.6


def test_a_controller_that_starts_again_before_the_beam_waits_until_somebody_has_looked() -> None:
    sim = ran(Fault("it", When(phase="arm"), mode="CTL-13", set={"age_s": 21600.0}))
    assert "RECOVERY" in {trip.id for trip in sim.linac.panel.history}
    assert any("confirm recovery" in event.what for event in sim.events)


@pytest.mark.parametrize("where", ["on_enter_fault", "log", "ui", "device_write"])
def test_a_handler_that_raises_leaves_nobody_deaf_and_every_stop_has_its_cause_on_record(where: str) -> None:
    sim = ran(Fault("it", When(mu=8.0), mode="CTL-15", set={"where": where}))
    assert "TASK_ALIVE" in {trip.id for trip in sim.linac.panel.history} and given_mu(sim) < 9.5
    assert any("a handler failed" in event.what and "broken on purpose" in event.why for event in sim.events)
    assert not {"SI-01", "SI-28", "SI-29"} & {verdict.id for verdict in sim.verdicts().violated}


def test_all_handlers_may_raise_in_one_cycle() -> None:
    parts = ("on_enter_fault", "log", "ui", "device_write")
    sim = ran(*(Fault(where, When(mu=8.0), mode="CTL-15", set={"where": where}) for where in parts))
    assert sum("a handler failed" in event.what for event in sim.events) == len(parts)
    assert "TASK_ALIVE" in {trip.id for trip in sim.linac.panel.history} and given_mu(sim) < 9.5


def test_a_new_session_is_not_held_up_by_what_a_machine_that_kept_its_power_has_counted_for_the_last_one() -> None:
    sim = Simulation(order_for(quick(), [small_static(quick(), mu=PRESCRIBED_MU, mode="6X")], reaction_s=0.1))
    channel = sim.plant.safety  # as the patient before left it
    channel["mu_backup"], channel["preset_mu"], channel["time_limit_s"], channel["loaded"] = 37.0, 37.0, 60.0, 1
    sim.run()
    assert sim.error is None and given_mu(sim) == pytest.approx(PRESCRIBED_MU, abs=0.2)


def test_what_was_on_record_before_a_restart_is_on_record_after_it() -> None:
    door = Fault("door", When(mu=4.0), mode="ROM-01", set={"dur_ms": 500.0}, lasts=Lasts(s=0.5))
    sim = ran(door, Fault("again", When(mu=12.0), mode="CTL-13"))
    assert {"DOOR", "RECOVERY"} <= {trip.id for trip in sim.linac.panel.history}
    assert "DOOR" in {reset["id"] for reset in sim.linac.panel.resets}
    assert not {"SI-26", "SI-28"} & {verdict.id for verdict in sim.verdicts().violated}
