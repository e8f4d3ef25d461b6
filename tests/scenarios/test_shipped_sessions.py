"""Sessions that are shipped and take images while treating do what their description says."""

from pathlib import Path

import pytest

from linac_ctl.order import resolve
from linac_ctl.patient_room import with_room
from tests.support import Run, run


@pytest.fixture(scope="module")
def motion(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(with_room(resolve("spine_motion", scratch=tmp_path_factory.mktemp("plan"))))


def stops(sim: Run) -> list[str]:
    return [trip.id for trip in sim.linac.panel.history if trip.stop != "inhibit"]


def test_a_patient_who_moves_in_the_first_arc_is_seen_held_and_brought_back_and_gets_all_of_it(motion: Run) -> None:
    assert motion.error is None and all(o.complete for o in motion.session.outcomes)
    assert motion.true_mu() == pytest.approx({1: 1900.0, 2: 1900.0}, abs=0.3)
    assert set(stops(motion)) == {"SURF_MOTION", "PATIENT_MOTION"}
    assert len(motion.suite.imaging.shifts) == 2 and motion.imager.residual(0.0)[0] < 1.0


def test_no_more_than_what_two_seconds_give_is_delivered_to_a_patient_who_has_moved(motion: Run) -> None:
    seen = next(t for t in motion.suite.imaging.tracked if t.seen == "outside")
    held = next(h for h in motion.linac.holds if "MOTION" in h["why"])
    assert held["mu"] - seen.mu < 40.0 * 1.0  # 2400 MU/min, and the surface monitor is patient for a second


def test_a_breathing_patient_is_treated_near_exhale_only(tmp_path: Path) -> None:
    sim = run(with_room(resolve("gated", scratch=tmp_path)))
    assert sim.error is None and len(sim.session.outcomes) == 4 and all(o.complete for o in sim.session.outcomes)
    assert set(stops(sim)) == {"GATE"} and {t.trigger for t in sim.suite.imaging.tracked} == {"fluoroscopy", "before", "gate"}
    assert all(t.seen == "inside" for t in sim.suite.imaging.tracked)
