"""Latent faults of the other channel: found by its self-test before every beam, not by the accident."""

from typing import Any

import pytest

from device_models.plant import step_plant
from tests.injection.alter import at_mu, at_s, run, static
from tests.support import Run

HEARTBEAT_BIT, ESTOP_BIT = 4, 16
PRESCRIBED_MU = 30.0
ONE_CYCLE_PULSES = 4  # the controller's own scan takes the permit away; those of that cycle have been given


def put(part: str, field: str, value: float) -> Any:
    """A parameter of the machine."""
    def do(bench: Any) -> None:
        getattr(bench.plant, part)[field] = value
        bench.altered.append(type("Put", (), {"cycle": bench.engine.cycle + 1})())
    return do


@pytest.mark.parametrize(("field", "value", "words"), [
    ("dead", HEARTBEAT_BIT, "heartbeat"), ("dead", ESTOP_BIT, "estop"), ("stuck_permit", 1.0, "PERMIT_WELD"),
])
def test_a_watchdog_or_relay_that_would_not_act_is_found_before_the_first_beam(field: str, value: float, words: str) -> None:
    bench = run(static(), at_s(0.01, put("safety", field, value)))
    assert bench.effective and bench.mu(1) == 0.0 and words in str(bench.error)


def pulses_after(bench: Any, cycles: int = 50) -> int:
    """From the effect on."""
    at = bench.effective
    return int(sum(row[4] for row in bench.seen if at <= row[0] < at + cycles))


def test_a_channel_that_says_no_during_the_beam_stops_it_at_once_and_its_reason_is_named() -> None:
    bench = run(static(), at_mu(1, 10.0, put("safety", "loaded", 0.0)))
    assert pulses_after(bench) == 0 and set(bench.tripped()) & {"PERMIT_DIS", "LIMITS_LOADED", "ECHO_MISMATCH"}
    assert bench.mu(1) <= PRESCRIBED_MU + 0.2


@pytest.mark.parametrize(("wire", "row"), [("touchguard_ok", "TOUCHGUARD"), ("estop_ok", "ESTOP"), ("mains_ok", "POWER")])
def test_an_input_that_says_no_for_no_reason_stops_the_machine_safely_and_has_a_name(wire: str, row: str) -> None:
    bench = run(static(), at_mu(1, 10.0, put("room", wire, 0.0)))
    trip = next(trip for trip in bench.linac.panel.history if trip.id == row)
    assert trip.cycle == bench.effective and trip.first_out and pulses_after(bench) <= ONE_CYCLE_PULSES


@pytest.mark.parametrize("contact", ["door_stuck", "bar_stuck", "guard_stuck"])
def test_one_welded_contact_never_hides_what_the_other_one_says(contact: str) -> None:
    act = {"door_stuck": "open_door", "bar_stuck": "release_bar", "guard_stuck": "touch_guard"}[contact]
    row = {"door_stuck": "DOOR", "bar_stuck": "", "guard_stuck": "TOUCHGUARD"}[contact]
    bench = run(static(), at_mu(1, 9.0, put("room", contact, 1.0)), at_mu(1, 10.0, lambda b: b.staff.hands.do(act)))
    assert bench.effective and (not row or row in bench.tripped())
    assert bench.mu(1) <= PRESCRIBED_MU + 0.2


def weld(*contacts: str) -> Any:
    """Closed for ever, from before anybody came."""
    def do(bench: Any) -> None:
        for contact in contacts:
            bench.plant.room[contact] = 1.0
        bench.altered.append(type("Put", (), {"cycle": bench.engine.cycle + 1})())
    return do


@pytest.mark.parametrize("contacts", [("door_stuck",), ("door_stuck_2",), ("door_stuck", "door_stuck_2")], ids=len)
def test_door_contacts_that_never_said_open_prevent_the_first_beam(contacts: tuple[str, ...]) -> None:
    bench = run(static(), at_s(0.01, weld(*contacts)))
    assert bench.effective and bench.mu(1) == 0.0 and "DOOR" in str(bench.error)


def test_dose_per_pulse_that_is_a_fifth_too_high_ends_the_beam_within_20_ms() -> None:
    bench = run(static(), at_mu(1, 10.0, put("beam", "pulse_factor", 1.2)))
    trip = bench.linac.panel.history[-1]
    assert trip.id == "PULSE_HIGH" and trip.cycle - bench.effective < 2 and bench.last_pulse_ms < 20.0


@pytest.mark.parametrize(("mode", "rate_mu_per_s"), [("6X", 10.0), ("10FFF", 40.0)])
def test_a_machine_whose_controller_is_gone_ends_the_beam_by_itself_within_60_ms(mode: str, rate_mu_per_s: float) -> None:
    sim = Run(static(mode=mode))
    while sim.plant.beam["true_mu"][0] < 5.0:
        sim.step(1)
    before, pulses = float(sim.plant.beam["true_mu"][0]), []
    for cycle in range(sim.engine.cycle + 1, sim.engine.cycle + 30):  # nobody writes the wires any more
        step_plant(sim.plant, sim.image, cycle)
        pulses.append(int(sim.plant.beam["pulses_now"][0]))
    assert pulses[0] > 0 and not any(pulses[5:])  # 50 ms from here, 60 ms after the last word of the controller
    assert sim.plant.beam["true_mu"][0] - before <= 0.07 * rate_mu_per_s
    assert sim.plant.safety["permit"][0] == 0.0
