"""The portal imager: the field's edges, the ball, and the MU that made the picture."""

import numpy as np
import pytest

from device_models.imagers.aperture import Aperture, open_share
from device_models.imagers.errors import ExposureRefused
from device_models.imagers.mv import MvImager, MvShot
from device_models.imagers.projector import BodyProjector
from device_models.interface.volume import Pose
from device_models.patient.hidden import HiddenPose
from device_models.patient.qa import ball, water
from tests.imagers.support import instant, stiff, view

SQUARE = Aperture((-10.0, 10.0, -10.0, 10.0))


def mv(phantom, hidden=None, seed=3):
    return MvImager(stiff().mv, BodyProjector(phantom), hidden or HiddenPose(), seed)


def taken(gantry=0.0, mu=3.0, mode="6X", aperture=SQUARE, binning=1, **options):
    return MvShot(mode, mu, instant(gantry), instant(gantry), aperture, binning, **options)


def weighted(weight):
    rows, columns = np.indices(weight.shape)
    return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


@pytest.mark.parametrize("gantry", [0.0, 90.0, 180.0, -90.0])
def test_a_winston_lutz_image_holds_the_offset_of_the_ball(gantry):
    offset = np.array([0.7, -0.4, 1.1])
    frame = mv(ball(tuple(offset))).collect(taken(gantry))
    middle = frame.pixels[560:631, 560:631].astype(float)
    field = weighted(np.clip(frame.pixels[500:690, 500:690] / frame.pixels.max(), 0.3, 0.35) - 0.3)  # a level set, ball filled in
    seen = weighted(np.clip(0.8 * np.median(middle) - middle, 0.0, None)) + 60.0
    axes = {0.0: (0.7, -0.4), 90.0: (-1.1, -0.4), 180.0: (-0.7, -0.4), -90.0: (1.1, -0.4)}[gantry]
    assert (seen - field) * 0.336 / 1.5 == pytest.approx(axes, abs=0.06)


def test_pixels_follow_the_dose():
    a, b = (mv(water(60.0, 100.0)).collect(taken(mu=mu, binning=8)) for mu in (1.0, 2.0))
    assert b.pixels.max() / a.pixels.max() == pytest.approx(2.0, rel=0.03) and b.metadata.mu == 2.0
    assert b.metadata.air_counts == pytest.approx(2.0 * a.metadata.air_counts)


def test_behind_the_jaws_only_leakage_comes_through():
    frame = mv(water(60.0, 100.0)).collect(taken(binning=8))
    assert frame.pixels[10, 10] / frame.metadata.air_counts == pytest.approx(0.015, rel=0.2)


@pytest.mark.parametrize("mode, mu, says", [
    ("18X", 1.0, "no beam mode '18X'; there are 6X"), ("6X", 0.0, "0.0 MU were delivered"), ("6X", float("nan"), "nan MU"),
    ("6X", float("inf"), "inf MU"),
])
def test_without_a_beam_there_is_no_picture(mode, mu, says):
    with pytest.raises(ExposureRefused, match=says):
        mv(ball()).collect(taken(mode=mode, mu=mu))


def test_the_target_of_a_displaced_patient_is_displaced_in_the_picture():
    shots = [mv(ball(), HiddenPose(set_up=Pose((x, 0.0, 0.0)))).collect(taken()) for x in (0.0, 3.0)]
    middles = (one.pixels[560:631, 560:631].astype(float) for one in shots)
    a, b = (weighted(np.clip(0.8 * np.median(middle) - middle, 0.0, None)) for middle in middles)
    assert (b - a) * 0.336 / 1.5 == pytest.approx([3.0, 0.0], abs=0.05)


def edges_at(aperture, gantry=0.0):
    """Half-value places of the field along u and v in its middle, mm at the isocentre."""
    seen = view(gantry, columns=601, rows=601, pitch_mm=0.5)
    share = open_share(aperture, seen, gantry, 1000.0, 2.0, 0.02)
    places = (np.arange(601) - 300) * 0.5 / 1.5
    inside = [places[line > 0.51] for line in (share[:, 300], share[300])]
    return [(found[0], found[-1]) for found in inside]


def test_jaws_are_where_their_scales_say():
    (x1, x2), (y1, y2) = edges_at(Aperture((-20.0, 30.0, -15.0, 40.0)))
    assert (x1, x2, y1, y2) == pytest.approx((-20.0, 30.0, -15.0, 40.0), abs=0.4)


def test_a_collimator_at_90_lays_the_x_jaws_along_y():
    (u1, u2), (v1, v2) = edges_at(Aperture((-20.0, 30.0, -15.0, 40.0), collimator_deg=90.0))
    assert (u1, u2, v1, v2) == pytest.approx((-40.0, 15.0, -20.0, 30.0), abs=0.4)


def test_leaves_shape_the_field_and_closed_ones_are_closed():
    sides = np.arange(-40.0, 41.0, 10.0)
    a, b = np.full(8, 12.0), np.full(8, -6.0)
    a[6:], b[6:] = -6.0, -6.0
    (x1, x2), (y1, y2) = edges_at(Aperture(boundaries_mm=sides, bank_a_mm=a, bank_b_mm=b))
    assert (x1, x2, y1, y2) == pytest.approx((-6.0, 12.0, -40.0, 20.0), abs=0.4)


@pytest.mark.parametrize("sides, jaws, says", [
    (np.zeros(4), (-1.0, 1.0, -1.0, 1.0), "one more side"), (np.zeros(9), (float("nan"),) * 4, "jaws is not finite"),
])
def test_an_aperture_that_cannot_be_is_refused(sides, jaws, says):
    aperture = Aperture(jaws, boundaries_mm=sides, bank_a_mm=np.zeros(8), bank_b_mm=np.zeros(8))
    with pytest.raises(ValueError, match=says):
        open_share(aperture, view(), 0.0, 1000.0, 2.0, 0.02)
