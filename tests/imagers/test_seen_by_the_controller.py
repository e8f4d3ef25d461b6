"""From frames and metadata alone, the controller's own reconstruction finds the patient where he really lies."""

import numpy as np
import pytest

from device_models.interface.volume import Pose
from device_models.patient.couch import CouchPose
from device_models.patient.hidden import HiddenPose
from linac_ctl.imaging.fdk import Reconstruction, reconstruct
from linac_ctl.imaging.geometry import Frames, Panel
from tests.imagers.support import YES, kv, lump, shot, stiff, voxels

SMALL = Reconstruction("test", count=64, step_mm=2.0, binning=1, depths=12)


def scanned(hidden, couch):
    """A scan of 360 deg, 90 frames; (projections, geometry)."""
    config = stiff()
    panel = config.kv.panel.model_copy(update={"scatter_fraction": 0.0, "columns": 1024})
    config = config.model_copy(update={"kv": config.kv.model_copy(update={"panel": panel})})
    shots = [shot(a, 1.0 + 0.1 * k, couch=couch) for k, a in enumerate(np.linspace(-180.0, 176.0, 90))]
    frames = kv(projector=voxels(), hidden=hidden, config=config).scan(shots, YES)
    told = [frame.metadata for frame in frames]
    geometry = Frames(
        Panel(told[0].columns, told[0].rows, told[0].pitch_mm, told[0].pitch_mm), np.array([m.source_angle_deg for m in told]),
        np.array([m.source_mm for m in told]), np.array([m.panel_mm for m in told]),
    )
    return np.stack([np.ascontiguousarray(frame.integrals().T) for frame in frames]), geometry


@pytest.mark.parametrize("couch", [CouchPose(), CouchPose(3.0, -5.0, 2.0, 0.0, 1.0, -1.0)])
def test_a_cbct_shows_the_dense_sphere_where_the_pose_puts_it(couch):
    hidden = HiddenPose(set_up=Pose((4.0, -3.0, 2.0), (1.0, -1.5, 2.0)))
    found = reconstruct(*scanned(hidden, couch), SMALL)
    x, y, z = (found.axis_mm(axis) for axis in range(3))
    truth = hidden.pose(1.0, couch).apply((14.0, 9.0, -8.0))
    near = (x[:, None, None] - truth[0]) ** 2 + (y[None, None, :] - truth[1]) ** 2 + (z[None, :, None] - truth[2]) ** 2 < 13.0**2
    weight = np.where(near, np.clip(found.data / 0.0204 - 1.25, 0.0, None), 0.0).astype(float)
    centre = [(weight * a).sum() / weight.sum() for a in (x[:, None, None], y[None, None, :], z[None, :, None])]
    assert centre == pytest.approx(truth, abs=0.15)
    assert lump().bodies[1, 1:4] == pytest.approx((14.0, 9.0, -8.0))
