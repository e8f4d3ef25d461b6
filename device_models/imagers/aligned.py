"""Line integrals when columns of pixels lie along Y, as those of a gantry without tilt do: several times faster than any pose.

The rays of one column lie in a plane that holds Y, so interpolation across acts on whole lines of voxels, which are contiguous.
`SLAB` neighbouring steps share one resampling from voxels to pixels; what perspective does within a slab is corrected to first
order (rms 0.0003 in a line integral of 4, where voxels of 1 mm cost 0.008).
"""

import math

import numpy as np
from numba import float32 as f4
from numba import int32 as i4
from numba import uint32 as u4
from numba import uint64 as u8

from device_models.interface.kernels import finite, parallel_kernel, prange
from device_models.interface.volume import Floats, Pixels, Volume

from .joseph import clipped

SLAB = 4


@parallel_kernel
def _project(data, origin, spacing, views, slab, out):
    """out[a, iu, iv] from data[ix, iz, iy] and views[a, 12] in the volume's frame, dv along +Y."""
    nx, nz, ny = data.shape
    nu, nv = out.shape[1], out.shape[2]
    hx, hy, hz = spacing[0], spacing[1], spacing[2]
    step = min(hx, hz)
    for au in prange(out.shape[0] * nu):
        a = au // nu
        i = au - a * nu
        w = views[a]
        column = out[a, i]
        ex = w[3] + i * w[6] - w[0]
        ez = w[5] + i * w[8] - w[2]
        reach = math.sqrt(ex * ex + ez * ez)  # source to this column, seen along Y
        ex /= reach
        ez /= reach
        t0, t1 = clipped((w[0] - origin[0]) / hx, ex / hx, 0.0, nx - 1.001, 0.0, reach)
        t0, t1 = clipped((w[2] - origin[2]) / hz, ez / hz, 0.0, nz - 1.001, t0, t1)
        n = int((t1 - t0) / step) if t1 > t0 else 0
        if n < 1:
            continue
        t0 += 0.5 * ((t1 - t0) - (n - 1) * step)
        line = np.empty(ny + 1, np.float32)
        tilt = np.empty(ny + 1, np.float32)  # each sample times its depth within the slab
        below = f4((origin[1] - w[1]) / hy)  # first voxel above the source, in voxels
        for k0 in range(0, n, slab):
            k1 = min(n, k0 + slab)
            middle = t0 + 0.5 * (k0 + k1 - 1) * step
            for k in range(k0, k1):
                t = t0 + k * step
                px = (w[0] + t * ex - origin[0]) / hx
                pz = (w[2] + t * ez - origin[2]) / hz
                jx = int(px)
                jz = int(pz)
                fx = f4(px - jx)
                fz = f4(pz - jz)
                w00 = (f4(1.0) - fx) * (f4(1.0) - fz)
                w01 = (f4(1.0) - fx) * fz
                w10 = fx * (f4(1.0) - fz)
                w11 = fx * fz
                l00 = data[jx, jz]
                l01 = data[jx, jz + 1]
                l10 = data[jx + 1, jz]
                l11 = data[jx + 1, jz + 1]
                depth = f4((t - middle) / middle)
                if k == k0:
                    for y in range(ny):
                        value = w00 * l00[y] + w01 * l01[y] + w10 * l10[y] + w11 * l11[y]
                        line[y] = value
                        tilt[y] = depth * value
                else:
                    for y in range(ny):
                        value = w00 * l00[y] + w01 * l01[y] + w10 * l10[y] + w11 * l11[y]
                        line[y] += value
                        tilt[y] += depth * value
            if k1 - k0 > 1:
                for y in range(i4(1), i4(ny - 1)):
                    at = u8(u4(y))
                    line[at] += f4(0.5) * (below + f4(y)) * (tilt[at + u8(1)] - tilt[at - u8(1)])
            line[ny] = line[ny - 1]
            scale = middle / reach
            slope = scale * w[10] / hy
            first = (w[1] + (w[4] - w[1]) * scale - origin[1]) / hy
            v0 = max(0, math.ceil(-first / slope))
            v1 = min(nv, math.floor((ny - 1.001 - first) / slope) + 1)
            y0 = f4(first)
            ys = f4(slope)
            for v in range(i4(v0), i4(v1)):
                y = y0 + f4(v) * ys
                iy = i4(y)
                share = y - f4(iy)
                at = u8(u4(iy))
                column[u8(u4(v))] += line[at] + share * (line[at + u8(1)] - line[at])
        for v in range(nv):
            rise = (w[4] + v * w[10] - w[1]) / reach
            column[v] *= f4(step * math.sqrt(1.0 + rise * rise))


def project_aligned(volume: Volume, views: Floats, columns: int, rows: int, slab: int = SLAB) -> Pixels:
    """(n, columns, rows) line integrals; views (n, 12) in the volume's frame, du without Y, dv along +Y."""
    finite("projector", views=views)
    out = np.zeros((len(views), columns, rows), np.float32)
    _project(volume.data, np.array(volume.origin_mm), np.array(volume.spacing_mm), np.ascontiguousarray(views, float), slab, out)
    return out
