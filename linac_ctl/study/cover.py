"""How far a moved target sticks out of the place it was planned in: the margin that would have covered it."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from device_models.patient.structures import Structure

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Slab:
    """A drawn outline between two heights: edges (n, 2) from and to, X and Z; Y from low to high."""

    start: Floats
    end: Floats
    low_mm: float
    high_mm: float

    def outside_mm(self, points: Floats) -> Floats:
        """(m,) distance of points (m, 3) from the slab; 0 inside."""
        across = self._across_mm(points[:, [0, 2]])
        along = np.maximum(np.maximum(self.low_mm - points[:, 1], points[:, 1] - self.high_mm), 0.0)
        distance: Floats = np.sqrt(across**2 + along**2)
        return distance

    def _across_mm(self, at: Floats) -> Floats:
        """(m,) distance from the outline in its plane; 0 inside of it (even-odd rule)."""
        edge = self.end - self.start
        off = at[:, None, :] - self.start
        share = np.clip((off * edge).sum(-1) / np.maximum((edge**2).sum(-1), 1e-12), 0.0, 1.0)
        near = np.sqrt(((off - share[..., None] * edge) ** 2).sum(-1).min(1))
        above = (self.start[:, 1] > at[:, 1:]) != (self.end[:, 1] > at[:, 1:])
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = self.start[:, 0] + (at[:, 1:] - self.start[:, 1]) / edge[:, 1] * edge[:, 0]
        inside = (above & (at[:, :1] < crossing)).sum(1) % 2 == 1
        return np.where(inside, 0.0, near)


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A structure as slabs: every drawn plane reaches half way to its neighbours, the outer ones end where they were drawn."""

    centre: Floats  # (3,)
    points: Floats  # (n, 3) of its outline
    slabs: tuple[Slab, ...]

    def outside_mm(self, points: Floats) -> Floats:
        """(m,) distance of points (m, 3) from the target; 0 inside."""
        least: Floats = np.min([slab.outside_mm(points) for slab in self.slabs], axis=0)
        return least

    def margin_mm(self, moved: Floats) -> float:
        """The least margin, the same on all sides, that covers every point of the outline where it has `moved` (n, 3) to."""
        return float(self.outside_mm(moved).max())


def target(structure: Structure) -> Target:
    """Planes with equal outlines become one slab."""
    planes = structure.planes_mm
    ends = [planes[0], *(0.5 * (a + b) for a, b in pairwise(planes)), planes[-1]]
    slabs: list[Slab] = []
    for k, y in enumerate(planes):
        outlines = [c[:, [0, 2]] for c in structure.contours if abs(float(c[0, 1]) - y) < 1e-3]
        start, end = np.vstack(outlines), np.vstack([np.roll(outline, -1, axis=0) for outline in outlines])
        if slabs and np.array_equal(slabs[-1].start, start) and np.array_equal(slabs[-1].end, end):
            slabs[-1] = Slab(start, end, slabs[-1].low_mm, ends[k + 1])
        else:
            slabs.append(Slab(start, end, ends[k], ends[k + 1]))
    return Target(structure.centroid(), structure.points, tuple(slabs))
