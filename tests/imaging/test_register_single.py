"""The target in one radiograph: two of three directions, at any angle, and when nothing is believed."""

import numpy as np
import pytest

from device_models.interface.volume import Pose
from linac_ctl.imaging.drr import drr
from linac_ctl.imaging.geometry import Panel, View, kv_angle_deg, nominal
from linac_ctl.imaging.register_pair import Radiograph
from linac_ctl.imaging.register_single import Found, SingleMatcher, SingleSearch, magnified, shifted
from linac_ctl.imaging.volume import Volume
from linac_ctl.sequencer.frame_numbers import attenuation
from tests.sequencer.guided import protocol, room

PANEL = Panel(128, 96, 3.104, 3.104)
TARGET = np.array(room().planning.target_mm)


def ct() -> Volume:
    physics = protocol().physics
    return attenuation(room().planning.hu, physics.water_per_mm, physics.bone_factor)


CT = ct()
MATCHER = SingleMatcher(CT)


def view(gantry_deg: float) -> View:
    return nominal(PANEL, kv_angle_deg(np.array([gantry_deg])), 1000.0, 1500.0).view(0)


def seen(gantry_deg: float, pose: Pose, noise: float = 0.0) -> Radiograph:
    image = drr(CT, view(gantry_deg), pose)
    luck = np.random.default_rng(1).normal(0.0, noise, image.shape)
    return Radiograph(np.asarray(image * 0.93 + 0.1 + luck, np.float32), view(gantry_deg))


@pytest.mark.parametrize("gantry_deg", [-170.0, -90.0, -40.0, 0.0, 63.0, 150.0])
@pytest.mark.parametrize("off_mm", [(0.0, 0.0, 0.0), (1.0, -0.5, 0.8), (-3.0, 4.0, 2.0)])
def test_the_offset_is_found_at_every_angle_whatever_gain_and_offset(gantry_deg: float, off_mm: tuple[float, float, float]) -> None:
    found = MATCHER(seen(gantry_deg, Pose(off_mm), 0.01), Pose(), TARGET)
    it = view(gantry_deg)
    want = [np.array(off_mm) @ axis / np.linalg.norm(axis) for axis in (it.du_mm, it.dv_mm)]
    assert found.good and found.off_mm == pytest.approx(want, abs=0.35) and found.similarity > 0.9


def test_what_is_found_stands_on_a_grid_so_that_no_last_bit_reaches_the_cycle() -> None:
    found = MATCHER(seen(20.0, Pose((0.3, 0.7, -0.4)), 0.01), Pose(), TARGET)
    assert [round(v, 3) for v in found.off_mm] == list(found.off_mm) and round(found.similarity, 4) == found.similarity


def test_a_shift_along_the_ray_is_not_seen_and_does_no_harm() -> None:
    found = MATCHER(seen(0.0, Pose((4.0, 0.0, 0.0))), Pose(), TARGET)  # the kV source stands on the left
    assert np.abs(found.off_mm).max() < 0.3


def test_what_ought_to_be_turned_is_compared_turned() -> None:
    turned = Pose((0.0, 0.0, 0.0), (0.0, 0.0, 20.0))
    found = MATCHER(seen(10.0, turned), turned, TARGET)
    assert np.abs(found.off_mm).max() < 0.1 and found.similarity > 0.98


def test_beyond_its_reach_nothing_is_believed() -> None:
    near, short = Pose((0.0, 4.0, 0.0)), SingleMatcher(CT, search=SingleSearch(reach_mm=3.0))
    assert MATCHER(seen(0.0, near), Pose(), TARGET).off_mm[1] == pytest.approx(4.0, abs=0.35)
    assert not short(seen(0.0, near), Pose(), TARGET).good


def test_noise_alone_is_not_a_target() -> None:
    luck = np.random.default_rng(2).normal(3.0, 1.0, (128, 96)).astype(np.float32)
    assert not MATCHER(Radiograph(luck, view(0.0)), Pose(), TARGET, 0.5).good
    assert not MATCHER(Radiograph(np.full((128, 96), 3.0, np.float32), view(0.0)), Pose(), TARGET, 0.5).good


def test_a_target_that_the_panel_does_not_show_is_not_found() -> None:
    found = MATCHER(seen(0.0, Pose()), Pose((0.0, 180.0, 0.0)), TARGET)
    assert not found.good and found.similarity == -1.0 and isinstance(found, Found)


def test_a_millimetre_at_the_isocentre_is_one_and_a_half_at_the_panel() -> None:
    assert magnified(view(0.0), np.zeros(3)) == pytest.approx(1.5, abs=1e-6)


def test_whole_and_broken_pixels_are_found() -> None:
    u, v = np.mgrid[0:60, 0:50]
    def ball(at_u: float, at_v: float) -> np.ndarray:
        return np.exp(-((u - at_u) ** 2 + (v - at_v) ** 2) / 40.0)
    found, similarity = shifted(ball(30.0, 25.0), 2.0 * ball(34.3, 22.6) + 1.0, 10, 8.0)
    assert found == pytest.approx((4.3, -2.4), abs=0.02) and similarity > 0.999
