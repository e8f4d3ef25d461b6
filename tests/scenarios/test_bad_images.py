"""Images and matches that must not be used: what a team would see, and never a beam."""

from typing import Any

import numpy as np
import pytest

from linac_ctl.control.signals import FIRST_GUARD, Guard
from linac_ctl.errors import DeviceError, RefusedError
from linac_ctl.sequencer.protocol import Level
from tests.scenarios.bench import Bench, Fault, after
from tests.sequencer.guided import guided, protocol, room
from tests.support import Run, run


def nothing_given(sim: Run) -> bool:
    return float(sim.plant.beam["true_total_mu"][0]) == 0.0


def bench(do: Any, **kw: Any) -> Bench:
    """A guided session in which this happens when twenty frames of the first scan have been exposed."""
    made = Bench(guided(**kw), [Fault(lambda b: len(b.imager.shots) >= 20, do)], prepared=room())
    made.run()
    assert len(made.applied) == 1 and nothing_given(made)
    return made


def established(sim: Run, guard: Guard) -> bool:
    """What the event side last said; a row of the table prevents the start while it is not so."""
    return float(sim.control.signals[FIRST_GUARD + int(guard)]) == 1.0


def drop_frames(sim: Bench) -> None:
    """The panel's link loses what it holds."""
    del sim.imager.shots[5:9]


def test_missing_projections_are_a_device_error_and_nothing_is_matched() -> None:
    sim = bench(drop_frames)
    assert isinstance(sim.error, DeviceError) and "56 of 60 frames came" in str(sim.error)
    assert sim.suite.imaging.images == [] and sim.suite.imaging.matches == []


def test_frames_from_different_couch_poses_are_refused() -> None:
    def creep(sim: Bench) -> None:
        sim.plant.couch["position"][1] += 1.5
        for asked in (sim.image.couch["setpoint"], sim.control.couch["goal"]):  # as if it had been told to: no drive lags
            asked[1] += 1.5

    sim = bench(creep)
    assert "the couch moved by 1." in str(sim.error) and "image again" in str(sim.error)
    assert sim.suite.imaging.matches == []


def test_a_couch_that_moves_between_image_and_shift_is_not_shifted() -> None:
    def push(sim: Bench) -> None:
        sim.plant.couch["position"][0] += 4.0

    sim = Bench(guided(), [after("match", 0.05, push)], prepared=room())
    sim.run()
    assert len(sim.applied) == 1 and nothing_given(sim)
    assert "COUCH_LOOSE" in str(sim.error) and sim.suite.imaging.shifts == [] and sim.suite.imaging.approvals == []


@pytest.mark.parametrize("away_mm", [36.0, 45.0, 60.0])
def test_a_patient_beyond_the_capture_range_is_never_shifted(away_mm: float) -> None:
    sim = run(guided(error=(0.0, away_mm, 0.0, 0.0, 0.0, 0.0)), prepared=room())
    assert isinstance(sim.error, RefusedError) and nothing_given(sim) and sim.suite.imaging.shifts == []
    assert "match refused" in str(sim.error) and "image again" in str(sim.error)


def test_an_error_beyond_the_call_level_is_for_physicist_and_physician() -> None:
    rules = protocol(levels={"set_up_mm": 5.0, "call_mm": 10.0})
    sim = run(guided(error=(0.0, 14.0, 0.0, 0.0, 0.0, 0.0), rules=rules), prepared=room())
    assert "call the physicist and the physician" in str(sim.error) and nothing_given(sim)
    assert sim.suite.imaging.decisions[0].level is Level.CALL and not established(sim, Guard.SHIFT_RANGE)


def test_a_shift_over_the_limit_of_a_remote_move_is_refused_and_prevents_a_start() -> None:
    sim = run(guided(error=(0.0, 14.0, 0.0, 0.0, 0.0, 0.0), rules=protocol(shift={"remote_mm": 10.0})), prepared=room())
    assert "mm > 10 mm, the limit of a remote move" in str(sim.error) and nothing_given(sim)
    assert not established(sim, Guard.SHIFT_RANGE) and sim.suite.imaging.shifts == []


def test_a_refused_match_prevents_a_start_by_its_own_interlock() -> None:
    sim = run(guided(error=(0.0, 45.0, 0.0, 0.0, 0.0, 0.0)), prepared=room())
    assert not established(sim, Guard.REG_QUALITY) and not established(sim, Guard.POSITION_APPROVED)


def test_arms_that_do_not_come_out_end_before_the_first_exposure() -> None:
    def stuck(sim: Bench) -> None:
        sim.plant.kv_arms["moves"][1] = 0.0

    sim = Bench(guided(), [after("close_door", 0.0, stuck)], prepared=room())
    sim.run()
    assert len(sim.applied) == 1 and nothing_given(sim) and sim.error is not None
    assert float(sim.image.room["kv_exposures"][0]) == 0.0 and sim.suite.imaging.images == []


def test_an_arm_that_slips_during_a_scan_stops_the_motion_and_there_are_no_images() -> None:
    def slip(sim: Bench) -> None:
        sim.plant.kv_arms["position"][1] += 8.0
        sim.plant.kv_arms["moves"][1] = 0.0

    sim = bench(slip)
    assert "KV_POS" in sim.tripped() and sim.suite.imaging.images == []


def test_a_session_that_ends_refused_says_so_in_its_outcome_and_gives_nothing() -> None:
    sim = run(guided(error=(0.0, 0.0, 22.0, 0.0, 0.0, 0.0)), prepared=room())
    assert "set the patient up again in the room" in str(sim.error) and not sim.residuals
    assert np.all(sim.control.journal["mu_1"] == 0.0)
