"""Line integrals for any pose of source and panel, by way of an upright panel: one whose columns lie along an axis of the volume.

A panel is only a way to name rays from the source. So the fast kernel of `aligned` fills a panel that stands upright in the
volume behind all that the real one sees, and the real pixels are read from it with a cubic (Catmull and Rom 1974). Upright is Y
for most views; when a turned couch lets the beam come along Y it is X or Z, and the volume is laid down for that once.
"""

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
from numba import float32 as f4
from numba import int32 as i4
from numba import uint32 as u4
from numba import uint64 as u8

from device_models.interface.kernels import inlined, parallel_kernel, prange
from device_models.interface.volume import Floats, Pixels, Volume

from .aligned import SLAB, project_aligned
from .views import View

SWAPS = ((1, 0, 2), (0, 1, 2), (0, 2, 1))  # per upright axis: which axes take the places of X, Y, Z
CLIMB = 0.5  # sine of the angle between ray and level at which Y is left for an axis that costs a copy
STEEPEST = 1.5  # of a ray against the panel's normal: beyond, there is no upright panel
PER_VOXEL = 0.6  # finest pixel in voxels: below it, what voxels cost is the larger error
SHIFT = 0.5  # voxels that a ray may climb between the middle of a slab and its end, which is corrected to first order
PAD = 2  # pixels around those that are read: a cubic takes four


@dataclass(frozen=True, slots=True, eq=False)
class Upright:
    """Real pixel (i, j) lies at column a.(1, i, j) / c.(1, i, j) and row b.(1, i, j) / c.(1, i, j)."""

    twelve: Floats
    columns: int
    rows: int
    slab: int
    reads: Floats  # (3, 3): a, b, c


@parallel_kernel
def _lay(data, out):
    """out[iy, iz, ix] = data[ix, iz, iy], by squares that fit a cache line."""
    nx, nz, ny = data.shape
    for z in prange(nz):
        square = np.empty((16, 16), np.float32)
        for x0 in range(0, nx, 16):
            for y0 in range(0, ny, 16):
                mx, my = min(16, nx - x0), min(16, ny - y0)
                for x in range(mx):
                    for y in range(my):
                        square[y, x] = data[x0 + x, z, y0 + y]
                for y in range(my):
                    for x in range(mx):
                        out[y0 + y, z, x0 + x] = square[y, x]


def swapped(volume: Volume, axis: int) -> Volume:
    """The same voxels in a frame that has Y and this axis (0, 1, 2 for X, Y, Z) exchanged: what is upright is contiguous."""
    if axis == 1:
        return volume
    x, y, z = (volume.origin_mm[k] for k in SWAPS[axis])
    hx, hy, hz = (volume.spacing_mm[k] for k in SWAPS[axis])
    if axis == 2:
        return Volume(np.ascontiguousarray(volume.data.transpose(0, 2, 1)), (x, y, z), (hx, hy, hz))
    out = np.empty(volume.data.shape[::-1], np.float32)
    _lay(volume.data, out)
    return Volume(out, (x, y, z), (hx, hy, hz))


def swapped_view(view: View, axis: int) -> View:
    """The view in that frame."""
    order = list(SWAPS[axis])
    return View(view.source_mm[order], view.corner_mm[order], view.du_mm[order], view.dv_mm[order], view.columns, view.rows)


def upright_axis(view: View) -> int:
    """Y unless the middle ray climbs along it; then Z, or X, which takes longest to lay down."""
    rays, (_, middle) = _rays(view), _extremes(view)
    ray = np.abs(middle @ rays)
    level = [axis for axis in (1, 2, 0) if ray[axis] <= CLIMB * np.linalg.norm(ray)]
    return level[0] if level else int(np.argmin(ray))


def _rays(view: View) -> Floats:
    """(3, 3): source to pixel (0, 0), then the steps per column and per row."""
    return np.stack([view.corner_mm - view.source_mm, view.du_mm, view.dv_mm])


def _extremes(view: View) -> tuple[Floats, Floats]:
    """(4, 3) and (3,): (1, i, j) of the corner pixels and of the panel's middle."""
    i, j = view.columns - 1.0, view.rows - 1.0
    return np.array([[1.0, a, b] for a in (0.0, i) for b in (0.0, j)]), np.array([1.0, 0.5 * i, 0.5 * j])


def _corners(volume: Volume) -> Floats:
    """(8, 3) mm."""
    return np.array(list(product(*zip(volume.origin_mm, volume.last_mm, strict=True))))


def upright(view: View, volume: Volume) -> Upright | None:
    """The upright panel for a view in the volume's frame; None when rays are too steep, or start inside the volume."""
    source, rays, (ends, middle) = view.source_mm, _rays(view), _extremes(view)
    ray = middle @ rays
    level = math.hypot(ray[0], ray[2])
    if not level * STEEPEST > abs(ray[1]):
        return None
    ahead = np.array([ray[0], 0.0, ray[2]]) / level
    across = np.array([ahead[2], 0.0, -ahead[0]])
    box = (_corners(volume) - source) @ np.stack([across, [0.0, 1.0, 0.0], ahead]).T
    near, far = float(box[:, 2].min()), float(box[:, 2].max())
    depth = rays @ ahead
    if not (near > 0.1 * far and (ends @ depth).min() > 1e-3 * level):
        return None
    sideways, up = far * rays @ across, far * rays[:, 1]  # the panel stands right behind the volume, where rays may end
    left, right = _overlap(ends @ sideways / (ends @ depth), far * box[:, 0] / box[:, 2])
    low, high = _overlap(ends @ up / (ends @ depth), far * box[:, 1] / box[:, 2])
    pitch = _pitch(view, level, 0.5 * (near + far), min(volume.spacing_mm)) * far / (0.5 * (near + far))
    u0, v0 = left - PAD * pitch, low - PAD * pitch
    columns, rows = (math.ceil(width / pitch) + 2 * PAD + 1 for width in (right - left, high - low))
    climb = max(abs(low), abs(high)) / far * min(volume.spacing_mm[0], volume.spacing_mm[2]) / volume.spacing_mm[1]
    slab = next((n for n in range(SLAB, 1, -1) if 0.5 * (n - 1) * climb <= SHIFT), 1)
    corner = source + far * ahead + u0 * across + np.array([0.0, v0, 0.0])
    twelve = np.concatenate([source, corner, pitch * across, [0.0, pitch, 0.0]])
    return Upright(twelve, columns, rows, slab, np.stack([(sideways - u0 * depth) / pitch, (up - v0 * depth) / pitch, depth]))


def _pitch(view: View, to_panel_mm: float, to_middle_mm: float, voxel_mm: float) -> float:
    """In the middle of the volume: as fine as the real pixels there, but no finer than the voxels are worth. mm."""
    pixel = min(float(np.linalg.norm(view.du_mm)), float(np.linalg.norm(view.dv_mm)))
    return max(pixel * to_middle_mm / to_panel_mm, PER_VOXEL * voxel_mm)


def _overlap(seen: Floats, there: Floats) -> tuple[float, float]:
    """The part of the panel that shows the volume; empty parts have no width."""
    low, high = max(float(seen.min()), float(there.min())), min(float(seen.max()), float(there.max()))
    return low, max(low, high)


@inlined
def _cubic(t):
    """Weights of four neighbours at a fraction t between the inner two."""
    s = f4(1.0) - t
    return (
        f4(-0.5) * t * s * s, f4(1.0) + t * t * (f4(1.5) * t - f4(2.5)),
        f4(1.0) + s * s * (f4(1.5) * s - f4(2.5)), f4(-0.5) * s * t * t,
    )  # fmt: skip


@parallel_kernel
def _read(image, reads, out):
    """out[i, j] from the upright image[iu, iv]; 0 beside it, where there is no volume."""
    nu, nv = image.shape
    flat = image.reshape(-1)
    for i in prange(out.shape[0]):
        a, b, c = reads[0, 0] + i * reads[0, 1], reads[1, 0] + i * reads[1, 1], reads[2, 0] + i * reads[2, 1]
        for j in range(out.shape[1]):
            near = 1.0 / (c + j * reads[2, 2])
            u = f4((a + j * reads[0, 2]) * near)
            v = f4((b + j * reads[1, 2]) * near)
            if not (f4(1.0) <= u < f4(nu - 2) and f4(1.0) <= v < f4(nv - 2)):
                out[i, j] = f4(0.0)
                continue
            iu, iv = i4(u), i4(v)
            u0, u1, u2, u3 = _cubic(u - f4(iu))
            v0, v1, v2, v3 = _cubic(v - f4(iv))
            at = u8(u4(iu - i4(1))) * u8(nv) + u8(u4(iv - i4(1)))
            total = u0 * (v0 * flat[at] + v1 * flat[at + u8(1)] + v2 * flat[at + u8(2)] + v3 * flat[at + u8(3)])
            at += u8(nv)
            total += u1 * (v0 * flat[at] + v1 * flat[at + u8(1)] + v2 * flat[at + u8(2)] + v3 * flat[at + u8(3)])
            at += u8(nv)
            total += u2 * (v0 * flat[at] + v1 * flat[at + u8(1)] + v2 * flat[at + u8(2)] + v3 * flat[at + u8(3)])
            at += u8(nv)
            total += u3 * (v0 * flat[at] + v1 * flat[at + u8(1)] + v2 * flat[at + u8(2)] + v3 * flat[at + u8(3)])
            out[i, j] = max(total, f4(0.0))  # a cubic dips below zero beside an edge


def project_upright(volume: Volume, panel: Upright, columns: int, rows: int) -> Pixels:
    """(columns, rows) line integrals of a volume in the panel's frame."""
    image = project_aligned(volume, panel.twelve[None], panel.columns, panel.rows, panel.slab)[0]
    out = np.empty((columns, rows), np.float32)
    _read(image, panel.reads, out)
    return out
