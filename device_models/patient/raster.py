"""Primitives into voxels: each voxel is the mean over its cube, so edges are soft and do not step (anti-aliasing)."""

import math

import numpy as np

from device_models.interface.kernels import finite, kernel, parallel_kernel, prange
from device_models.interface.volume import Floats, Volume

from .primitives import reach

AIR_HU = -1000.0


@kernel
def _share(body, x, y, z, hx, hy, hz, fine):
    """Share of the voxel about (x, y, z) that lies in a body; half edges hx hy hz, `fine` samples a side."""
    dx, dy, dz = x - body[1], y - body[2], z - body[3]
    u = (body[4] * dx + body[7] * dy + body[10] * dz) / body[13]
    v = (body[5] * dx + body[8] * dy + body[11] * dz) / body[14]
    w = (body[6] * dx + body[9] * dy + body[12] * dz) / body[15]
    # no point of the voxel is farther than this from its centre in the body's own scaled frame
    most = math.sqrt(hx * hx + hy * hy + hz * hz) / min(body[13], body[14], body[15])
    far = math.sqrt(u * u + v * v + w * w) if body[0] == 0.0 else max(math.sqrt(u * u + v * v), abs(w))
    if far >= 1.0 + most:
        return 0.0
    if far <= 1.0 - most:
        return 1.0
    inside = 0
    for i in range(fine):
        px = dx + hx * ((2 * i + 1) / fine - 1.0)
        for j in range(fine):
            py = dy + hy * ((2 * j + 1) / fine - 1.0)
            for k in range(fine):
                pz = dz + hz * ((2 * k + 1) / fine - 1.0)
                u = (body[4] * px + body[7] * py + body[10] * pz) / body[13]
                v = (body[5] * px + body[8] * py + body[11] * pz) / body[14]
                w = (body[6] * px + body[9] * py + body[12] * pz) / body[15]
                if body[0] == 0.0:
                    inside += u * u + v * v + w * w < 1.0
                else:
                    inside += (u * u + v * v < 1.0) and (abs(w) < 1.0)
    return inside / (fine * fine * fine)


@parallel_kernel
def _fill(bodies, boxes, origin, spacing, fine, out):
    """Adds every body to out[ix, iz, iy]; boxes (n, 6): first and last index + 1 along X, Y, Z."""
    hx, hy, hz = 0.5 * spacing[0], 0.5 * spacing[1], 0.5 * spacing[2]
    for ix in prange(out.shape[0]):
        x = origin[0] + ix * spacing[0]
        for b in range(bodies.shape[0]):
            if ix < boxes[b, 0] or ix >= boxes[b, 1]:
                continue
            for iz in range(boxes[b, 4], boxes[b, 5]):
                z = origin[2] + iz * spacing[2]
                for iy in range(boxes[b, 2], boxes[b, 3]):
                    share = _share(bodies[b], x, origin[1] + iy * spacing[1], z, hx, hy, hz, fine)
                    if share > 0.0:
                        out[ix, iz, iy] += np.float32(bodies[b, 16] * share)


def boxes(bodies: Floats, on: Volume) -> np.ndarray:
    """(n, 6) int64: the voxels that each body may touch."""
    found = np.zeros((len(bodies), 6), np.int64)
    for body, box in zip(bodies, found, strict=True):
        span = reach(body)
        for axis in range(3):
            low = (body[1 + axis] - span[axis] - on.origin_mm[axis]) / on.spacing_mm[axis]
            high = (body[1 + axis] + span[axis] - on.origin_mm[axis]) / on.spacing_mm[axis]
            box[2 * axis] = min(max(math.floor(low), 0), on.size[axis])
            box[2 * axis + 1] = min(max(math.ceil(high) + 1, 0), on.size[axis])
    return found


def rasterised(bodies: Floats, on: Volume, fine: int = 4, air_hu: float = AIR_HU) -> Volume:
    """HU of the bodies on the grid of a volume; `fine`³ samples in a voxel that an edge crosses."""
    finite("phantom", bodies=bodies)
    out = np.full(on.data.shape, air_hu, np.float32)
    _fill(bodies, boxes(bodies, on), np.array(on.origin_mm), np.array(on.spacing_mm), fine, out)
    return on.with_data(out)
