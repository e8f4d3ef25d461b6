"""The part of the planning CT that counts in a match, and the points that stand for it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linac_ctl.errors import RefusedError

from .volume import Volume, step_mm

Floats = NDArray[np.float64]
Triple = tuple[float, float, float]
LEAST_POINTS = 200


@dataclass(frozen=True, slots=True)
class ClipBox:
    """Corners in mm in the fixed frame about the planned isocentre. Keep it inside the patient: the edge of the field of
    view stands still in every scan and pulls a match to zero."""

    low_mm: Triple
    high_mm: Triple

    def __post_init__(self) -> None:
        if not all(a < b for a, b in zip(self.low_mm, self.high_mm)):
            raise RefusedError(f"clip box: {self.low_mm} to {self.high_mm} mm holds nothing; low must be below high")


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """n voxels of one level: places (n, 3) mm, values (n,) and slopes (n, 3) per mm."""

    step_mm: float
    at_mm: Floats
    value: Floats
    slope: Floats


def slopes(volume: Volume) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Central differences along X, Y, Z, per mm."""
    x, z, y = (np.asarray(g, np.float32) for g in np.gradient(volume.data, step_mm(volume)))
    return x, y, z


def points_in(volume: Volume, box: ClipBox, count: int) -> Points:
    """Half of the points where the volume changes most, half evenly spread over the box."""
    inside = [np.flatnonzero((volume.axis_mm(i) > box.low_mm[i]) & (volume.axis_mm(i) < box.high_mm[i])) for i in range(3)]
    if min(map(len, inside)) < 2 or np.prod([len(i) for i in inside]) < LEAST_POINTS:
        raise RefusedError(
            f"clip box {box.low_mm} to {box.high_mm} mm: {'x'.join(str(len(i)) for i in inside)} voxels of "
            f"{step_mm(volume):g} mm lie in it and in the volume; {LEAST_POINTS} are the least"
        )
    mesh = np.ix_(inside[0], inside[2], inside[1])
    grad = np.stack([s[mesh].ravel() for s in slopes(volume)], 1).astype(float)
    chosen = _chosen((grad**2).sum(1), count)
    x, z, y = np.unravel_index(chosen, [len(inside[i]) for i in (0, 2, 1)])
    at = np.stack([volume.axis_mm(i)[inside[i]][k] for i, k in ((0, x), (1, y), (2, z))], 1)
    return Points(step_mm(volume), at, volume.data[mesh].ravel()[chosen].astype(float), grad[chosen])


def _chosen(strength: Floats, count: int) -> NDArray[np.intp]:
    half = max(LEAST_POINTS // 2, min(count // 2, len(strength) // 6))  # all of a box would drown its edges in flat tissue
    strongest = np.argsort(-strength, kind="stable")[:half]
    even = np.linspace(0, len(strength) - 1, half).astype(np.intp)
    return np.unique(np.concatenate([strongest, even]))
