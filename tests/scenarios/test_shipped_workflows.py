"""Every image-guided session that is shipped: delivered, nothing tripped, and the target within what its protocol leaves."""

from pathlib import Path

import pytest

from linac_ctl.order import resolve
from linac_ctl.patient_room import with_room
from tests.support import run

# session: most mm of the target at any beam-on, imaging MU
SESSIONS = {
    "kv_pair_3d": (3.0, 0.0), "vmat_daily": (3.0, 0.0), "port": (3.0, 6.0), "mv_kv": (3.0, 3.0), "noncoplanar_igrt": (1.0, 18.0),
}


@pytest.mark.parametrize("name", SESSIONS)
def test_a_shipped_session_delivers_all_of_its_plan_at_the_target_and_trips_nothing(name: str, tmp_path: Path) -> None:
    order = with_room(resolve(name, scratch=tmp_path))
    sim, beams, (most_mm, imaging_mu) = run(order), order.plan.fraction(), SESSIONS[name]
    assert sim.error is None and [(o.number, o.complete) for o in sim.session.outcomes] == [(beam.number, True) for beam in beams]
    assert [trip.id for trip in sim.linac.panel.history if trip.stop != "inhibit"] == []
    assert {n: sim.mu(n) for n in sim.residuals} == pytest.approx({beam.number: beam.mu for beam in beams}, abs=0.15)
    assert max(mm for mm, _ in sim.residuals.values()) <= most_mm
    assert sim.suite.imaging.imaging_mu == pytest.approx(imaging_mu, abs=0.2)
