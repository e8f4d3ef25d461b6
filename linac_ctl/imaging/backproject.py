"""Smears filtered projections back through a volume.

The pixels of a column are first resampled to voxel lines at a few depths; every voxel line then takes a bilinear mix of
four such lines (column x depth). This keeps the inner loops contiguous: three times faster than voxel by voxel.
"""

from math import ceil, floor, sqrt

import numpy as np
from numba import prange
from numpy.typing import NDArray

from device_models.interface.kernels import kernel, parallel_kernel

from .geometry import Frames
from .volume import Volume, step_mm

FRAMES_AT_ONCE = 4  # their resampled lines stay in the shared cache
F = np.float32


@kernel
def _line_at(column, frame, near, pitch_v, y0, step, line):
    """One column's pixels as a voxel line at distance `near` from the source, with the weight of that distance."""
    scale = (frame[4] - frame[7]) / near
    slope = scale * step / pitch_v
    first = ((y0 - frame[3]) * scale + frame[3] - frame[6]) / pitch_v
    i0 = max(0, ceil(-first / slope))
    i1 = max(i0, min(line.size, floor((column.size - 1.0001 - first) / slope) + 1))
    weight = F((frame[4] / near) ** 2)
    line[:] = F(0.0)
    start, step32 = F(first), F(slope)
    for y in range(np.int32(i0), np.int32(i1)):
        at = start + F(y) * step32
        i = np.int32(at)
        k = np.uint64(np.uint32(i))
        line[np.uint64(np.uint32(y))] = weight * (column[k] + (at - F(i)) * (column[k + np.uint64(1)] - column[k]))


@kernel
def _add_frame(lines, frame, x, z, pitch_u, nearest, depth_step, out):
    """Adds one frame to the voxel line at (x, z). lines[column, depth, y]."""
    columns, depths, ny = lines.shape
    c, s = frame[0], frame[1]
    near = frame[4] - (x * s + z * c)
    u = ((x * c - z * s - frame[2]) * (frame[4] - frame[7]) / near + frame[2] - frame[5]) / pitch_u
    iu = floor(u)
    if iu < 0 or iu >= columns - 1:
        return
    depth = (near - nearest) / depth_step
    k = max(0, min(int(depth), depths - 2))
    fu, fd = F(u - iu), F(depth - k)
    w00, w01 = (F(1.0) - fu) * (F(1.0) - fd), (F(1.0) - fu) * fd
    w10, w11 = fu * (F(1.0) - fd), fu * fd
    l00, l01 = lines[iu, k], lines[iu, k + 1]
    l10, l11 = lines[iu + 1, k], lines[iu + 1, k + 1]
    for y in range(ny):
        out[y] += w00 * l00[y] + w01 * l01[y] + w10 * l10[y] + w11 * l11[y]


@parallel_kernel
def _backproject(projections, table, pitch_u, pitch_v, corner, step, radius, depths, at_once, out):
    """Adds all frames to out[x, z, y]; each voxel line belongs to one thread, so threads do not change the sum."""
    frames, columns, _ = projections.shape
    nx, nz, ny = out.shape
    lines = np.empty((at_once, columns, depths, ny), F)
    depth_step = 2.0 * radius / (depths - 1)
    for a in range(0, frames, at_once):
        count = min(at_once, frames - a)
        for bu in prange(count * columns):
            b = bu // columns
            u = bu - b * columns
            for d in range(depths):
                near = table[a + b, 4] - radius + d * depth_step
                _line_at(projections[a + b, u], table[a + b], near, pitch_v, corner[1], step, lines[b, u, d])
        for i in prange(nx):
            for j in range(nz):
                for b in range(count):
                    frame = table[a + b]
                    nearest = frame[4] - radius
                    x, z = corner[0] + i * step, corner[2] + j * step
                    _add_frame(lines[b], frame, x, z, pitch_u, nearest, depth_step, out[i, j])


def backproject(projections: NDArray[np.float32], frames: Frames, onto: Volume, depths: int) -> Volume:
    """The sum of all filtered frames on the grid of `onto`. `depths`: planes per frame, 12 quick, 24 exact to 0.1 HU."""
    out = np.zeros(onto.data.shape, np.float32)
    panel, corner, step = frames.panel, np.array(onto.origin_mm), step_mm(onto)
    far = [max(abs(a), abs(b)) for a, b in zip(onto.origin_mm, onto.last_mm)]
    radius = sqrt(far[0] ** 2 + far[2] ** 2)
    _backproject(
        projections, frames.table(), panel.pitch_u_mm, panel.pitch_v_mm, corner, step, radius, depths, FRAMES_AT_ONCE, out
    )
    return onto.with_data(out)
