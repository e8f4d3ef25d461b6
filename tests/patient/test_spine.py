"""The spine phantom: what stands where, and what was drawn on it."""

import numpy as np
import pytest

from device_models.patient.errors import PatientError
from device_models.patient.patient import Patient, from_phantom
from device_models.patient.spine import CANAL_Z_MM, FIDUCIALS_MM, spine
from device_models.patient.structures import Structure, area_and_centre, inset, inside, mask


def hu_at(volume, point):
    index = [round((p - o) / h) for p, o, h in zip(point, volume.origin_mm, volume.spacing_mm, strict=True)]
    return float(volume.xyz()[tuple(index)])


def test_bone_is_dense_the_cord_is_soft_the_lung_is_light():
    volume = spine(texture=0).sampled(2.0)
    assert 150.0 < hu_at(volume, (-12.0, 4.0, 8.0)) < 280.0  # cancellous
    assert hu_at(volume, (-8.0, 14.2, 8.0)) > 250.0  # end plate
    assert 0.0 <= hu_at(volume, (0.0, 6.0, CANAL_Z_MM)) < 60.0
    assert hu_at(volume, (-56.0, 90.0, 64.0)) < -600.0
    assert hu_at(volume, (-120.0, 0.0, -90.0)) == -1000.0
    assert hu_at(volume, (8.0, 0.0, 10.0)) < hu_at(volume, (-12.0, 4.0, 8.0)) - 100.0  # the lesion


def test_the_target_is_bone_and_the_cord_is_not_in_it():
    phantom = spine(texture=0)
    volume = phantom.sampled(2.0)
    ctv, cord = mask(phantom.structure("ctv"), volume), mask(phantom.structure("Cord"), volume)
    assert ctv.sum() > 1000 and cord.sum() > 1000 and not (ctv & cord).any()
    assert volume.data[ctv].mean() > volume.data[cord].mean() + 60.0


def test_structures_lie_within_one_another():
    phantom = spine()
    ptv, ctv = phantom.structure("PTV"), phantom.structure("CTV")
    assert inside(ptv, 0.999 * ctv.points + 0.001 * ctv.centroid()).all()
    outer, inner = (abs(area_and_centre(structure.contours[5])[0]) for structure in (ptv, ctv))
    assert 0.5 * outer < inner < 0.9 * outer
    for structure in phantom.structures:
        assert all(np.ptp(contour[:, 1]) == 0.0 and len(contour) >= 3 for contour in structure.contours)


def test_the_same_seed_is_the_same_patient_and_another_is_not():
    assert np.array_equal(spine(3).bodies, spine(3).bodies)
    assert not np.array_equal(spine(3).bodies, spine(4).bodies)


def test_ct_noise_is_noise_of_its_seed():
    phantom = spine()
    quiet, a, b, c = (phantom.sampled(8.0, noise_hu=n, seed=s).data for n, s in ((0.0, 0), (20.0, 1), (20.0, 1), (20.0, 2)))
    assert np.array_equal(a, b) and not np.array_equal(a, c)
    assert (a - quiet).std() == pytest.approx(20.0, rel=0.03) and abs((a - quiet).mean()) < 0.5


def test_fiducials_are_there_when_asked_for():
    volume = spine(texture=0, fiducials=True).sampled(1.0)
    assert all(hu_at(volume, where) > 3000.0 for where in FIDUCIALS_MM.values())
    assert spine().markers_mm == {}


def test_a_square_inset_is_a_smaller_square():
    square = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]])
    for outline in (square, square[::-1]):
        smaller = inset(outline, 2.0)
        assert np.allclose(smaller.min(axis=0), 2.0) and np.allclose(smaller.max(axis=0), 8.0)


def test_a_hole_is_a_hole():
    ring = [np.array([[-s, 0.0, -s], [s, 0.0, -s], [s, 0.0, s], [-s, 0.0, s]]) for s in (10.0, 5.0)]
    structure = Structure("ring", "ORGAN", tuple(ring))
    points = [[7.0, 0.0, 0.0], [0.0, 0.0, 0.0], [7.0, 9.0, 0.0], [12.0, 0.0, 0.0]]
    assert inside(structure, points).tolist() == [True, False, False, False]


def test_without_a_target_there_is_no_patient_to_treat():
    patient = from_phantom(spine(), 8.0)
    assert patient.target.name == "CTV"
    organs = tuple(s for s in patient.structures if s.kind == "ORGAN")
    with pytest.raises(PatientError, match=r"no structure for the target: none of Cord \(ORGAN\) is a GTV"):
        _ = Patient("x", patient.hu, organs).target


def test_a_mask_is_what_lies_inside():
    phantom = spine(texture=0)
    volume = phantom.sampled(6.0)
    x, y, z = (volume.axis_mm(axis) for axis in range(3))
    points = np.stack(np.meshgrid(x, z, y, indexing="ij"), axis=-1)[..., [0, 2, 1]].reshape(-1, 3)
    for name in ("CTV", "GTV"):
        structure = phantom.structure(name)
        assert np.array_equal(mask(structure, volume).ravel(), inside(structure, points))
