"""Verbs and predicates on a machine of the test's own."""

import subprocess
import sys

import pytest

from linac_ctl.errors import UsageError
from linac_ctl.testing import (
    Predicate,
    at_mu,
    beam_off,
    beam_on,
    door_open,
    finished,
    first_out,
    interlock,
    phase,
    pulses,
    still,
    tripped,
)


def test_looking_changes_no_bits(new_linac):
    watched, blind = new_linac(), new_linac()
    watched.until(at_mu(2.0))
    watched.always(beam_on, for_s=0.5)
    watched.until(phase("stopped") | finished | at_mu(30.0))
    blind.step(watched.cycle)
    assert watched.sim.finish() == blind.sim.finish()


def test_until_stops_in_the_first_cycle_in_which_it_is_so(linac):
    before: list[float] = []
    linac.until(lambda m: before.append(m.mu) or m.mu >= 2.0)
    assert before[-1] == linac.mu >= 2.0 and max(before[:-2]) < 2.0


def test_what_does_not_come_in_time_is_an_assertion_that_says_what_is_there(linac):
    with pytest.raises(AssertionError, match=r"at 5 MU: within 1 s of 0.00 s: not so; now, at 1.00 s \(cycle 100\): beam None"):
        linac.until(at_mu(5.0), within_s=1.0)


def test_what_does_not_last_is_an_assertion_that_says_when_it_ended(linac, operator):
    linac.until(at_mu(2.0))
    operator.open_door()
    with pytest.raises(AssertionError, match=r"beam on: for 1 s from .* on; no longer so after 10 ms"):
        linac.always(beam_on, for_s=1.0)


def test_a_session_that_ends_ends_the_waiting(linac):
    with pytest.raises(AssertionError, match=r"at 1000 MU.*the session ended first \(delivered\)"):
        linac.until(at_mu(1000.0))
    assert linac.sim.finished and linac.error is None


def test_a_beam_of_that_number_and_not_the_one_before_it(linac):
    linac.until(at_mu(20.0, beam=2))
    assert linac.beam == 2 and 20.0 <= linac.mu < 20.2
    assert linac.total_mu == pytest.approx(85.0, abs=0.5)


def test_predicates_join_and_say_what_they_see(linac, operator):
    both = beam_off & ~door_open
    assert both(linac) is False and both.name == "beam off and not door open" and "the door is open" in both.says(linac)
    operator.close_door()
    assert both(linac) and (pulses | still)(linac)


def test_rows_are_in_force_have_tripped_and_came_first(linac, operator):
    linac.until(at_mu(2.0))
    assert not tripped("DOOR")(linac)
    operator.open_door()
    linac.expect(interlock("DOOR"), within_ms=20)
    linac.expect(first_out("DOOR") & tripped("DOOR"))
    linac.finish()
    assert not interlock("DOOR")(linac) and tripped("DOOR")(linac)


@pytest.mark.parametrize("wrong", [{"within_ms": 15.0}, {"within_ms": -10.0}, {"for_ms": 1.0}])
def test_parts_of_a_cycle_are_no_time(linac, wrong):
    with pytest.raises(UsageError, match="whole cycles of 10 ms"):
        linac.expect(lambda m: True, **wrong)


def test_hands_do_what_hands_can_and_it_is_on_record(linac, operator):
    operator.open_door()
    (event,) = [event for event in linac.sim.events if event.what == "open_door"]
    assert (event.who, event.role, event.why) == ("anna", "therapist", "test")
    with pytest.raises(AttributeError, match="hands cannot 'opendoor'; they can open_door"):
        operator.opendoor()


def test_a_question_is_a_function(linac):
    with pytest.raises(TypeError, match="no question"):
        linac.until("beam off")
    assert isinstance(beam_off, Predicate)


def test_a_pytest_without_our_fixtures_imports_nothing_heavy():
    code = ("import sys, linac_ctl.testing.plugin, linac_ctl.testing; "
            "print([m for m in ('numpy', 'numba', 'pydantic', 'linac_ctl.app') if m in sys.modules])")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
