"""Findings of fault campaigns about plans, records and people: each as the smallest schedule that showed it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from device_models.faults.fault import Fault, Lasts, When
from linac_ctl.app import Simulation
from linac_ctl.errors import FaultScheduleError, PlanError
from linac_ctl.injection.schedule import Schedule
from linac_ctl.order import Order, resolve
from linac_ctl.outcome import create_folder
from linac_ctl.plan.expected import Expected
from tests.support import order_for, quick, small_static

LOAD = When(phase="load")


def session(folder: Path, name: str = "faults_short") -> Order:
    return resolve(name, scratch=folder)


def faulty(order: Order, **fault: Any) -> Simulation:
    sim = Simulation(order, faults=Schedule("one", (Fault("f", **fault),)))
    sim.run()
    return sim


def given_mu(sim: Simulation) -> float:
    return float(sim.plant.beam["true_total_mu"][0])


def acted(sim: Simulation) -> bool:
    return sim.injector.evidence()[0].activated


@pytest.mark.parametrize("field", ["mu_x10", "unit"])
def test_mu_that_were_not_ordered_are_refused_before_anything_moves(field: str, tmp_path: Path) -> None:
    sim = faulty(session(tmp_path), when=LOAD, mode="OPR-12", set={"field": field})
    assert acted(sim) and "MU, by the order 40.00 MU" in str(sim.error)
    assert given_mu(sim) == 0.0 and sim.session.plan is None


def test_a_plan_that_nobody_else_knows_is_given_and_the_record_says_so() -> None:
    sim = Simulation(order_for(quick(), [small_static(quick(), mu=2.0)]))
    sim.run()
    assert sim.error is None and any(event.what == "plan not compared" for event in sim.events)


def test_a_plan_that_somebody_else_calculated_differently_is_refused() -> None:
    order = replace(order_for(quick(), [small_static(quick(), mu=20.0)]), expected=Expected("a second calculation", mu=2.0))
    sim = Simulation(order)
    sim.run()
    assert "by a second calculation 2.00 MU" in str(sim.error) and given_mu(sim) == 0.0


def test_a_plan_saved_without_what_shaped_it_is_not_the_file_that_was_approved(tmp_path: Path) -> None:
    sim = faulty(session(tmp_path), when=LOAD, mode="DAT-03", set={"kind": "jaws_max"})
    assert acted(sim) and "sha256" in str(sim.error) and given_mu(sim) == 0.0


def test_an_arc_that_lost_its_control_points_is_refused_when_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="control points were lost"):
        faulty(session(tmp_path, "faults_arc"), when=LOAD, mode="DAT-03", set={"kind": "last_cp_only"})


def test_of_two_control_points_the_first_and_the_last_are_all_so_nothing_was_lost(tmp_path: Path) -> None:
    sim = faulty(session(tmp_path), when=LOAD, mode="DAT-03", set={"kind": "last_cp_only"})
    assert not acted(sim) and sim.error is None


@pytest.mark.parametrize("phase", ["load", "setup"])
def test_a_plan_file_that_was_damaged_after_it_was_read_prevents_the_start(phase: str, tmp_path: Path) -> None:
    sim = faulty(session(tmp_path), when=When(phase=phase), mode="DAT-01")
    assert acted(sim) and given_mu(sim) == 0.0 and "PLAN_INTEGRITY" in str(sim.error)


def test_damage_that_is_gone_before_anybody_reads_the_file_never_acted(tmp_path: Path) -> None:
    sim = faulty(session(tmp_path), when=When(phase="load", after_s=0.1), mode="DAT-01", lasts=Lasts(blip=True))
    assert not acted(sim) and sim.error is None


def test_a_fraction_that_is_on_record_as_given_is_refused_before_the_patient_is_set_up(tmp_path: Path) -> None:
    sim = faulty(session(tmp_path), when=LOAD, mode="DAT-05")
    assert acted(sim) and "on record as given" in str(sim.error) and given_mu(sim) == 0.0
    assert not any(event.what == "patient_on_couch" for event in sim.events)


def test_a_record_that_is_wrong_while_nobody_asks_it_changes_nothing(tmp_path: Path) -> None:
    sim = faulty(session(tmp_path), when=When(phase="load", after_s=0.22), mode="DAT-05", lasts=Lasts(blip=True))
    assert not acted(sim) and sim.error is None


def test_the_event_that_brings_a_fault_stands_before_what_comes_of_it_on_disk_too(tmp_path: Path) -> None:
    schedule = Schedule("one", (Fault("f", LOAD, mode="DAT-05"),))
    folder, order = create_folder(session(tmp_path), tmp_path / "run", started="2026-01-01T00:00:00", faults=schedule)
    sim = Simulation(order, folder, faults=schedule)
    sim.run()
    folder.close()
    told = [json.loads(line)["what"] for line in (folder.path / "events.jsonl").read_text().splitlines()]
    assert told == [event.what for event in sim.events] and told[:2] == ["step Load", "f injected"]


def test_a_journal_in_which_nothing_stands_has_nothing_to_forget(tmp_path: Path) -> None:
    sim = faulty(session(tmp_path), when=LOAD, mode="DAT-05", set={"kind": "counter_reset"})
    assert not acted(sim) and sim.error is None


def test_a_mode_of_the_imagers_arms_is_refused_on_a_machine_that_has_none() -> None:
    with pytest.raises(FaultScheduleError, match="IMG-13: this machine has no kV arms"):
        faulty(order_for(quick(), [small_static(quick(), mu=2.0)]), when=When(mu=1.0), mode="IMG-13")


@pytest.mark.parametrize("age_s", [0.0, 0.3, 86_400.0])
@pytest.mark.parametrize("after_s", [0.3, 0.5])
def test_a_journal_that_is_behind_gives_nothing_twice_because_the_other_channel_has_counted(after_s: float, age_s: float,
                                                                                            tmp_path: Path) -> None:
    sim = faulty(session(tmp_path), mode="CTL-13", when=When(phase="arm", after_s=after_s), set={"age_s": age_s})
    assert acted(sim) and sim.error is None
    assert given_mu(sim) == pytest.approx(40.0, abs=0.1) and not sim.verdicts().violated
    told = [event for event in sim.events if event.what == "record of beam 1 set right"]
    assert len(told) == (1 if age_s else 0)


def test_a_journal_that_is_farther_behind_than_a_controller_dies_is_not_believed(tmp_path: Path) -> None:
    sim = faulty(session(tmp_path), mode="CTL-13", when=When(phase="beam_on", after_s=2.0), set={"age_s": 86_400.0})
    assert acted(sim) and "the safety channel has counted 19." in str(sim.error) and "0.00 MU are on record" in str(sim.error)
    assert given_mu(sim) == pytest.approx(20.0, abs=1.0) and not sim.verdicts().violated
