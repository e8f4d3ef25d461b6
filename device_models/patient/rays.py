"""Exact line integrals through primitives, in closed form: a truth that owes nothing to voxels or to the projector."""

import math

import numpy as np

from device_models.interface.kernels import finite, kernel, parallel_kernel, prange
from device_models.interface.volume import Floats


@kernel
def _chord(kind, ox, oy, oz, dx, dy, dz):
    """Length inside the unit ball (0) or the unit cylinder (1) in units of the ray parameter: o + t d, any t."""
    if kind == 0.0:
        a = dx * dx + dy * dy + dz * dz
        b = ox * dx + oy * dy + oz * dz
        d = b * b - a * (ox * ox + oy * oy + oz * oz - 1.0)
        return 2.0 * math.sqrt(d) / a if d > 0.0 else 0.0
    a = dx * dx + dy * dy
    b = ox * dx + oy * dy
    c = ox * ox + oy * oy - 1.0
    t0, t1 = -1e30, 1e30
    if a > 1e-14:
        d = b * b - a * c
        if d <= 0.0:
            return 0.0
        t0, t1 = (-b - math.sqrt(d)) / a, (-b + math.sqrt(d)) / a
    elif c > 0.0:
        return 0.0
    if abs(dz) > 1e-14:
        near, far = (-1.0 - oz) / dz, (1.0 - oz) / dz
        t0, t1 = max(t0, min(near, far)), min(t1, max(near, far))
    elif abs(oz) > 1.0:
        return 0.0
    return max(t1 - t0, 0.0)


@parallel_kernel
def _integrals(bodies, view, out):
    """out[iu, iv] = sum over bodies of chord x value; view: source, pixel (0, 0), du, dv in the bodies' frame."""
    nu, nv = out.shape
    sx, sy, sz = view[0], view[1], view[2]
    for i in prange(nu):
        for j in range(nv):
            rx = view[3] + i * view[6] + j * view[9] - sx
            ry = view[4] + i * view[7] + j * view[10] - sy
            rz = view[5] + i * view[8] + j * view[11] - sz
            inverse = 1.0 / math.sqrt(rx * rx + ry * ry + rz * rz)
            rx *= inverse
            ry *= inverse
            rz *= inverse
            total = 0.0
            for b in range(bodies.shape[0]):
                p = bodies[b]
                fx, fy, fz = sx - p[1], sy - p[2], sz - p[3]
                along = fx * rx + fy * ry + fz * rz
                if fx * fx + fy * fy + fz * fz - along * along > p[13] * p[13] + p[14] * p[14] + p[15] * p[15]:
                    continue  # misses the ball about the body
                ox = (p[4] * fx + p[7] * fy + p[10] * fz) / p[13]
                oy = (p[5] * fx + p[8] * fy + p[11] * fz) / p[14]
                oz = (p[6] * fx + p[9] * fy + p[12] * fz) / p[15]
                dx = (p[4] * rx + p[7] * ry + p[10] * rz) / p[13]
                dy = (p[5] * rx + p[8] * ry + p[11] * rz) / p[14]
                dz = (p[6] * rx + p[9] * ry + p[12] * rz) / p[15]
                total += p[16] * _chord(p[0], ox, oy, oz, dx, dy, dz)
            out[i, j] = total


def ray_integrals(bodies: Floats, view: Floats, columns: int, rows: int) -> Floats:
    """(columns, rows): HU·mm above air for a view (12,) given in frame P: source, centre of pixel (0, 0), du, dv."""
    finite("ray integrals", bodies=bodies, view=view)
    out = np.zeros((columns, rows))
    _integrals(bodies, np.ascontiguousarray(view, float), out)
    return out
