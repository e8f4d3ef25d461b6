"""Projectors against exact line integrals, which owe them nothing."""

from dataclasses import replace

import numba
import numpy as np
import pytest

from device_models.imagers.aligned import project_aligned
from device_models.imagers.attenuation import Spectrum, attenuation, kv_spectrum
from device_models.imagers.config import load_imagers
from device_models.imagers.joseph import project_any
from device_models.imagers.projector import voxel_projector
from device_models.imagers.resample import halved, moved
from device_models.interface.volume import Pose, Volume, grid
from tests.imagers.support import exact, lump, view, voxels

WATER = Spectrum(0.02, 1.0)
POSES = (Pose(), Pose((6.0, -4.0, 5.0)), Pose((3.0, -4.0, 5.0), (3.0, -2.0, 2.5)), Pose((2.0, 3.0, 0.0), (0.0, 0.0, 90.0)))


def compare(a, b):
    """rms where there is something, and correlation."""
    there = b > 0.05
    return float(np.sqrt(((a - b)[there] ** 2).mean())), float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


@pytest.mark.parametrize("pose", POSES, ids=lambda p: f"{p.t_mm}{p.r_deg}")
@pytest.mark.parametrize("angle", [0.0, 33.0, 90.0, -135.0])
@pytest.mark.parametrize("exactly", [False, True])
def test_voxels_give_the_line_integrals_of_the_bodies(pose, angle, exactly):
    seen = view(angle, source=(0.4, -0.6, 1000.0), panel=(12.0, 3.0, -500.0))
    rms, correlation = compare(voxels(exact=exactly).integrals([seen], [pose], WATER), exact().integrals([seen], [pose], WATER))
    assert rms < 0.015 and correlation > 0.9995


@pytest.mark.parametrize("roll", [2.0, -90.0])
def test_a_panel_that_is_turned_in_its_plane_is_seen(roll):
    seen = view(20.0, roll_deg=roll)
    rms, correlation = compare(voxels().integrals([seen], [POSES[2]], WATER), exact().integrals([seen], [POSES[2]], WATER))
    assert rms < 0.015 and correlation > 0.9995


def test_the_fast_way_and_the_general_way_agree():
    volume = voxels().levels_hu[0]
    volume = volume.with_data(attenuation(volume.data, WATER))
    views = np.array([view(a, source=(1.0, -2.0, 1000.0)).twelve for a in (0.0, 50.0)])
    fast, general = project_aligned(volume, views, 96, 80), project_any(volume, views, 96, 80)
    assert np.abs(fast - general).max() < 0.05 and compare(fast, general)[0] < 0.006
    assert compare(fast, project_aligned(volume, views, 96, 80, slab=1))[0] < 0.001


def test_voxels_need_not_be_cubes():
    phantom = lump()
    seen = view(40.0)
    flat = voxel_projector(phantom.sampled((1.0, 2.0, 1.3)))
    truth = exact().integrals([seen], [Pose()], WATER)
    assert compare(flat.integrals([seen], [Pose()], WATER), truth)[0] < 0.03
    assert compare(flat.integrals([view(40.0, roll_deg=0.01)], [Pose()], WATER), truth)[0] < 0.03


def test_large_pixels_take_large_voxels_and_small_ones_small():
    projector = voxels(1.0, coarsest_mm=4.0)
    assert [level.spacing_mm[0] for level in projector.levels_hu] == [1.0, 2.0, 4.0]
    assert [projector.level_for(view(pitch_mm=p)) for p in (0.776, 2.0, 3.1, 6.2, 12.0)] == [0, 0, 1, 2, 2]
    seen = view(10.0, columns=32, rows=26, pitch_mm=6.2)
    fine = exact().integrals([view(10.0, columns=128, rows=104, pitch_mm=1.55)], [Pose()], WATER)[0]
    assert compare(projector.integrals([seen], [Pose()], WATER)[0], fine.reshape(32, 4, 26, 4).mean(axis=(1, 3)))[0] < 0.03


def test_frames_of_a_scan_keep_their_order_and_their_poses():
    views = [view(a) for a in (0.0, 30.0, 60.0, 90.0)]
    poses = [Pose(), Pose((5.0, 0.0, 0.0)), Pose((0.0, 0.0, 0.0), (0.0, 0.0, 30.0)), Pose((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))]
    together = voxels().integrals(views, poses, WATER)
    for k in range(4):
        assert np.array_equal(together[k], voxels().integrals([views[k]], [poses[k]], WATER)[0])


def test_pixels_do_not_depend_on_the_number_of_threads():
    views, poses = [view(a) for a in (0.0, 70.0)], [POSES[2]] * 2
    both = voxels().integrals(views, poses, WATER)
    numba.set_num_threads(1)
    try:
        one = voxels().integrals(views, poses, WATER)
    finally:
        numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    assert np.array_equal(both, one)


def test_a_moved_volume_has_its_bodies_where_the_pose_says():
    volume = grid((41, 41, 41), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    volume.data[20 + 10, 20 - 4, 20 + 6] = 1.0  # X 10, Z -4, Y 6
    pose = Pose((2.0, -3.0, 1.0), (0.0, 0.0, 90.0))
    found = moved(volume, pose).data
    x, z, y = np.unravel_index(int(found.argmax()), found.shape)
    assert (x - 20, y - 20, z - 20) == pytest.approx(pose.apply((10.0, 6.0, -4.0)), abs=1e-6)


def test_halving_keeps_the_mean_and_the_place():
    volume = lump().sampled(2.0)
    half = halved(volume)
    assert half.data.mean() == pytest.approx(volume.data.mean(), rel=1e-4) and half.spacing_mm == (4.0, 4.0, 4.0)
    assert np.add(half.origin_mm, half.last_mm) == pytest.approx(np.add(volume.origin_mm, volume.last_mm))


def test_outside_of_the_volume_there_is_nothing():
    far = view(0.0, panel=(5000.0, 0.0, -500.0))
    assert not voxels(4.0).integrals([far], [Pose()], WATER).any()
    assert not voxels(4.0, exact=True).integrals([far], [Pose((0.0, 0.0, 0.0), (0.0, 0.0, 1.0))], WATER).any()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_view_that_is_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match="projector: views is not finite"):
        voxels(4.0).integrals([replace(view(0.0), source_mm=np.array([bad, 0.0, 1000.0]))], [Pose()], WATER)
    data = np.full((4, 4, 4), bad, np.float32)
    with pytest.raises(ValueError, match="HU that are not finite"):
        voxel_projector(Volume(data, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))


def test_attenuation_is_water_at_zero_and_nothing_in_air():
    spectrum = Spectrum(0.02, 0.5)
    assert attenuation([0.0, -1000.0, -2000.0, 1000.0, -500.0], spectrum) == pytest.approx([0.02, 0.0, 0.0, 0.03, 0.01])


def test_harder_beams_see_less_and_bone_less_still():
    tube = load_imagers().kv.tube
    soft, hard = kv_spectrum(tube, 80.0), kv_spectrum(tube, 140.0)
    assert soft.water_per_mm > hard.water_per_mm and soft.bone_factor > hard.bone_factor
    assert soft.quanta_per_mm2 < hard.quanta_per_mm2
    between = kv_spectrum(tube, 90.0)
    assert between.water_per_mm == pytest.approx(0.5 * (0.0227 + 0.0216))


def test_a_patient_who_trembles_gets_the_same_pixels_in_a_scan_and_frame_by_frame():
    views = [view(a) for a in (0.0, 30.0, 60.0)]
    poses = [Pose((0.1 * k, 0.0, 0.0), (1.0 + 0.003 * k, 0.0, -2.0)) for k in range(3)]
    together, projector = voxels(2.0).integrals(views, poses, WATER), voxels(2.0)
    for k in (2, 0, 1):
        assert np.array_equal(together[k], projector.integrals([views[k]], [poses[k]], WATER)[0])
