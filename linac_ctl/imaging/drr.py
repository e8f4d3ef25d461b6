"""Radiographs of a volume in any position, with their exact derivatives with respect to that position.

Line integrals by equidistant trilinear samples. The derivative of a rigid motion p -> p + w x p + v of the patient is
dL/dv = -int grad mu, dL/dw = -int p x grad mu along the ray: one pass gives the image and all six.
"""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from device_models.interface.kernels import kernel, parallel_kernel
from linac_ctl.errors import RefusedError

from .geometry import View
from .pose import Pose
from .sampling import inside, value, value_and_slope
from .volume import Volume, step_mm

Image = NDArray[np.float32]


@kernel
def _span(source, unit, shape, stride):
    """First parameter and number of samples of a ray (voxel units) inside the volume; samples sit in mid-interval."""
    t0, t1 = inside(source[0], unit[0], 0.0, shape[0] - 1.0001, 0.0, 1e9)
    t0, t1 = inside(source[1], unit[1], 0.0, shape[2] - 1.0001, t0, t1)
    t0, t1 = inside(source[2], unit[2], 0.0, shape[1] - 1.0001, t0, t1)
    if t1 <= t0:
        return 0.0, 0
    n = int((t1 - t0) / stride)
    return t0 + 0.5 * ((t1 - t0) - (n - 1) * stride), n


@kernel
def _ray(source, corner, du, dv, i, j):
    """Unit vector from the source to pixel (i, j)."""
    x = corner[0] + i * du[0] + j * dv[0] - source[0]
    y = corner[1] + i * du[1] + j * dv[1] - source[1]
    z = corner[2] + i * du[2] + j * dv[2] - source[2]
    length = np.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


@kernel
def _sum(flat, strides, source, unit, t0, n, stride):
    """Sum of n samples along a ray."""
    x, y, z = np.float32(source[0] + t0 * unit[0]), np.float32(source[1] + t0 * unit[1]), np.float32(source[2] + t0 * unit[2])
    ex, ey, ez = np.float32(unit[0] * stride), np.float32(unit[1] * stride), np.float32(unit[2] * stride)
    total = np.float32(0.0)
    for k in range(np.int32(n)):
        f = np.float32(k)
        total += value(flat, x + f * ex, y + f * ey, z + f * ez, strides[0], strides[1])
    return total


@kernel
def _sums(flat, strides, source, unit, t0, n, stride):
    """Sums of value, gradient (x y z) and sample number times gradient (x y z) along a ray."""
    x, y, z = np.float32(source[0] + t0 * unit[0]), np.float32(source[1] + t0 * unit[1]), np.float32(source[2] + t0 * unit[2])
    ex, ey, ez = np.float32(unit[0] * stride), np.float32(unit[1] * stride), np.float32(unit[2] * stride)
    total = gx = gy = gz = hx = hy = hz = np.float32(0.0)
    for k in range(np.int32(n)):
        f = np.float32(k)
        v, sx, sy, sz = value_and_slope(flat, x + f * ex, y + f * ey, z + f * ez, strides[0], strides[1])
        total += v
        gx += sx
        gy += sy
        gz += sz
        hx += f * sx
        hy += f * sy
        hz += f * sz
    return total, gx, gy, gz, hx, hy, hz


@kernel
def _strides(shape):
    return np.uint64(shape[2]), np.uint64(shape[1] * shape[2])


@parallel_kernel
def _integrals(data, step, source, corner, du, dv, stride, out):
    """out[u, v]; geometry in voxel units."""
    flat = data.reshape(-1)
    strides = _strides(data.shape)
    for i in prange(out.shape[0]):
        for j in range(out.shape[1]):
            unit = _ray(source, corner, du, dv, i, j)
            t0, n = _span(source, unit, data.shape, stride)
            out[i, j] = _sum(flat, strides, source, unit, t0, n, stride) * np.float32(stride * step)


@parallel_kernel
def _integrals_and_slopes(data, step, origin, source, corner, du, dv, stride, out):
    """out[7, u, v]: line integral, three per mm of translation, three per radian of turn about `origin` (voxel units)."""
    flat = data.reshape(-1)
    strides = _strides(data.shape)
    for i in prange(out.shape[1]):
        for j in range(out.shape[2]):
            unit = _ray(source, corner, du, dv, i, j)
            t0, n = _span(source, unit, data.shape, stride)
            total, gx, gy, gz, hx, hy, hz = _sums(flat, strides, source, unit, t0, n, stride)
            out[0, i, j] = total * np.float32(stride * step)
            out[1, i, j] = -gx * np.float32(stride)
            out[2, i, j] = -gy * np.float32(stride)
            out[3, i, j] = -gz * np.float32(stride)
            ax, bx = (source[0] + t0 * unit[0] - origin[0]) * step, unit[0] * stride * step
            ay, by = (source[1] + t0 * unit[1] - origin[1]) * step, unit[1] * stride * step
            az, bz = (source[2] + t0 * unit[2] - origin[2]) * step, unit[2] * stride * step
            out[4, i, j] = -stride * np.float32(ay * gz - az * gy + by * hz - bz * hy)
            out[5, i, j] = -stride * np.float32(az * gx - ax * gz + bz * hx - bx * hz)
            out[6, i, j] = -stride * np.float32(ax * gy - ay * gx + bx * hy - by * hx)


def drr(volume: Volume, view: View, pose: Pose | None = None, stride_voxels: float = 1.0) -> Image:
    """(columns, rows) line integrals of the volume displaced by `pose`; `volume` as `checked`."""
    out = np.empty((view.columns, view.rows), np.float32)
    source, corner, du, dv = _in_voxels(volume, view, pose)
    _integrals(volume.data, step_mm(volume), source, corner, du, dv, stride_voxels, out)
    return out


def drr_and_slopes(volume: Volume, view: View, pose: Pose, stride_voxels: float = 1.0) -> Image:
    """(7, columns, rows): line integral; its derivative per mm and per radian of a motion applied before `pose`."""
    out = np.empty((7, view.columns, view.rows), np.float32)
    source, corner, du, dv = _in_voxels(volume, view, pose)
    origin = -np.array(volume.origin_mm) / step_mm(volume)
    _integrals_and_slopes(volume.data, step_mm(volume), origin, source, corner, du, dv, stride_voxels, out)
    return out


def _in_voxels(volume: Volume, view: View, pose: Pose | None) -> tuple[NDArray[np.float64], ...]:
    """The view as the volume sees it when the volume is displaced by `pose`; lengths in voxels."""
    undo = (pose or Pose()).inverse()
    step, corner = step_mm(volume), np.array(volume.origin_mm)
    turn = undo.matrix / step
    placed = ((undo.apply(p) - corner) / step for p in (view.source_mm, view.corner_mm))
    out = (*placed, turn @ view.du_mm, turn @ view.dv_mm)
    if not all(np.isfinite(v).all() for v in out):
        raise RefusedError("radiograph of the plan: source, panel or pose is not finite; check the arm readbacks")
    return out
