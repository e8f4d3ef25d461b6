"""From what imagers deliver to what matchers take: line integrals, places of source and panel, the CT as this tube would see it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config.machine import KvFlexConfig
from ..errors import DeviceError
from ..subsystems.mv_frames import Frame, MvFrame
from .protocol import ImagePhysics

if TYPE_CHECKING:
    from device_models.interface.volume import Volume

    from ..imaging.geometry import Frames
    from ..imaging.scatter import ScatterModel


def attenuation(hu: "Volume", water_per_mm: float, bone_factor: float) -> "Volume":
    """1/mm on cubes, by the controller's own calibration of its tube."""
    from ..imaging.volume import cubes

    if max(hu.spacing_mm) - min(hu.spacing_mm) > 1e-6 * hu.spacing_mm[0]:
        hu = cubes(hu, max(hu.spacing_mm), outside=-1000.0)
    data = np.where(hu.data > 0.0, np.float32(bone_factor) * hu.data, hu.data)
    return hu.with_data(np.maximum(1.0 + 1e-3 * data, 0.0) * np.float32(water_per_mm))


def scatter_of(physics: ImagePhysics) -> "ScatterModel | None":
    """None where the protocol says there is none."""
    from ..imaging.scatter import ScatterModel

    return ScatterModel(physics.scatter_ratio, physics.scatter_width_mm) if physics.scatter_ratio else None


def lit(frame: Frame) -> Any:
    """Pixels that may have seen a beam: behind jaws there is none."""
    if not isinstance(frame, MvFrame):
        return frame.pixels
    scale = 1.0 - frame.panel_mm[2] / frame.source_mm[2]  # from the isocentre plane to the panel
    rows, columns = frame.pixels.shape
    half = max(abs(edge) for edge in (*frame.jaws_mm, 0.0) if np.isfinite(edge)) * scale / frame.pitch_mm
    low_u, low_v = max(0, int(columns / 2 - half)), max(0, int(rows / 2 - half))
    return frame.pixels[low_v : rows - low_v, low_u : columns - low_u]


def integrals(frames: Sequence[Frame]) -> Any:
    """(n, columns, rows) float32 line integrals, scatter and all; 0 counts give what half a count would."""
    return np.stack([np.log(np.float32(f.air_counts) / np.maximum(f.pixels.T.astype(np.float32), np.float32(0.5))) for f in frames])


def frames_of(frames: Sequence[Frame], flex: KvFlexConfig) -> "Frames":
    """Where source and panel were: readbacks and the sag that was measured."""
    from ..imaging.geometry import Frames, Panel

    rows, columns = frames[0].pixels.shape
    if any(frame.pixels.shape != (rows, columns) for frame in frames):
        raise DeviceError("imager: frames of one run differ in size; image again")
    sag = sags(flex, np.array([frame.gantry_deg for frame in frames]))
    return Frames(Panel(columns, rows, frames[0].pitch_mm, frames[0].pitch_mm), np.array([f.source_angle_deg for f in frames]),
                  np.array([f.source_mm for f in frames]) + sag[0], np.array([f.panel_mm for f in frames]) + sag[1])


def sags(flex: KvFlexConfig, gantry_deg: Any) -> tuple[Any, Any]:
    """(n, 3) mm each of source and panel along u, v, w."""
    angle = np.radians(gantry_deg)
    parts = np.stack([np.ones_like(angle), np.cos(angle), np.sin(angle)])
    return (np.array(flex.source_mm) @ parts).T, (np.array(flex.panel_mm) @ parts).T
