"""A volume as a moved patient fills it: trilinear samples on a grid at rest. And voxels twice as large."""

import math

import numpy as np
from numba import float32 as f4
from numba import int32 as i4
from numba import uint32 as u4
from numba import uint64 as u8

from device_models.interface.kernels import finite, parallel_kernel, prange
from device_models.interface.volume import Pose, Volume

from .joseph import clipped


@parallel_kernel
def _moved(data, origin, spacing, turn, shift, origin_2, spacing_2, out):
    """out(r) = data(R^T (r - t)); 0 outside."""
    nx, nz, ny = data.shape
    flat = data.reshape(-1)
    n1, n2 = u8(ny), u8(nz * ny)
    n3 = n1 + n2
    my = out.shape[2]
    for ix in prange(out.shape[0]):
        rx = origin_2[0] + ix * spacing_2[0] - shift[0]
        ry = origin_2[1] - shift[1]
        ex = turn[1, 0] * spacing_2[1] / spacing[0]
        ey = turn[1, 1] * spacing_2[1] / spacing[1]
        ez = turn[1, 2] * spacing_2[1] / spacing[2]
        for iz in range(out.shape[1]):
            rz = origin_2[2] + iz * spacing_2[2] - shift[2]
            px = (turn[0, 0] * rx + turn[1, 0] * ry + turn[2, 0] * rz - origin[0]) / spacing[0]
            py = (turn[0, 1] * rx + turn[1, 1] * ry + turn[2, 1] * rz - origin[1]) / spacing[1]
            pz = (turn[0, 2] * rx + turn[1, 2] * ry + turn[2, 2] * rz - origin[2]) / spacing[2]
            t0, t1 = clipped(px, ex, 0.0, nx - 1.001, 0.0, my - 1.0)
            t0, t1 = clipped(py, ey, 0.0, ny - 1.001, t0, t1)
            t0, t1 = clipped(pz, ez, 0.0, nz - 1.001, t0, t1)
            if t1 < t0:
                continue
            x0, y0, z0, xs, ys, zs = f4(px), f4(py), f4(pz), f4(ex), f4(ey), f4(ez)
            row = out[ix, iz]
            for k in range(i4(math.ceil(t0)), i4(math.floor(t1)) + i4(1)):
                x = x0 + f4(k) * xs
                y = y0 + f4(k) * ys
                z = z0 + f4(k) * zs
                jx = i4(x)
                jy = i4(y)
                jz = i4(z)
                fx, fy, fz = x - f4(jx), y - f4(jy), z - f4(jz)
                at = u8(u4(jx)) * n2 + u8(u4(jz)) * n1 + u8(u4(jy))
                p = flat[at]
                c00 = p + fy * (flat[at + u8(1)] - p)
                p = flat[at + n1]
                c01 = p + fy * (flat[at + n1 + u8(1)] - p)
                p = flat[at + n2]
                c10 = p + fy * (flat[at + n2 + u8(1)] - p)
                p = flat[at + n3]
                c11 = p + fy * (flat[at + n3 + u8(1)] - p)
                c0 = c00 + fz * (c01 - c00)
                row[u8(u4(k))] = c0 + fx * (c10 + fz * (c11 - c10) - c0)


def moved(volume: Volume, pose: Pose) -> Volume:
    """The volume of a patient at `pose` on the volume's own grid; what leaves the grid is lost, what enters is 0."""
    out = np.zeros_like(volume.data)
    origin, spacing = np.array(volume.origin_mm), np.array(volume.spacing_mm)
    finite("resampling", matrix=pose.matrix, shift=pose.t)
    _moved(volume.data, origin, spacing, pose.matrix, pose.t, origin, spacing, out)
    return volume.with_data(out)


def halved(volume: Volume) -> Volume:
    """Means of 2 x 2 x 2 voxels; an odd last layer is left out."""
    nx, nz, ny = (n // 2 for n in volume.data.shape)
    blocks = volume.data[: 2 * nx, : 2 * nz, : 2 * ny].reshape(nx, 2, nz, 2, ny, 2)
    x, y, z = (o + 0.5 * h for o, h in zip(volume.origin_mm, volume.spacing_mm, strict=True))
    hx, hy, hz = volume.spacing_mm
    return Volume(np.ascontiguousarray(blocks.mean(axis=(1, 3, 5), dtype=np.float32)), (x, y, z), (2 * hx, 2 * hy, 2 * hz))
