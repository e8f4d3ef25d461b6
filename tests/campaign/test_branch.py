"""A branch of a session in progress is bit for bit the run that began anew with the same fault; a copy that dies is noticed."""

import gc
import os
import signal
from dataclasses import replace

import pytest

from device_models.faults.fault import Fault, When
from linac_ctl.app import Simulation
from linac_ctl.campaign import runner
from linac_ctl.campaign.arming import Instant, armed_late, instant, nothing
from linac_ctl.campaign.branch import settled
from linac_ctl.campaign.case import Case, Labels, schedule_text
from linac_ctl.judged import foresee, planned_s, standing

SESSION = "faults_short"


def beam_on(after_s: float) -> dict:
    return {"phase": "beam_on", "after_s": after_s}


def case(*faults: dict, position: int = 0) -> Case:
    named = [{"id": f"f{k + 1}"} | fault for k, fault in enumerate(faults)]
    modes = " ".join(fault["mode"] for fault in faults if "mode" in fault)
    return Case(position, f"x{position}", "grid", SESSION, 1, schedule_text(named, "x"), Labels(modes, "beam_on"), way="fork")


def rows(*cases: Case) -> dict:
    return {row.case_id: row for row in runner.run_batch(cases)}


BRANCHES = [
    ({"mode": "DOS-01", "when": beam_on(0.5)},),  # a wire
    ({"mode": "SEN-01", "when": beam_on(0.0)},),  # in the very cycle in which its phase begins
    ({"mode": "PLT-04", "when": {"phase": "setup", "after_s": 0.4}, "lasts": {"s": 1.0}},),  # a parameter, with a twin
    ({"signal": "nodes[mlc].sampled_cycle", "behaviour": "delay", "cycles": 40, "when": beam_on(0.3)},),  # looks back in time
    ({"mode": "LNK-01", "when": beam_on(1.0), "lasts": {"s": 0.2, "every_s": 0.5, "times": 3}},),  # luck, again and again
    ({"mode": "CTL-01", "when": beam_on(1.0)},),  # nobody is there any more
    ({"mode": "DOS-01", "when": beam_on(0.7)}, {"mode": "DOS-04", "when": beam_on(0.7)}),  # the same cycle
    ({"mode": "PLT-10", "when": beam_on(0.2)}, {"mode": "PLT-04", "when": {"phase": "terminate", "after_s": 0.1}}),
    ({"mode": "DOS-01", "when": beam_on(0.5)}, {"mode": "PLT-04", "when": {"fault": "f1", "event": "effective", "after_s": 0.05}}),
]


def test_every_branch_has_the_row_and_the_bits_of_the_run_from_the_beginning():
    cases = [case(*faults, position=k) for k, faults in enumerate(BRANCHES)]
    found = rows(*cases)
    for one in cases:
        branch, whole = found[one.id].stable(), runner.run_case(one).stable()
        assert found[one.id].fork_of.startswith("cycle ") and found[one.id].activated
        assert {name: (branch[name], value) for name, value in whole.items() if branch[name] != value} == {}


@pytest.mark.parametrize("faults", [
    ({"mode": "DOS-01", "when": {"mu": 5.0}},),  # nobody knows beforehand when
    ({"mode": "DOS-01", "when": {"at_s": 0.0}},),  # nothing comes before it
    ({"mode": "DOS-01", "when": {"phase": "imaging"}},),  # never comes here
])
def test_what_cannot_branch_is_done_from_its_beginning(faults):
    assert rows(case(*faults))["x0"].way == "whole"


def test_a_copy_that_dies_is_replaced_and_reported(tmp_path, monkeypatch):
    end, mark = runner.end, tmp_path / "died"

    def once(sim):
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return end(sim)

    one = case(*BRANCHES[0])
    runner.trunk_of(one)
    monkeypatch.setattr(runner, "end", once)
    assert (found := rows(one)["x0"]).retries == 1 and found.digest


def test_a_copy_that_dies_every_time_is_a_row_that_says_how(monkeypatch):
    one = case(*BRANCHES[0])
    runner.trunk_of(one)
    monkeypatch.setattr(runner, "end", lambda sim: os.kill(os.getpid(), signal.SIGKILL))
    found = rows(one)["x0"]
    assert (found.verdict, found.retries) == ("crashed", 2) and "killed by signal 9, 2 times" in found.reason


def test_many_branches_are_judged_in_portions_and_a_fault_that_cannot_be_armed_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr("linac_ctl.campaign.branch.AT_ONCE", 2)
    wrong = case({"signal": "gantry.nowhere", "behaviour": "freeze", "when": beam_on(0.1)}, position=7)
    cases = [wrong, *[case(*BRANCHES[k], position=k) for k in (0, 2, 6)]]
    found = rows(*cases)
    assert found["x7"].verdict == "not_reachable" and "nowhere" in found["x7"].reason and found["x7"].retries == 0
    assert {found[one.id].digest == runner.run_case(one).digest for one in cases[1:]} == {True}


def test_instants_are_entry_and_delay_in_cycles_or_unknown():
    entered = {"beam_on": 2451}
    assert instant(When(phase="beam_on", after_s=0.5), entered) == Instant(2451, 2501)
    assert instant(When(at_s=3.0), entered) == Instant(300, 300)
    for unknown in (When(phase="hold"), When(mu=3.0), When(phase="beam_on", beam=2), When(fault="a")):
        assert instant(unknown, entered) is None


def test_a_fault_whose_moment_has_come_is_armed_for_what_is_left_of_its_delay():
    fault = Fault("f", When(phase="beam_on", after_s=0.5), signal="beam.mu_1", behaviour="freeze")
    assert armed_late(fault, Instant(2451, 2501), 2498) == replace(fault, when=When(at_s=25.01))
    assert armed_late(fault, Instant(2451, 2501), 2450) is fault


def test_what_is_the_same_for_every_run_is_worked_out_before_the_first_copy():
    sim = Simulation(runner.order_of(case()), faults=nothing())
    foresee(sim.order)
    before = standing.cache_info().misses, planned_s.cache_info().misses
    sim.run()
    assert sim.verdicts().judged and (standing.cache_info().misses, planned_s.cache_info().misses) == before


def test_orders_that_differ_in_nothing_are_one_order():
    one, other = case(), replace(case(), seed=2)
    assert runner.seeded(one) is runner.seeded(one) and runner.seeded(other).seed == 2 != runner.seeded(one).seed
    runner.adopt(one, replace(runner.order_of(one), reaction_s=0.5))
    try:
        assert runner.seeded(one).reaction_s == 0.5  # not the one that was made of the order before
    finally:
        runner._orders.clear()


def test_garbage_is_collected_again_once_the_copies_are_made_even_if_one_of_them_goes_wrong():
    with pytest.raises(KeyError), settled():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()
