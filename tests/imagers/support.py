"""A small patient and imagers without sag for tests."""

import numpy as np

from device_models.imagers.config import STIFF, ImagersConfig, load_imagers
from device_models.imagers.frame import Instant
from device_models.imagers.kv import KvImager, KvShot, Permits
from device_models.imagers.projector import BodyProjector, VoxelProjector, voxel_projector
from device_models.imagers.tube import Technique
from device_models.imagers.views import view_of
from device_models.patient.couch import CouchPose
from device_models.patient.hidden import HiddenPose
from device_models.patient.phantom import Phantom
from device_models.patient.primitives import ellipsoid, sphere, table, tilted

YES = Permits(door_closed=True, exposure_held=True)
CBCT = Technique(125.0, 42.0, 20.0)


def lump() -> Phantom:
    """A tilted ellipsoid of water with a dense and a light sphere, none on an axis."""
    rows = [
        ellipsoid((3.0, -4.0, 5.0), (52.0, 40.0, 46.0), 1000.0, tilted(10.0, 20.0, -15.0)),
        sphere((14.0, 9.0, -8.0), 9.0, 600.0), sphere((-16.0, -12.0, 12.0), 11.0, -400.0),
    ]
    return Phantom("lump", table(rows), ((-64.0, -64.0, -64.0), (64.0, 64.0, 64.0)))


def exact() -> BodyProjector:
    return BodyProjector(lump())


def voxels(spacing_mm=1.0, **options) -> VoxelProjector:
    return voxel_projector(lump().sampled(spacing_mm), **options)


def view(angle_deg=0.0, source=(0.0, 0.0, 1000.0), panel=(0.0, 0.0, -500.0), roll_deg=0.0, columns=96, rows=80, pitch_mm=2.0):
    return view_of(angle_deg, np.array(source), np.array(panel), roll_deg, (columns, rows, pitch_mm))


def stiff() -> ImagersConfig:
    """The built-in imagers, without sag."""
    config = load_imagers()
    return config.model_copy(update={
        "kv": config.kv.model_copy(update={"flex": STIFF}), "mv": config.mv.model_copy(update={"flex": STIFF}),
    })


def instant(gantry_deg=0.0, time_s=1.0, couch=None, **arms) -> Instant:
    return Instant(time_s, gantry_deg, couch or CouchPose(), **arms)


def shot(
    gantry_deg=0.0, time_s=1.0, seen_deg=None, technique=CBCT, binning=16, range_name="sensitive", couch=None, **arms
) -> KvShot:
    seen = instant(gantry_deg if seen_deg is None else seen_deg, time_s, couch, **arms)
    return KvShot(technique, instant(gantry_deg, time_s, couch, **arms), seen, binning, range_name)


def kv(seed=5, projector=None, hidden=None, config=None) -> KvImager:
    return KvImager((config or stiff()).kv, projector or exact(), hidden or HiddenPose(), seed)
