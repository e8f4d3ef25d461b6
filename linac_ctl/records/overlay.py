"""Planning CT against CBCT, before and after the match, in three planes: always the same windows, sizes and colours."""

import numpy as np
from numpy.typing import NDArray

from linac_ctl.imaging.pictures import BONE_HU, PLANES, Grey, beside, checkerboard, cut, red_cyan, titled, windowed
from linac_ctl.imaging.pose import Pose
from linac_ctl.imaging.volume import Volume, grid, sampled

WIDE, STEP_MM, FIELD = 200, 0.75, 20  # pixels a side, their size, pixels a side of the checkerboard's fields
AIR_HU = -1000.0
NEAR_MM = 60.0  # the levels of both are compared this far around the isocentre
GAINS = (0.3, 3.0)
Slices = dict[str, NDArray[np.float32]]


def overlays(ct: Volume, seen: Volume, planned: Pose, found: Pose) -> tuple[Grey, Grey]:
    """(before, after): upper row CT red and CBCT cyan, lower row in turn. HU, fixed frame.

    `planned`, `found`: where a planned point p should be in the CBCT, and where the match says it is. A CBCT's HU are off by
    scatter; for the eye its levels are brought to those of the CT by one gain and one offset for each match.
    """
    base = slices(ct, Pose())
    before, after = slices(seen, planned), slices(seen, found)
    gain, offset = levels(base, after)
    return tuple(_sheet(base, {k: (v - offset) / gain for k, v in s.items()}) for s in (before, after))  # type: ignore[return-value]


def compared(ct: Volume, seen: Volume, planned: Pose, found: Pose) -> Grey:
    """Before and after, one below the other."""
    before, after = overlays(ct, seen, planned, found)
    return np.concatenate([before, np.zeros((6, *before.shape[1:]), np.uint8), after])


def slices(volume: Volume, pose: Pose) -> Slices:
    """Plane -> (WIDE, WIDE) HU through the isocentre, of the volume looked at where `pose` carries the planned points."""
    out: Slices = {}
    for name, axis in PLANES.items():
        size = [WIDE, WIDE, WIDE]
        size[axis] = 3
        thin = grid((size[0], size[1], size[2]), (STEP_MM,) * 3, (0.0, 0.0, 0.0))
        out[name] = cut(sampled(volume, thin, pose.matrix, pose.t, outside=AIR_HU), name)
    return out


def levels(ct: Slices, seen: Slices) -> tuple[float, float]:
    """(gain, offset) of seen = gain ct + offset around the isocentre; (1, 0) where that says nothing."""
    half = int(NEAR_MM / STEP_MM)
    near = slice(WIDE // 2 - half, WIDE // 2 + half)
    a, b = (np.concatenate([s[name][near, near].ravel() for name in PLANES]).astype(float) for s in (ct, seen))
    spread = float(((a - a.mean()) ** 2).sum())
    gain = float(((a - a.mean()) * (b - b.mean())).sum()) / spread if spread > 0.0 else 0.0
    if not GAINS[0] <= gain <= GAINS[1]:
        return 1.0, 0.0
    return gain, float(b.mean() - gain * a.mean())


def _sheet(ct: Slices, seen: Slices) -> Grey:
    rows: list[list[Grey]] = [[], []]
    for name in PLANES:
        a, b = windowed(ct[name], BONE_HU), windowed(seen[name], BONE_HU)
        rows[0].append(titled(red_cyan(a, b), f"{name}: CT red, CBCT cyan"))
        rows[1].append(titled(checkerboard(a, b, FIELD), f"{name}: CT and CBCT in turn"))
    return np.concatenate([beside(row) for row in rows])
