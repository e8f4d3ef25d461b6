"""Line integrals of a volume for any pose of source and panel (Joseph 1982): one bilinear sample per slice of the axis that a
ray follows most. Indices are unsigned and flat on purpose: numba tests every signed index for wrap-around.
"""

import math

import numpy as np
from numba import float32 as f4
from numba import int32 as i4
from numba import uint32 as u4
from numba import uint64 as u8

from device_models.interface.kernels import finite, inlined, parallel_kernel, prange
from device_models.interface.volume import Floats, Pixels, Volume


@inlined
def clipped(start, slope, low, high, t0, t1):
    """The part of [t0, t1] where start + slope t lies within [low, high]; t1 < t0 when there is none."""
    if abs(slope) > 1e-12:
        a = (low - start) / slope
        b = (high - start) / slope
        return max(t0, min(a, b)), min(t1, max(a, b))
    if start < low or start > high:
        return 1.0, 0.0
    return t0, t1


@parallel_kernel
def _project(data, origin, spacing, views, out):
    """out[a, iu, iv] from data[ix, iz, iy] and views[a, 12] in the volume's frame."""
    nx, nz, ny = data.shape
    flat = data.reshape(-1)
    nu, nv = out.shape[1], out.shape[2]
    for au in prange(out.shape[0] * nu):  # rows innermost: neighbouring rays share the contiguous lines along Y
        a = au // nu
        i = au - a * nu
        w = views[a]
        sx = (w[0] - origin[0]) / spacing[0]
        sy = (w[1] - origin[1]) / spacing[1]
        sz = (w[2] - origin[2]) / spacing[2]
        for j in range(nv):
            mx = w[3] + i * w[6] + j * w[9] - w[0]
            my = w[4] + i * w[7] + j * w[10] - w[1]
            mz = w[5] + i * w[8] + j * w[11] - w[2]
            length = math.sqrt(mx * mx + my * my + mz * mz)
            dx = mx / spacing[0]
            dy = my / spacing[1]
            dz = mz / spacing[2]
            if abs(dz) >= abs(dx) and abs(dz) >= abs(dy):  # m: along the ray; a and b across it
                ma, mb, per = dx / dz, dy / dz, length / abs(dz)
                pa, pb = sx - ma * sz, sy - mb * sz
                na, nb, nm = nx, ny, nz
                da, db, dm = u8(nz * ny), u8(1), u8(ny)
            elif abs(dx) >= abs(dy):
                ma, mb, per = dz / dx, dy / dx, length / abs(dx)
                pa, pb = sz - ma * sx, sy - mb * sx
                na, nb, nm = nz, ny, nx
                da, db, dm = u8(ny), u8(1), u8(nz * ny)
            else:
                ma, mb, per = dx / dy, dz / dy, length / abs(dy)
                pa, pb = sx - ma * sy, sz - mb * sy
                na, nb, nm = nx, nz, ny
                da, db, dm = u8(nz * ny), u8(ny), u8(1)
            t0, t1 = clipped(pa, ma, 0.0, na - 1.001, 0.0, nm - 1.0)
            t0, t1 = clipped(pb, mb, 0.0, nb - 1.001, t0, t1)
            total = f4(0.0)
            if t1 >= t0:
                x0, y0, xs, ys = f4(pa), f4(pb), f4(ma), f4(mb)
                both = da + db
                for k in range(i4(math.ceil(t0)), i4(math.floor(t1)) + i4(1)):
                    x = x0 + f4(k) * xs
                    y = y0 + f4(k) * ys
                    ix = i4(x)
                    iy = i4(y)
                    fx = x - f4(ix)
                    fy = y - f4(iy)
                    at = u8(u4(ix)) * da + u8(u4(k)) * dm + u8(u4(iy)) * db
                    p = flat[at]
                    near = p + fy * (flat[at + db] - p)
                    q = flat[at + da]
                    far = q + fy * (flat[at + both] - q)
                    total += near + fx * (far - near)
            out[a, i, j] = total * f4(per)


def project_any(volume: Volume, views: Floats, columns: int, rows: int) -> Pixels:
    """(n, columns, rows) line integrals; views (n, 12) in the volume's frame."""
    finite("projector", views=views)
    out = np.zeros((len(views), columns, rows), np.float32)
    _project(volume.data, np.array(volume.origin_mm), np.array(volume.spacing_mm), np.ascontiguousarray(views, float), out)
    return out
