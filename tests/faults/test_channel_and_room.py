"""Findings of fault campaigns about the second channel, memory, mode, guards, keys, each as the smallest schedule."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device_models.faults.fault import Fault, Lasts, When
from device_models.referee.columns import Flag
from linac_ctl.app import Simulation
from linac_ctl.injection.schedule import Schedule
from linac_ctl.order import resolve

IDLE, ARM = When(phase="idle"), When(phase="arm")
BLIP = Lasts(blip=True)
CYCLE_MS = 10.0


class Faulty:
    """faults_short with one fault; everything from its effective cycle on."""

    def __init__(self, folder: Path, session: str = "faults_short", **fault: Any) -> None:
        self.sim = sim = Simulation(resolve(session, scratch=folder), faults=Schedule("one", (Fault("f", **fault),)))
        sim.run()
        (found,) = sim.injector.evidence()
        assert found.activated and found.effective_cycle is not None, "the fault never acted"
        self.effective = found.effective_cycle
        self.trips = [trip for trip in sim.linac.panel.history if trip.cycle >= self.effective]

    @property
    def first(self) -> str:
        """First-out of what came of it."""
        return self.trips[0].id if self.trips else ""

    @property
    def delay_ms(self) -> float:
        """From the effect to the first trip."""
        return (self.trips[0].cycle - self.effective) * CYCLE_MS

    @property
    def mu(self) -> float:
        """Given in truth."""
        return float(self.sim.plant.beam["true_total_mu"][0])


@pytest.mark.parametrize("preset", ["0", "max", "other_field"])
def test_a_preset_that_comes_wrong_after_arming_is_not_delivered(preset: str, tmp_path: Path) -> None:
    run = Faulty(tmp_path, when=ARM, mode="DOS-09", set={"preset": preset})
    assert run.first == "LIMITS_LOADED" and run.delay_ms <= 10.0 and run.mu == 0.0


def test_a_time_limit_of_nothing_after_arming_is_not_delivered(tmp_path: Path) -> None:
    run = Faulty(tmp_path, when=ARM, mode="DOS-11", set={"kind": "zero"})
    assert run.first == "LIMITS_LOADED" and run.mu == 0.0


def test_one_reading_of_another_preset_may_be_the_line(tmp_path: Path) -> None:
    run = Faulty(tmp_path, when=ARM, mode="DOS-09", set={"preset": "0"}, lasts=BLIP)
    assert not run.trips and run.sim.error is None


@pytest.mark.parametrize("lasts", [BLIP, Lasts(s=0.5), Lasts()])
@pytest.mark.parametrize(("mode", "kind", "phase"), [
    ("SAF-01", "output_stuck", "idle"), ("SAF-02", "stuck_permit", "idle"), ("SAF-02", "stuck_permit", "load"),
    ("SAF-02", "stuck_permit", "setup")])
def test_a_permit_that_stays_while_its_channel_is_open_is_found_at_once(phase: str, mode: str, kind: str, lasts: Lasts,
                                                                        tmp_path: Path) -> None:
    run = Faulty(tmp_path, when=When(phase=phase), mode=mode, set={"kind": kind}, lasts=lasts)
    assert run.first == "PERMIT_WELD" and run.delay_ms == 0.0 and run.mu == 0.0


@pytest.mark.parametrize(("mode", "settings"), [("CTL-01", {}), ("CTL-02", {}), ("CTL-03", {"dur_ms": 500.0}), ("SAF-03", {}),
                                               ("CLK-02", {}), ("SAF-02", {"kind": "dead"})])
def test_whoever_of_the_two_deciders_is_gone_the_drives_lose_their_power_within_70_ms(mode: str, settings: dict[str, Any],
                                                                                     tmp_path: Path) -> None:
    run = Faulty(tmp_path, "faults_arc", when=When(phase="beam_on", after_s=1.0), mode=mode, set=settings)
    rows = run.sim.trace.rows()
    first = int(np.searchsorted(rows["cycle"], run.effective))
    off = first + np.flatnonzero((rows["bits"][first:] & int(Flag.DRIVES)) == 0)
    assert len(off) and (off[0] - first) * CYCLE_MS <= 60.0
    turned = np.abs(np.diff(rows["gantry_deg"]))[off[0] + 42:off[0] + 100]
    assert turned.max() < 0.002  # at rest 400 ms later, and it stays there


def test_a_watchdog_that_would_wait_too_long_does_not_pass_the_self_test(tmp_path: Path) -> None:
    run = Faulty(tmp_path, when=IDLE, mode="SAF-01", set={"kind": "too_long"})
    assert "self-test did not pass (heartbeat)" in str(run.sim.error) and run.mu == 0.0


def test_a_channel_that_says_no_after_arming_is_heard_in_that_cycle(tmp_path: Path) -> None:
    run = Faulty(tmp_path, when=When(phase="arm", after_s=0.09), mode="SAF-07")
    assert run.first == "LIMITS_LOADED" and run.delay_ms <= 10.0 and run.mu == 0.0


@pytest.mark.parametrize("phase", ["idle", "load", "setup"])
def test_a_carousel_that_nobody_has_sent_stops_everything(phase: str, tmp_path: Path) -> None:
    run = Faulty(tmp_path, when=When(phase=phase, after_s=0.2), mode="CTL-08", set={"var": "mode"}, lasts=Lasts(s=0.5))
    assert run.first == "MODE_MOVED" and run.delay_ms <= 20.0 and run.mu == 0.0


@pytest.mark.parametrize("which", ["first", "second", "both"])
def test_welded_guards_are_found_when_the_bar_is_taken(which: str, tmp_path: Path) -> None:
    run = Faulty(tmp_path, when=IDLE, mode="SEN-13", set={"which": which})
    assert run.first == "GUARD_TEST" and run.delay_ms <= 50.0 and run.mu == 0.0


def test_an_end_of_dose_that_is_not_the_armed_one_ends_the_beam(tmp_path: Path) -> None:
    run = Faulty(tmp_path, when=When(mu=10.0), mode="CTL-11", set={"field": "mu"})
    assert run.first == "RX_HASH" and run.delay_ms <= 20.0 and run.mu < 10.5


@pytest.mark.parametrize("field", ["leaf", "angle"])
def test_a_position_that_is_not_the_armed_one_prevents_the_start_until_all_is_armed_anew(field: str, tmp_path: Path) -> None:
    run = Faulty(tmp_path, "faults_arc", when=When(phase="arm", after_s=0.05), mode="CTL-11", set={"field": field})
    armed = [event.cycle for event in run.sim.events if event.what == "beam 1 on"]
    assert run.first == "RX_CHANGED" and run.delay_ms <= 20.0 and armed[0] > run.effective + 10
    assert run.sim.error is None and run.mu == pytest.approx(100.0, abs=0.1)


@pytest.mark.parametrize(("mode", "row"), [("OPR-04", "BYPASS"), ("OPR-11", "SERVICE_MODE")])
@pytest.mark.parametrize("when", [When(phase="arm", after_s=0.2), When(phase="beam_on", after_s=2.0)])
def test_a_plug_or_a_key_that_was_there_for_a_cycle_interrupts_the_dose_and_is_on_record(mode: str, row: str, when: When,
                                                                                        tmp_path: Path) -> None:
    run = Faulty(tmp_path, when=when, mode=mode, lasts=BLIP)
    assert run.first == row and run.delay_ms <= 10.0
    assert run.sim.error is None and run.mu == pytest.approx(40.0, abs=0.1)


@pytest.mark.parametrize("lasts", [BLIP, Lasts()])
def test_two_devices_in_each_others_ports_are_known_by_their_names_before_anything_moves(lasts: Any, tmp_path: Path) -> None:
    run = Faulty(tmp_path, "faults_arc", when=When(phase="setup", after_s=0.3), mode="LNK-10", lasts=lasts)
    assert run.first == "NODE_NAME" and run.delay_ms <= 10.0 and run.mu == 0.0
    assert not run.sim.image.nodes["enable"].any()
