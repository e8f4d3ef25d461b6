"""Bodies in voxels: right mass, right centre, soft edges."""

import numpy as np
import pytest

from device_models.interface.volume import grid
from device_models.patient.errors import PatientError
from device_models.patient.primitives import ALONG_Y, ellipsoid, rod, sphere, table, tilted
from device_models.patient.qa import ball, catphan, water
from device_models.patient.raster import rasterised


def mass_and_centre(volume):
    weight = volume.data.astype(float) + 1000.0
    cell = float(np.prod(volume.spacing_mm))
    x, y, z = (volume.axis_mm(axis) for axis in range(3))
    total = weight.sum()
    centre = [(weight * x[:, None, None]).sum(), (weight * y[None, None, :]).sum(), (weight * z[None, :, None]).sum()]
    return total * cell, np.array(centre) / total


@pytest.mark.parametrize("body, size_mm3", [
    (sphere((1.3, -2.2, 0.7), 9.0, 500.0), 4 / 3 * np.pi * 9**3),
    (ellipsoid((0.4, 0.1, -0.6), (12.0, 7.0, 5.0), 500.0, tilted(20.0, -35.0, 50.0)), 4 / 3 * np.pi * 12 * 7 * 5),
    (rod((0.0, 1.0, 0.0), (8.0, 5.0, 10.0), 500.0, tilted(10.0, 5.0, 0.0, ALONG_Y)), np.pi * 8 * 5 * 20),
])
def test_a_body_keeps_its_mass_and_its_place(body, size_mm3):
    mass, centre = mass_and_centre(rasterised(table([body]), grid((40, 36, 44), (1.0, 1.2, 0.8), (0.0, 0.0, 0.0))))
    assert mass == pytest.approx(500.0 * size_mm3, rel=0.003)
    assert centre == pytest.approx(body[1:4], abs=0.01)


def test_edges_are_soft_and_the_inside_is_not():
    volume = rasterised(table([sphere((0.0, 0.0, 0.0), 10.0, 800.0)]), grid((31, 31, 31), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)))
    assert volume.data[15, 15, 15] == -200.0 and volume.data[0, 0, 0] == -1000.0
    partial = (volume.data > -999.0) & (volume.data < -201.0)
    assert 0.1 * 4 * np.pi * 100 < partial.sum() < 4 * 4 * np.pi * 100


def test_a_coarse_voxel_is_the_mean_of_fine_ones():
    bodies = table([sphere((0.3, -0.4, 0.2), 6.0, 1000.0)])
    fine = rasterised(bodies, grid((24, 24, 24), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)), fine=6).data
    coarse = rasterised(bodies, grid((12, 12, 12), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0)), fine=6).data
    assert np.abs(fine.reshape(12, 2, 12, 2, 12, 2).mean(axis=(1, 3, 5)) - coarse).max() < 40.0


def test_the_ball_is_where_it_was_put():
    volume = ball((0.7, -0.4, 1.1)).sampled(1.0)
    weight = np.where(volume.data > 200.0, volume.data - 90.0, 0.0).astype(float)
    x, y, z = (volume.axis_mm(axis) for axis in range(3))
    centre = [(weight.sum((1, 2)) * x).sum(), (weight.sum((0, 1)) * y).sum(), (weight.sum((0, 2)) * z).sum()]
    assert np.array(centre) / weight.sum() == pytest.approx([0.7, -0.4, 1.1], abs=0.01)


@pytest.mark.parametrize("at_mm, hu", [
    ((58.7, 17.5, 0.0), 365.0), ((0.0, 17.5, 58.7), -1000.0), ((-58.7, 17.5, 0.0), -104.0), ((0.0, -60.0, 0.0), 10.0),
])
def test_catphan_inserts_have_their_numbers(at_mm, hu):
    volume = catphan().sampled(2.0)
    index = [round((p - o) / h) for p, o, h in zip(at_mm, volume.origin_mm, volume.spacing_mm, strict=True)]
    assert volume.xyz()[tuple(index)] == pytest.approx(hu, abs=1.0)


def test_water_is_zero_inside_and_air_outside():
    volume = water(40.0, 60.0).sampled(4.0)
    assert volume.xyz()[tuple(n // 2 for n in volume.size)] == 0.0 and volume.data[0, 0, 0] == -1000.0


@pytest.mark.parametrize("spacing", [0.0, -1.0, float("nan"), 0.05])
def test_no_spacing_that_cannot_be(spacing):
    with pytest.raises(PatientError, match="phantom water"):
        water().sampled(spacing)


def test_a_body_that_is_not_finite_is_named():
    with pytest.raises(ValueError, match="phantom: bodies is not finite"):
        rasterised(table([sphere((float("nan"), 0.0, 0.0), 1.0, 1.0)]), grid((4, 4, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)))
