"""The way by an upright panel against ray by ray, which knows no panels."""

from dataclasses import replace

import numpy as np
import pytest

from device_models.imagers.attenuation import Spectrum, attenuation
from device_models.imagers.joseph import project_any
from device_models.imagers.oblique import project_upright, swapped, swapped_view, upright, upright_axis
from device_models.imagers.projector import VoxelProjector
from device_models.interface.volume import Pose
from tests.imagers.support import lump, view, voxels

WATER = Spectrum(0.02, 1.0)
POSES = {
    "tilted 3 deg": Pose((3.0, -4.0, 5.0), (3.0, -2.0, 2.5)), "couch at 90": Pose((2.0, 3.0, 0.0), (0.0, 0.0, 90.0)),
    "couch at 45, tilted": Pose((0.0, 1.0, 2.0), (3.0, -3.0, 45.0)), "couch at -60": Pose((9.0, 0.0, 0.0), (0.0, 0.0, -60.0)),
}


def oblong():
    """Voxels of 1 x 1.5 x 1.25 mm."""
    volume = lump().sampled((1.0, 1.5, 1.25))
    return volume.with_data(attenuation(volume.data, WATER))


def by_upright(volume, seen):
    axis = upright_axis(seen)
    laid = swapped(volume, axis)
    panel = upright(swapped_view(seen, axis), laid)
    assert panel is not None
    return axis, project_upright(laid, panel, seen.columns, seen.rows)


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("angle", [0.0, 33.0, 90.0, -135.0, 200.0])
@pytest.mark.parametrize("roll", [0.0, 20.0])
def test_it_gives_the_line_integrals_of_ray_by_ray(pose, angle, roll):
    volume = oblong()
    seen = view(angle, source=(0.4, -0.6, 1000.0), panel=(12.0, 3.0, -500.0), roll_deg=roll).seen_from(POSES[pose])
    found, truth = by_upright(volume, seen)[1], project_any(volume, seen.twelve[None], seen.columns, seen.rows)[0]
    assert np.abs(found - truth).max() < 0.15 and np.sqrt(((found - truth) ** 2).mean()) < 0.008
    assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.9999


def test_a_beam_along_the_patient_takes_another_axis():
    assert by_upright(oblong(), view(0.0).seen_from(POSES["couch at 90"]))[0] == 1
    assert by_upright(oblong(), view(90.0).seen_from(POSES["couch at 90"]))[0] == 2
    assert by_upright(oblong(), view(-50.0).seen_from(POSES["couch at 90"]))[0] == 0


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_voxels_keep_their_place_when_axes_are_exchanged(axis):
    volume = oblong()
    laid = swapped(volume, axis)
    here = [volume.axis_mm(k)[at] for k, at in enumerate((70, 41, 33))]
    there = list(here)
    there[axis], there[1] = here[1], here[axis]
    ix, iy, iz = (round((p - o) / h) for p, o, h in zip(there, laid.origin_mm, laid.spacing_mm, strict=True))
    assert laid.data[ix, iz, iy] == volume.data[70, 33, 41] and laid.data.flags.c_contiguous


def test_rays_too_steep_or_from_within_the_volume_have_no_upright_panel():
    volume = oblong()
    steep = view(90.0).seen_from(POSES["couch at 90"])
    assert upright(steep, volume) is None
    assert upright(view(0.0, source=(0.0, 0.0, 30.0)), volume) is None
    assert upright(replace(view(0.0), source_mm=np.array([np.nan, 0.0, 1000.0])), volume) is None


def test_a_projector_takes_ray_by_ray_when_there_is_no_upright_panel():
    inside, pose = view(0.0, source=(0.0, 0.0, 30.0)), POSES["couch at 45, tilted"]
    usual, exact = voxels(), voxels(exact=True)
    assert np.array_equal(usual.integrals([inside], [pose], WATER), exact.integrals([inside], [pose], WATER))


def test_only_small_volumes_are_resampled_for_a_small_turn():
    pose, seen = POSES["tilted 3 deg"], view(10.0)
    small, large = voxels(2.0), VoxelProjector((lump().sampled(1.3),))
    for projector in (small, large):
        projector.integrals([seen], [pose], WATER)
    assert small._turned is not None and large._turned is None


def test_a_panel_beside_the_patient_sees_nothing():
    beside = view(0.0, panel=(900.0, 0.0, -500.0)).seen_from(POSES["couch at -60"])
    assert not by_upright(oblong(), beside)[1].any()
