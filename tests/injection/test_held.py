"""What several faults have changed goes back when the last of them has gone, in whatever order they go."""

from hypothesis import given
from hypothesis import strategies as st

from device_models.faults.fault import Fault, Lasts, When
from device_models.referee.columns import Flag
from linac_ctl.app import Simulation
from linac_ctl.errors import ControllerGone
from linac_ctl.injection.held import Held
from linac_ctl.injection.schedule import Schedule
from tests.support import machine, order_for, small_static

IN_BEAM = When(phase="beam_on", after_s=0.5)


def still(*faults: Fault) -> Simulation:
    """One open field: nothing moves in the beam."""
    sim = Simulation(order_for(machine(), [small_static(machine(), mu=20.0)]), faults=Schedule("test", faults))
    sim.run()
    return sim


@given(st.lists(st.one_of(st.floats(-9.0, 9.0), st.none()), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_a_thing_is_as_it_was_once_nobody_holds_it_and_as_the_latest_wants_it_until_then(values: list[float | None],
                                                                                         order: object) -> None:
    held, now = Held(), 77.0
    holders = []
    for value in values:
        holders.append(held.take("thing", now, value))
        now = now if value is None else value
    left = [*holders]
    for holder in sorted(holders, key=lambda _: order.random()):  # type: ignore[attr-defined]
        latest = left[-1] is holder
        left.remove(holder)
        said, alone = held.release("thing", holder)
        assert alone is (not left)
        assert said == (77.0 if not left else left[-1].value if latest else None)
    again = held.take("thing", 5.0, 6.0)
    assert held.release("thing", again) == (5.0, True)


def test_a_blip_does_not_end_what_another_fault_does_for_good() -> None:
    dead = {"parameter": "plant.chambers[1].hv_v", "value": 0.0}
    sim = still(Fault("for good", IN_BEAM, **dead), Fault("blip", When(fault="for good"), lasts=Lasts(blip=True), **dead))
    assert float(sim.plant.chambers["hv_v"][1]) == 0.0


def test_the_first_to_come_may_be_the_first_to_go() -> None:
    path, before = "plant.chambers[1].gain", float(still().plant.chambers["gain"][1])
    sim = still(Fault("a", IN_BEAM, parameter=path, value=1.001, lasts=Lasts(s=0.2)),
                Fault("b", When(fault="a", after_s=0.1), parameter=path, value=1.002, lasts=Lasts(s=0.3)),
                Fault("look", When(fault="a", event="cleared", after_s=0.05), signal="gantry.readback", behaviour="gain", size=1.0))
    assert sim.error is None and float(sim.plant.chambers["gain"][1]) == before
    cleared = {event.what: event.cycle for event in sim.events if event.who == "fault"}
    assert cleared["a cleared"] < cleared["b cleared"]


def test_a_process_that_is_killed_does_not_live_again_because_a_pause_of_it_ends() -> None:
    sim = still(Fault("killed", IN_BEAM, mode="CTL-01"),
                Fault("paused", When(fault="killed"), mode="CTL-03", set={"dur_ms": 100}))
    assert isinstance(sim.error, ControllerGone)


def test_two_pauses_of_a_process_last_as_long_as_the_longer_one() -> None:
    sim = still(Fault("long", IN_BEAM, mode="CTL-03", set={"dur_ms": 400}),
                Fault("short", When(fault="long"), mode="CTL-03", set={"dur_ms": 100}))
    rows = sim.trace.rows()
    assert int(((rows["bits"] & int(Flag.ALIVE)) == 0).sum()) == 40


def test_a_bypass_stays_in_until_the_last_of_those_who_put_it_there_takes_it_out() -> None:
    put = {"mode": "SAF-08", "set": {"key": "door"}}
    sim = still(Fault("for good", When(phase="arm"), **put),
                Fault("blip", When(fault="for good"), lasts=Lasts(blip=True), **put))
    assert float(sim.plant.room["bypass"][0]) == 1.0 and not sim.plant.beam["true_total_mu"][0]
