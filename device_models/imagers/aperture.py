"""How much of an MV beam reaches each pixel: jaws and leaves with soft edges, at the isocentre plane, IEC 61217."""

from dataclasses import dataclass

import numpy as np

from device_models.interface.kernels import finite, inlined, parallel_kernel, prange
from device_models.interface.volume import Floats, Pixels

from .views import View, turned_axes

OPEN_JAWS: tuple[float, float, float, float] = (-200.0, 200.0, -200.0, 200.0)


@dataclass(frozen=True, slots=True, eq=False)
class Aperture:
    """Where the beam is open. Without leaves the jaws alone shape it."""

    jaws_mm: tuple[float, float, float, float] = OPEN_JAWS  # X1, X2, Y1, Y2
    collimator_deg: float = 0.0
    boundaries_mm: Floats | None = None  # (n + 1,) leaf sides along Y
    bank_a_mm: Floats | None = None  # (n,) tips on the X2 side
    bank_b_mm: Floats | None = None  # (n,) tips on the X1 side


@inlined
def _edge(inside, width):
    """0 outside, 1 inside, a straight ramp of `width` between."""
    return min(max(inside / width + 0.5, 0.0), 1.0)


@parallel_kernel
def _open(plane, size, jaws, turn, sides, tips, width, leak, out):
    """out[iu, iv]; plane: x and y at the isocentre of pixel (0, 0), then their steps per column and per row."""
    cos, sin = turn[0], turn[1]
    for i in prange(size[0]):
        for j in range(size[1]):
            u = plane[0] + i * plane[2] + j * plane[4]
            v = plane[1] + i * plane[3] + j * plane[5]
            x = u * cos + v * sin
            y = v * cos - u * sin
            share = _edge(x - jaws[0], width) * _edge(jaws[1] - x, width) * _edge(y - jaws[2], width) * _edge(jaws[3] - y, width)
            if tips.shape[1] > 0:
                leaves = 0.0
                for k in range(tips.shape[1]):
                    across = _edge(y - sides[k], width) + _edge(sides[k + 1] - y, width) - 1.0
                    if across > 0.0 and tips[0, k] > tips[1, k]:
                        leaves += across * _edge(tips[0, k] - x, width) * _edge(x - tips[1, k], width)
                share *= min(leaves, 1.0)
            out[i, j] = np.float32(leak + (1.0 - leak) * share)


def open_share(aperture: Aperture, view: View, gantry_deg: float, sad_mm: float, penumbra_mm: float, transmission: float) -> Pixels:
    """(columns, rows) float32, 1 in the open field, `transmission` behind leaves."""
    axes = turned_axes(gantry_deg)
    points = np.stack([view.corner_mm, view.corner_mm + view.du_mm, view.corner_mm + view.dv_mm]) @ axes.T
    onto = points[:, :2] * (sad_mm / (sad_mm - points[:, 2:]))
    plane = np.concatenate([onto[0], onto[1] - onto[0], onto[2] - onto[0]])
    sides = np.zeros(1) if aperture.boundaries_mm is None else np.ascontiguousarray(aperture.boundaries_mm, float)
    given = aperture.bank_a_mm is not None and aperture.bank_b_mm is not None
    tips = np.ascontiguousarray([aperture.bank_a_mm, aperture.bank_b_mm], float) if given else np.zeros((2, 0))
    angle = np.radians(aperture.collimator_deg)
    jaws, turn = np.array(aperture.jaws_mm, float), np.array([np.cos(angle), np.sin(angle)])
    finite("aperture", plane=plane, jaws=jaws, turn=turn, sides=sides, tips=tips)
    if given and len(sides) != tips.shape[1] + 1:
        raise ValueError(f"aperture: {tips.shape[1]} leaf pairs, {len(sides)} leaf sides; one more side than pairs is needed")
    out = np.empty((view.columns, view.rows), np.float32)
    _open(plane, np.array([view.columns, view.rows]), jaws, turn, sides, tips, penumbra_mm, transmission, out)
    return out
