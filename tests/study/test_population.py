"""Who is treated follows from the seed alone, with the spreads that the file asks for."""

import numpy as np
import pytest

from device_models.imagers.frame import Instant
from device_models.imagers.geometry import kv_nominal, true_view
from device_models.patient.couch import CouchPose
from linac_ctl.imaging.pose import six
from linac_ctl.study.population import Day
from linac_ctl.study.room import shifted
from tests.study.worlds import furnished, usual, world


def set_ups(study, patients, fractions, attempt=0):
    """(p, f, 6)."""
    return np.array([[six(Day(study, 3, p, f).lies(attempt, 0.0).set_up) for f in range(fractions)] for p in range(patients)])


def test_the_same_seed_gives_the_same_day_and_another_seed_another():
    day, again, other = (Day(usual(), seed, 7, 2) for seed in (5, 5, 6))
    assert day.lies(0, 10.0) == again.lies(0, 10.0) and day.imager_off_mm() == again.imager_off_mm()
    assert day.lies(0, 10.0) != other.lies(0, 10.0)


def test_patients_and_days_spread_as_asked():
    found = set_ups(world(set_up={"systematic_mm": (4.0, 4.0, 4.0), "random_mm": (1.0, 1.0, 1.0)}), 150, 4)[..., :3]
    assert found.std(axis=1, ddof=1).mean() == pytest.approx(1.0, rel=0.12)
    assert found.mean(axis=1).std(axis=0) == pytest.approx([4.0] * 3, rel=0.2)


def test_a_repeated_set_up_leaves_nothing_that_is_systematic():
    study = world(set_up={"random_mm": (0.0, 0.0, 0.0), "random_deg": (0.0, 0.0, 0.0)})
    assert np.abs(set_ups(study, 5, 1)).max() > 1.0
    assert np.abs(set_ups(study, 5, 1, attempt=1)).max() == 0.0


def test_drift_grows_with_time_as_the_file_says():
    moved = np.array([[six(Day(usual(), 1, p, 0).lies(0, 0.0).on_couch(60.0 * m, 0.0).after(
        Day(usual(), 1, p, 0).lies(0, 0.0).set_up.inverse()))[:3] for m in (5, 15)] for p in range(120)])
    assert moved[:, 0].std() == pytest.approx(0.28, rel=0.15)
    assert moved[:, 1].std() == pytest.approx(0.65, rel=0.15)


def test_drift_begins_at_the_set_up():
    lies = Day(usual(), 1, 0, 0).lies(0, 500.0)
    assert lies.on_couch(500.0, 0.0) == lies.set_up.after(lies.motions[0].at(0.0))
    assert lies.on_couch(400.0, 0.0) == lies.on_couch(500.0, 0.0) != lies.on_couch(560.0, 0.0)


def test_every_couch_shift_has_its_own_error():
    day, at = Day(usual(), 1, 0, 0), CouchPose(1.0, 2.0, 3.0)
    assert day.couch_after(at, 0) != day.couch_after(at, 1)
    off = np.array([np.array(Day(usual(), 1, p, 0).couch_after(at, 0).six) - at.six for p in range(200)])
    assert off.std(axis=0) == pytest.approx([0.2] * 3 + [0.07] * 3, rel=0.2)


@pytest.mark.parametrize("gantry_deg", [0.0, 37.0, 90.0, -100.0, 180.0])
def test_an_imager_beside_the_isocentre_is_beside_it_at_every_angle(gantry_deg):
    off = np.array([0.3, -0.2, 0.5])
    instant, kv = Instant(0.0, gantry_deg, CouchPose()), furnished().true
    views = [true_view(kv_nominal(instant), config.flex, instant, 90.0, (8, 6, 40.0)) for config in (kv, shifted(kv, tuple(off)))]
    assert views[1].source_mm - views[0].source_mm == pytest.approx(off, abs=1e-9)
    assert views[1].corner_mm - views[0].corner_mm == pytest.approx(off, abs=1e-9)
