"""Faults in tests: said in words, put in at an instant or waiting for theirs, with the proof that they acted."""

import pytest

from linac_ctl.errors import ConfigError, FaultScheduleError, RefusedError
from linac_ctl.replay.replay import replay
from linac_ctl.testing import at_mu, beam_off, finished
from linac_ctl.testing.artefacts import keep


def test_a_wire_lies_from_the_next_cycle_on_and_the_machine_reacts(linac, inject):
    linac.until(at_mu(5))
    fault = inject(signal="beam.mu_1", behaviour="freeze")
    assert not fault.acted and fault.since_effective_ms is None and fault.evidence.injected_cycle == linac.cycle + 1
    linac.expect(beam_off, within_ms=300)
    assert fault.acted and linac.first_out == ["RATE_PLAUS"] and 0.0 < fault.since_effective_ms <= 300.0


@pytest.mark.parametrize("how", [
    {"behaviour": "freeze"}, {"behaviour": "drop"}, {"behaviour": "stick", "size": 50.0}, {"behaviour": "replay", "cycles": 5},
], ids=lambda how: how["behaviour"])
def test_a_wire_that_stands_still_from_now_on_says_what_it_said_last(linac, inject, how):
    linac.until(at_mu(5))
    before = float(linac.sim.image.beam["mu_1"][0])
    inject(signal="beam.mu_1", **how)
    linac.step(3)
    assert linac.sim.image.beam["mu_1"][0] == before < linac.sim.image.beam["mu_2"][0]


def test_a_mode_takes_its_settings_as_words(linac, inject):
    fault = inject("ACT-04", leaf=18, when={"mu": 5})
    assert (fault.id, fault.evidence.state) == ("ACT-04", "waiting")
    linac.until(at_mu(6))
    assert fault.evidence.state == "active" and linac.sim.plant.mlc["moves"][18] == 0.0


def test_a_parameter_is_put_back_when_the_fault_goes(linac, inject):
    fault = inject(parameter="plant.mlc[17].moves", value=0.0, id="leaf")
    assert linac.sim.plant.mlc["moves"][17] == 0.0
    fault.clear()
    assert linac.sim.plant.mlc["moves"][17] == 1.0 and fault.evidence.state == "cleared"


def test_a_fault_that_is_cleared_before_its_moment_never_comes(linac, inject):
    fault = inject("ACT-04", leaf=18, when={"mu": 5})
    fault.clear()
    linac.until(at_mu(6))
    assert (fault.evidence.state, fault.evidence.injected_cycle, fault.acted) == ("cleared", None, False)


def test_a_fault_that_is_put_in_begins_once(linac, inject):
    fault = inject(signal="gantry.readback", behaviour="bias", size=0.05)
    linac.step(5)
    assert fault.evidence.times == 1


@pytest.mark.linac(faults="leaf_dies.yaml")
def test_a_mark_names_a_schedule_beside_the_test(linac):
    linac.until(beam_off & at_mu(10))
    assert {fault.id: fault.activated for fault in linac.evidence()} == {"leaf": True, "monitor": True}


def test_a_schedule_may_be_put_in_by_a_test(linac, inject):
    linac.until(at_mu(2))
    leaf, monitor = linac.inject_all("leaf_dies.yaml")
    linac.until(beam_off)
    assert leaf.evidence.state == "cleared" and monitor.acted and linac.first_out == ["RATE_PLAUS"]


@pytest.mark.parametrize("wrong, words", [
    (("ACT-4",), "did you mean ACT-04"), (("ACT-04", "leef"), "no setting 'leef'; did you mean leaf"),
])
def test_what_there_is_not_is_told_the_nearest(linac, inject, wrong, words):
    with pytest.raises(FaultScheduleError, match=words):
        inject(wrong[0], **dict.fromkeys(wrong[1:], 3))


def test_a_machine_that_is_not_armed_takes_no_fault(linac):
    with pytest.raises(RefusedError, match="not armed"):
        linac.inject("ACT-04")
    assert linac.evidence() == ()


def test_a_schedule_that_is_not_there_is_one_clear_error(new_linac):
    with pytest.raises(ConfigError, match="leaf_dyes"):
        new_linac(faults="leaf_dyes")


@pytest.mark.linac(faults="leaf_dies.yaml")
def test_a_run_with_faults_of_a_schedule_and_of_a_test_is_replayed_bit_for_bit(linac, operator):
    first = linac.inject(signal="room.clearance_mm", behaviour="noise", size=5.0, lasts={"s": 1.0})
    linac.until(at_mu(3))
    operator.open_door()
    linac.until(beam_off)
    operator.close_door()
    linac.until(finished)
    assert first.acted
    keep(linac)
    found = replay(linac.path)
    assert found.equal, found.divergence
    assert [one.id for one in found.sim.injector.evidence()] == ["leaf", "monitor", first.id]
