"""Reconstruction: the right numbers for every kind of scan, and refusal of scans that cannot give them."""

import numpy as np
import pytest

from device_models.patient.primitives import ellipsoid, table
from device_models.patient.rays import ray_integrals
from linac_ctl.errors import RefusedError
from linac_ctl.imaging.fdk import LITE, Reconstruction, reconstruct
from linac_ctl.imaging.geometry import Frames, Panel, nominal
from linac_ctl.imaging.weights import ScanLimits, fan_angles, scan_weights
from tests.imaging.patient import SMALL, circle

BODIES = table([
    ellipsoid((0.0, 0.0, 0.0), (90.0, 70.0, 75.0), 1000.0),  # HU above air: 0.02 per mm
    ellipsoid((25.0, 10.0, -30.0), (22.0, 25.0, 20.0), 500.0),
])
INSERT, BODY = (25.0, 10.0, -30.0), (-40.0, 0.0, 10.0)
SAG_MM = 4.0


def exact(frames: Frames):
    out = []
    for k in range(len(frames)):
        v = frames.view(k)
        line = ray_integrals(BODIES, np.concatenate([v.source_mm, v.corner_mm, v.du_mm, v.dv_mm]), v.columns, v.rows)
        out.append(line * 2e-5)
    return np.array(out, np.float32)


def mean_near(volume, point):
    at = [round((p - o) / h) for p, o, h in zip(point, volume.origin_mm, volume.spacing_mm)]
    x, y, z = (slice(a - 1, a + 2) for a in at)
    return float(volume.data[x, z, y].mean())


def short(count=106, first=-104.0, step=2.0):
    return nominal(SMALL, first + step * np.arange(count), 1000.0, 1500.0)


SCANS = {
    "full circle": lambda: circle(120),
    "360 deg and more": lambda: nominal(SMALL, -4.5 + 3.0 * np.arange(124), 1000.0, 1500.0),
    "half fan": lambda: circle(120, offset_mm=-110.0),
    "half fan, other side": lambda: circle(120, offset_mm=110.0),
    "short scan": short,
    "short scan, other way": lambda: short(step=-2.0, first=104.0),
}


@pytest.mark.parametrize("scan", SCANS, ids=str)
def test_every_kind_of_scan_gives_the_attenuation(scan):
    frames = SCANS[scan]()
    volume = reconstruct(exact(frames), frames, LITE)
    assert mean_near(volume, BODY) == pytest.approx(0.020, rel=0.02)
    assert mean_near(volume, INSERT) == pytest.approx(0.030, rel=0.02)
    assert mean_near(volume, (110.0, 0.0, 0.0)) == pytest.approx(0.0, abs=4e-4)


def test_half_fan_sees_more_than_the_panel_is_wide():
    wide = table([ellipsoid((0.0, 0.0, 0.0), (150.0, 80.0, 100.0), 1000.0)])
    frames = circle(120, offset_mm=-110.0)
    line = []
    for k in range(len(frames)):
        v = frames.view(k)
        line.append(ray_integrals(wide, np.concatenate([v.source_mm, v.corner_mm, v.du_mm, v.dv_mm]), v.columns, v.rows) * 2e-5)
    volume = reconstruct(np.array(line, np.float32), frames, Reconstruction("wide", 80, 4.0, 1, 12))
    assert mean_near(volume, (130.0, 0.0, 0.0)) == pytest.approx(0.020, rel=0.04)


def test_sag_that_is_known_is_undone():
    frames = circle(120)
    angle = np.radians(frames.angle_deg)[:, None]
    panel = frames.panel_mm + SAG_MM * np.hstack([np.cos(angle), np.sin(angle), 0 * angle])
    sagging = Frames(SMALL, frames.angle_deg, frames.source_mm, panel)
    images = exact(sagging)
    straight = reconstruct(exact(frames), frames, LITE).data
    known, unknown = (reconstruct(images, f, LITE).data - straight for f in (sagging, frames))
    assert known.std() < 0.5 * unknown.std()


def test_the_order_of_frames_does_not_matter():
    frames = circle(60)
    images = exact(frames)
    order = (np.arange(60) * 7) % 60
    a, b = reconstruct(images, frames, LITE), reconstruct(images[order], frames.pick(order), LITE)
    assert np.array_equal(a.data, b.data)


def test_a_binned_scan_is_the_scan_of_a_coarser_panel():
    frames = circle(60, Panel(128, 96, 3.104, 3.104))
    coarse = reconstruct(exact(frames), frames, Reconstruction("coarse", 64, 4.0, 2, 12))
    assert mean_near(coarse, INSERT) == pytest.approx(0.030, rel=0.02)


def test_a_scale_that_jumps_from_359_to_0_is_one_scan():
    frames = short(first=250.0)
    jumping = Frames(SMALL, frames.angle_deg % 360.0, frames.source_mm, frames.panel_mm)
    used, _, weights = scan_weights(jumping)
    assert weights.kind == "short" and used.angle_deg[0] == 250.0 and used.angle_deg[-1] == 100.0


@pytest.mark.parametrize("lost", [slice(10, 13), slice(0, 2)])
def test_missing_projections_are_refused_by_angle(lost):
    frames = circle(90)
    kept = np.delete(np.arange(90), np.arange(90)[lost])
    if lost == slice(0, 2):  # 12 deg at the seam of the circle: no longer a circle, but long enough a scan
        assert scan_weights(frames.pick(kept))[2].kind == "short"
        return
    with pytest.raises(RefusedError, match=r"no projection between 36.0 and 52.0 deg"):
        scan_weights(frames.pick(kept))


def test_too_few_projections_are_refused():
    with pytest.raises(RefusedError, match="30 projections, 40 are the least"):
        scan_weights(circle(30))
    scan_weights(circle(30), ScanLimits(least_frames=30, widest_gap_deg=12.5))


def test_half_a_turn_is_too_short():
    with pytest.raises(RefusedError, match=r"178.0 deg is short of 180 deg and the fan, 194.9 deg"):
        scan_weights(short(90))


def test_a_panel_off_the_axis_is_refused():
    with pytest.raises(RefusedError, match="does not see the axis"):
        scan_weights(circle(90, offset_mm=-250.0))


def test_images_that_do_not_fit_their_geometry_are_refused():
    with pytest.raises(RefusedError, match="geometry is of"):
        reconstruct(np.zeros((90, 64, 47), np.float32), circle(90), LITE)
    with pytest.raises(RefusedError, match="not finite"):
        reconstruct(np.full((90, 64, 48), np.nan, np.float32), circle(90), LITE)


def test_both_measurements_of_a_line_together_count_once():
    frames = short(1060, step=0.2)
    used, _, weights = scan_weights(frames)
    ray = weights.ray / np.radians(0.2)
    beta, gamma = np.radians(used.angle_deg - used.angle_deg[0]), fan_angles(used)[0]
    for column in (5, 20, 44, 60):
        again = beta + np.pi - 2 * gamma[column]
        seen_twice = (again <= beta[-1]) & (beta > 0.01)
        partner = np.interp(again[seen_twice], beta[1:-1], ray[1:-1, -1 - column])
        assert ray[seen_twice, column] + partner == pytest.approx(1.0, abs=0.02)
