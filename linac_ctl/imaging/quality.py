"""What a match leaves unexplained, place by place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .clip import ClipBox
from .pose import Pose
from .volume import Volume, sampled


@dataclass(frozen=True, slots=True, eq=False)
class ResidualMap:
    """`volume`: the CBCT brought to the planning CT's place less what gain and offset make of the reference, 1/mm."""

    volume: Volume
    moved: Volume  # the CBCT itself, at the planning CT's place
    rms: float  # 1/mm, inside the box
    worst_mm: tuple[float, float, float]  # where the smoothed residual is largest, fixed frame


def residual_map(reference: Volume, image: Volume, pose: Pose, box: ClipBox) -> ResidualMap:
    """How well they agree at `pose`: a large spot inside a good match is anatomy that changed."""
    moved = sampled(image, reference, pose.matrix, pose.t)
    part = np.ix_(*[_within(reference, box, i) for i in (0, 2, 1)])
    a, b = reference.data[part].astype(float), moved.data[part].astype(float)
    gain = float(((a - a.mean()) * (b - b.mean())).sum() / max(float(((a - a.mean()) ** 2).sum()), 1e-12))
    rest = b - b.mean() - gain * (a - a.mean())
    out = np.zeros_like(reference.data)
    out[part] = rest
    x, z, y = np.unravel_index(int(np.argmax(_coarse(np.abs(rest)))), rest.shape)
    places = [reference.axis_mm(i)[_within(reference, box, i)] for i in range(3)]
    worst = (float(places[0][x]), float(places[1][y]), float(places[2][z]))
    return ResidualMap(reference.with_data(out), moved, float(np.sqrt((rest**2).mean())), worst)


def _within(volume: Volume, box: ClipBox, axis: int) -> NDArray[np.intp]:
    at = volume.axis_mm(axis)
    return np.flatnonzero((at > box.low_mm[axis]) & (at < box.high_mm[axis]))


def _coarse(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of 3 x 3 x 3: one noisy voxel is no change of anatomy."""
    for axis in range(3):
        values = (np.roll(values, 1, axis) + values + np.roll(values, -1, axis)) / 3
    return values
