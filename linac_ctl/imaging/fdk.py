"""Cone-beam reconstruction: frames of one scan -> attenuation in 1/mm on a grid of cubes about the isocentre."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linac_ctl.errors import RefusedError

from .backproject import backproject
from .geometry import Frames
from .ramp import filtered
from .volume import Volume, checked, cube
from .weights import USUAL_SCAN, ScanLimits, scan_weights


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """How a volume is made. The two modes below are the ones that workflows name."""

    name: str
    count: int  # voxels a side
    step_mm: float
    binning: int  # of the panel, before anything else
    depths: int
    window: float = 1.0  # Nyquist frequencies where the Hann window ends

    def grid(self, centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Volume:
        """The empty volume."""
        return cube(self.count, self.step_mm, centre_mm)


FULL = Reconstruction("full", count=256, step_mm=1.0, binning=1, depths=16)
QUICK = Reconstruction("quick", count=128, step_mm=2.0, binning=1, depths=12)
LITE = Reconstruction("lite", count=64, step_mm=4.0, binning=1, depths=12)
MODES = {mode.name: mode for mode in (FULL, QUICK, LITE)}


def reconstruct(
    projections: NDArray[np.float32], frames: Frames, how: Reconstruction = QUICK,
    onto: Volume | None = None, limits: ScanLimits = USUAL_SCAN,
) -> Volume:
    """(n, columns, rows) line integrals and their geometry -> attenuation, 1/mm. Frames may come in any order.

    RefusedError: too few frames, a gap between angles, a scan short of half a turn and the fan, or a panel off the axis.
    """
    frames, projections = _binned(projections, frames, how.binning)
    used, order, weights = scan_weights(frames, limits)
    projections, ray = np.ascontiguousarray(projections[order]), weights.ray
    if weights.kind == "half_fan":
        projections, used, ray = _both_sides(projections, used, ray)
    grid = checked(onto or how.grid(), "CBCT")
    _check_clear(used, grid)
    return backproject(filtered(projections, used, ray, how.window), used, grid, how.depths)


def binned(images: NDArray[np.float32], by: int) -> NDArray[np.float32]:
    """(..., columns, rows) averaged `by` x `by`."""
    if by == 1:
        return images
    u, v = images.shape[-2] // by, images.shape[-1] // by
    kept = images[..., : u * by, : v * by].reshape(*images.shape[:-2], u, by, v, by)
    return np.ascontiguousarray(kept.mean((-3, -1), dtype=np.float32))


def _both_sides(
    images: NDArray[np.float32], frames: Frames, ray: NDArray[np.float64]
) -> tuple[NDArray[np.float32], Frames, NDArray[np.float64]]:
    """Empty columns on the short side of a half fan: nothing was measured there, but filtered images reach out to there."""
    offset, panel = float(np.median(frames.panel_mm[:, 0])), frames.panel
    more = int(np.ceil(2 * abs(offset) / panel.pitch_u_mm))
    before, after = (more, 0) if offset > 0 else (0, more)
    wide = replace(panel, columns=panel.columns + more)
    shift = np.array([(after - before) / 2 * panel.pitch_u_mm, 0.0, 0.0])
    frames = replace(frames, panel=wide, panel_mm=frames.panel_mm + shift)
    return np.pad(images, ((0, 0), (before, after), (0, 0))), frames, np.pad(ray, ((0, 0), (before, after)))


def _binned(projections: NDArray[np.float32], frames: Frames, by: int) -> tuple[Frames, NDArray[np.float32]]:
    expected = (len(frames), frames.panel.columns, frames.panel.rows)
    if projections.shape != expected:
        raise RefusedError(f"CBCT: images {projections.shape}, but the geometry is of {expected} (frames, columns, rows)")
    if not np.isfinite(projections).all():
        raise RefusedError("CBCT: a projection holds pixels that are not finite; correct the raw frames first")
    return frames.binned(by), binned(np.asarray(projections, np.float32), by)


def _check_clear(frames: Frames, grid: Volume) -> None:
    far = [max(abs(a), abs(b)) for a, b in zip(grid.origin_mm, grid.last_mm)]
    radius, source = float(np.hypot(far[0], far[2])), float(frames.source_mm[:, 2].min())
    if source <= 1.05 * radius:
        raise RefusedError(f"CBCT: the source at {source:.0f} mm would pass through a grid of {radius:.0f} mm; make it smaller")
