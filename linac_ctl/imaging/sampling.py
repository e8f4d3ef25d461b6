"""Compiled pieces that every ray, voxel and point loop shares: where a line is inside, and values between voxels.

Offsets into the flat volume are unsigned: numba tests every signed index for wrap-around, which halves the speed.
"""

import numpy as np

from device_models.interface.kernels import kernel

ONE = np.uint64(1)


@kernel
def inside(start, slope, low, high, t0, t1):
    """The part of t0 .. t1 in which low <= start + t * slope <= high; empty: t0 > t1."""
    if abs(slope) > 1e-12:
        a = (low - start) / slope
        b = (high - start) / slope
        return max(t0, min(a, b)), min(t1, max(a, b))
    if start < low or start > high:
        return 1.0, 0.0
    return t0, t1


@kernel
def value(flat, x, y, z, line, plane):
    """Trilinear value at voxel coordinates (float32, inside); line and plane are strides along z and x."""
    ix = np.int32(x)
    iy = np.int32(y)
    iz = np.int32(z)
    fx = x - np.float32(ix)
    fy = y - np.float32(iy)
    fz = z - np.float32(iz)
    at = np.uint64(np.uint32(ix)) * plane + np.uint64(np.uint32(iz)) * line + np.uint64(np.uint32(iy))
    v = flat[at]
    c00 = v + fy * (flat[at + ONE] - v)
    v = flat[at + line]
    c01 = v + fy * (flat[at + line + ONE] - v)
    v = flat[at + plane]
    c10 = v + fy * (flat[at + plane + ONE] - v)
    far = at + plane + line
    v = flat[far]
    c11 = v + fy * (flat[far + ONE] - v)
    c0 = c00 + fz * (c01 - c00)
    c1 = c10 + fz * (c11 - c10)
    return c0 + fx * (c1 - c0)


@kernel
def value_and_slope(flat, x, y, z, line, plane):
    """Trilinear value and its derivatives per voxel along x, y, z."""
    ix = np.int32(x)
    iy = np.int32(y)
    iz = np.int32(z)
    fx = x - np.float32(ix)
    fy = y - np.float32(iy)
    fz = z - np.float32(iz)
    at = np.uint64(np.uint32(ix)) * plane + np.uint64(np.uint32(iz)) * line + np.uint64(np.uint32(iy))
    v = flat[at]
    e00 = flat[at + ONE] - v
    c00 = v + fy * e00
    v = flat[at + line]
    e01 = flat[at + line + ONE] - v
    c01 = v + fy * e01
    v = flat[at + plane]
    e10 = flat[at + plane + ONE] - v
    c10 = v + fy * e10
    far = at + plane + line
    v = flat[far]
    e11 = flat[far + ONE] - v
    c11 = v + fy * e11
    d0 = c01 - c00
    d1 = c11 - c10
    c0 = c00 + fz * d0
    along_x = c10 + fz * d1 - c0
    e0 = e00 + fz * (e01 - e00)
    e1 = e10 + fz * (e11 - e10)
    return c0 + fx * along_x, along_x, e0 + fx * (e1 - e0), d0 + fx * (d1 - d0)
