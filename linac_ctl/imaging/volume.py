"""Volumes for matching: equal cubes, finite, in levels. The volume itself is `device_models.interface.volume.Volume`."""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from device_models.interface.kernels import parallel_kernel
from device_models.interface.volume import Volume, grid
from linac_ctl.errors import RefusedError

from .sampling import inside, value

__all__ = ["Volume", "checked", "cube", "cubes", "grid", "halved", "pyramid", "sampled", "step_mm"]

Floats = NDArray[np.float64]


def step_mm(volume: Volume) -> float:
    """Edge of its cubes; refused when they are none."""
    x, y, z = volume.spacing_mm
    if max(x, y, z) - min(x, y, z) > 1e-6 * x:
        raise RefusedError(f"volume: voxels of {x:g} x {y:g} x {z:g} mm are no cubes; resample them with `cubes` first")
    return x


def cube(count: int, step: float, centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Volume:
    """Zeros: `count` cubes a side about a centre."""
    return grid((count, count, count), (step, step, step), centre_mm)


def checked(volume: Volume, who: str) -> Volume:
    """The volume, when unchecked kernels may read it."""
    if not np.isfinite(volume.data).all():
        raise RefusedError(f"{who}: the volume holds voxels that are not finite; they cannot be projected or matched")
    step_mm(volume)
    return volume


@parallel_kernel
def _halve(data, out):
    """Mean of 2 x 2 x 2 voxels."""
    nx, nz, ny = out.shape
    for x in prange(nx):
        for z in range(nz):
            for y in range(ny):
                total = np.float32(0.0)
                for a in range(2):
                    for b in range(2):
                        total += data[2 * x + a, 2 * z + b, 2 * y] + data[2 * x + a, 2 * z + b, 2 * y + 1]
                out[x, z, y] = total * np.float32(0.125)


def halved(volume: Volume) -> Volume:
    """Voxels twice as large; an odd last layer is left out."""
    out = np.empty([n // 2 for n in volume.data.shape], np.float32)
    _halve(volume.data, out)
    x, y, z = (o + h / 2 for o, h in zip(volume.origin_mm, volume.spacing_mm))
    hx, hy, hz = volume.spacing_mm
    return Volume(out, (x, y, z), (2 * hx, 2 * hy, 2 * hz))


def pyramid(volume: Volume, coarsest_mm: float) -> tuple[Volume, ...]:
    """The volume and its halves, fine to coarse, as long as the step stays within `coarsest_mm`."""
    levels = [volume]
    while step_mm(levels[-1]) * 2 <= coarsest_mm + 1e-6 and min(levels[-1].data.shape) >= 8:
        levels.append(halved(levels[-1]))
    return tuple(levels)


@parallel_kernel
def _sample(data, start, per_x, per_y, per_z, outside, out):
    """out[x, z, y] = data at start + x per_x + y per_y + z per_z (voxels of data, axes x y z)."""
    flat = data.reshape(-1)
    nx, nz, ny = data.shape
    line, plane = np.uint64(ny), np.uint64(nz * ny)
    for x in prange(out.shape[0]):
        for z in range(out.shape[1]):
            px = start[0] + x * per_x[0] + z * per_z[0]
            py = start[1] + x * per_x[1] + z * per_z[1]
            pz = start[2] + x * per_x[2] + z * per_z[2]
            t0, t1 = inside(px, per_y[0], 0.0, nx - 1.001, 0.0, out.shape[2] - 1.0)
            t0, t1 = inside(py, per_y[1], 0.0, ny - 1.001, t0, t1)
            t0, t1 = inside(pz, per_y[2], 0.0, nz - 1.001, t0, t1)
            for y in range(out.shape[2]):
                if t0 <= y <= t1:
                    at = np.float32(y)
                    out[x, z, y] = value(
                        flat, np.float32(px) + at * np.float32(per_y[0]), np.float32(py) + at * np.float32(per_y[1]),
                        np.float32(pz) + at * np.float32(per_y[2]), line, plane,
                    )
                else:
                    out[x, z, y] = outside


def sampled(volume: Volume, onto: Volume, turn: Floats | None = None, t_mm: Floats | None = None, outside: float = 0.0) -> Volume:
    """`volume` on the grid of `onto`: the voxel at r gets the value at `turn` r + `t_mm` (trilinear)."""
    turn = np.eye(3) if turn is None else turn
    t = np.zeros(3) if t_mm is None else t_mm
    if not (np.isfinite(volume.data).all() and np.isfinite(turn).all() and np.isfinite(t).all()):
        raise RefusedError("resampling: volume or pose is not finite")
    scale = np.array(volume.spacing_mm)
    start = (turn @ np.array(onto.origin_mm) + t - np.array(volume.origin_mm)) / scale
    along = (turn * np.array(onto.spacing_mm)) / scale[:, None]
    out = np.empty(onto.data.shape, np.float32)
    # a grid that ends on the last voxel's centre would lose it to rounding
    _sample(volume.data, start, along[:, 0].copy(), along[:, 1].copy(), along[:, 2].copy(), np.float32(outside), out)
    return onto.with_data(out)


def cubes(volume: Volume, step: float, outside: float = 0.0) -> Volume:
    """The whole volume in cubes of `step` mm about the same centre."""
    size = [max(2, int(np.floor((n - 1) * h / step)) + 1) for n, h in zip(volume.size, volume.spacing_mm)]
    x, y, z = ((a + b) / 2 for a, b in zip(volume.origin_mm, volume.last_mm))
    return sampled(volume, grid((size[0], size[1], size[2]), (step, step, step), (x, y, z)), outside=outside)
