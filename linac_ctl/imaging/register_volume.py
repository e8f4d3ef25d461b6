"""Where the patient is in a CBCT: least squares on points, coarse to fine (inverse-compositional Gauss-Newton).

The slopes of the reference are taken once, so an iteration costs one look-up per point. Gain, offset and what scatter may
add are unknowns of every step. Search starts from several places at the coarsest level; the best counts, the best
other one is reported as its rival.
"""

from dataclasses import dataclass, replace

import numpy as np
from numba import prange
from numpy.typing import NDArray

from device_models.interface.kernels import parallel_kernel
from linac_ctl.errors import RefusedError

from .clip import ClipBox, Points, points_in
from .fit import FREE, Fit
from .pose import IDENTITY, Pose, distance, nearest_rotation, pose_of, small_turn
from .reference import Reference
from .sampling import value
from .volume import Volume, checked, pyramid, step_mm

Floats = NDArray[np.float64]
MU_RANGE_PER_MM = (0.0, 0.040)  # air .. dense bone: metal and undershoots are clipped
STEP_LIMIT_MM, STEP_LIMIT_RAD = 20.0, 0.15


@dataclass(frozen=True, slots=True)
class Search:
    """How far and how fine."""

    points: tuple[int, ...] = (2000, 8000, 32000)  # coarse to fine; fewer where the box holds less than three times as many
    iterations: tuple[int, ...] = (30, 20, 12)
    coarsest_mm: float = 8.0
    rest: float = 2e-3  # voxels: a smaller step ends a level
    starts_mm: tuple[tuple[float, float, float], ...] = (
        (0, 0, 0), (18, 0, 0), (-18, 0, 0), (0, 18, 0), (0, -18, 0), (0, 0, 18), (0, 0, -18), (0, 34, 0), (0, -34, 0),
    )  # fmt: skip
    same_mm: float = 3.0  # two ends closer than this are one place


WIDE = Search()


@parallel_kernel
def _values_at(data, turn, shift, points, out):
    """Trilinear values at turn p + shift (voxels); NaN outside."""
    flat = data.reshape(-1)
    nx, nz, ny = data.shape
    line, plane = np.uint64(ny), np.uint64(nz * ny)
    for k in prange(points.shape[0]):
        p = points[k]
        x = turn[0, 0] * p[0] + turn[0, 1] * p[1] + turn[0, 2] * p[2] + shift[0]
        y = turn[1, 0] * p[0] + turn[1, 1] * p[1] + turn[1, 2] * p[2] + shift[1]
        z = turn[2, 0] * p[0] + turn[2, 1] * p[1] + turn[2, 2] * p[2] + shift[2]
        if x >= 0.0 and y >= 0.0 and z >= 0.0 and x < nx - 1.001 and y < ny - 1.001 and z < nz - 1.001:
            out[k] = value(flat, np.float32(x), np.float32(y), np.float32(z), line, plane)
        else:
            out[k] = -1e30


def values_at(volume: Volume, pose: Pose, points_mm: Floats) -> Floats:
    """(n,) the volume at R p + t; NaN where it ends."""
    step = step_mm(volume)
    out = np.empty(len(points_mm), np.float64)
    if not np.isfinite(points_mm).all():
        raise RefusedError("match: a point is not finite")
    _values_at(volume.data, pose.matrix / step, (pose.t - np.array(volume.origin_mm)) / step, points_mm, out)
    out[out < -1e29] = np.nan
    return out


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """Points; what scatter may add (n, m); the design matrix in columns of equal size, its column scale, its normal matrix."""

    points: Points
    modes: Floats
    design: Floats
    scale: Floats
    normal: Floats


def _level(points: Points, free: tuple[int, ...], modes: Floats) -> _Level:
    """Columns: how the reference changes with each free motion, its value (gain), 1 (offset), the modes of scatter."""
    motion = np.concatenate([points.slope, np.cross(points.at_mm, points.slope)], 1)[:, free]
    design = np.column_stack([motion, points.value, np.ones(len(points.value)), modes])
    scale = 1.0 / np.sqrt((design**2).mean(0) + 1e-30)
    design = np.ascontiguousarray(design * scale)
    return _Level(points, modes, design, scale, _normal(design))


def _normal(design: Floats) -> Floats:
    out: Floats = np.einsum("ni,nj->ij", design, design)
    return out


class PointMatcher:
    """Made once per reference, clip box and degrees of freedom; then `matcher(cbct)` gives a `Fit` in milliseconds."""

    def __init__(self, reference: Reference, box: ClipBox, dof: int = 6, search: Search = WIDE, name: str = "points") -> None:
        """`reference`: best a `matched_reference`; `dof` 3, 4 (and the turn about Z) or 6."""
        if dof not in FREE:
            raise RefusedError(f"match: {dof} degrees of freedom; 3, 4 and 6 are known")
        self.dof, self.search, self.name = dof, search, name
        self._free = FREE[dof]
        levels = pyramid(_clipped(checked(reference.volume, "match reference")), search.coarsest_mm)
        modes = [pyramid(checked(mode, "match reference"), search.coarsest_mm) for mode in reference.modes]
        used = min(len(levels), len(search.points))
        self._levels = []
        for k in reversed(range(used)):
            points = points_in(levels[k], box, search.points[-1 - k])
            extra = np.zeros((len(points.value), len(modes)))
            for m, mode in enumerate(modes):
                extra[:, m] = np.nan_to_num(values_at(mode[k], IDENTITY, points.at_mm))
            self._levels.append(_level(points, self._free, extra))

    def __call__(self, image: Volume, start: Pose = IDENTITY) -> Fit:
        """The pose of the patient in `image` (attenuation, 1/mm, any cubes)."""
        images = self._images(_clipped(checked(image, "CBCT")))
        ends = self._coarse_ends(images[0], start)
        best = self._refined(images, ends[0])
        others = [end for end in ends[1:] if distance(end, best.pose)[0] > self.search.same_mm]
        if not others:
            return best
        other = self._refined(images, others[0])
        if distance(other.pose, best.pose)[0] <= self.search.same_mm:
            return best
        if other.similarity > best.similarity:
            best, other = other, best
        return replace(best, rival=other.similarity)

    def _refined(self, images: list[Volume], pose: Pose) -> Fit:
        """From the end of the coarse search to the finest level."""
        iterations, rest = 0, True
        for level, volume, most in zip(self._levels, images, self.search.iterations[-len(images) :]):
            pose, used, rest = self._settle(level, volume, pose, most)
            iterations += used
        seen = values_at(images[-1], pose, self._levels[-1].points.at_mm)
        similarity, inside, residual = compare(self._levels[-1], seen)
        return Fit(pose, self.dof, self.name, similarity, inside, -1.0, iterations, rest, residual)

    def _coarse_ends(self, image: Volume, start: Pose) -> list[Pose]:
        """Where the search from each start ends, the best first."""
        ends: list[tuple[float, Pose]] = []
        for shift in self.search.starts_mm:
            first = Pose(tuple(start.t + np.array(shift, float)), start.r_deg)
            pose, _, _ = self._settle(self._levels[0], image, first, self.search.iterations[0])
            points = self._levels[0].points
            similarity, inside, _ = compare(self._levels[0], values_at(image, pose, points.at_mm))
            ends.append((similarity if inside > 0.5 else -1.0, pose))
        return [pose for _, pose in sorted(ends, key=lambda end: -end[0])]

    def _images(self, image: Volume) -> list[Volume]:
        """The image at the step of every level, or the nearest it has."""
        levels = pyramid(image, self._levels[0].points.step_mm)
        return [min(levels, key=lambda v: abs(step_mm(v) - level.points.step_mm)) for level in self._levels]

    def _settle(self, level: _Level, image: Volume, pose: Pose, most: int) -> tuple[Pose, int, bool]:
        """(pose, iterations, at rest)."""
        turn, t = pose.matrix, pose.t
        for k in range(most):
            step = self._step(level, values_at(image, pose, level.points.at_mm))
            if step is None:
                return pose, k, False
            back = small_turn(step[3:]).T
            turn = nearest_rotation(turn @ back)
            t = t - turn @ step[:3]
            pose = pose_of(turn, t)
            if np.abs(step[:3]).max() + 50 * np.abs(step[3:]).max() < self.search.rest * level.points.step_mm:
                return pose, k + 1, True
        return pose, most, False

    def _step(self, level: _Level, seen: Floats) -> Floats | None:
        """Motion (mm, rad) of the reference that explains what was seen; None when nothing can be said."""
        out = np.isnan(seen)
        if out.mean() > 0.7:
            return None
        normal = level.normal - _normal(level.design[out]) if out.any() else level.normal
        right = np.einsum("ni,n->i", level.design, np.where(out, 0.0, seen))
        try:
            solved = np.linalg.solve(normal + 1e-9 * np.diag(np.diag(normal)), right) * level.scale
        except np.linalg.LinAlgError:
            return None
        gain = solved[len(self._free)]
        if not (np.isfinite(solved).all() and gain > 0.05):
            return None
        step = np.zeros(6)
        step[list(self._free)] = solved[: len(self._free)] / gain
        worst = max(np.abs(step[:3]).max() / STEP_LIMIT_MM, np.abs(step[3:]).max() / STEP_LIMIT_RAD, 1.0)
        limited: Floats = step / worst
        return limited


def _clipped(volume: Volume) -> Volume:
    return replace(volume, data=np.clip(volume.data, *MU_RANGE_PER_MM).astype(np.float32))


def compare(level: _Level, seen: Floats) -> tuple[float, float, float]:
    """(correlation once scatter is accounted for, share of points seen, root mean square of what is left)."""
    shown = ~np.isnan(seen)
    inside = float(shown.mean())
    a, b = level.points.value[shown], seen[shown]
    if len(a) < 10 or a.std() < 1e-12 or b.std() < 1e-12:
        return -1.0, inside, float("inf")
    known = np.column_stack([a, np.ones(len(a)), level.modes[shown]])
    weight = np.linalg.solve(_normal(known) + 1e-12 * np.eye(known.shape[1]), np.einsum("ni,n->i", known, b))
    b = b - known[:, 2:] @ weight[2:]
    r = float(((a - a.mean()) * (b - b.mean())).mean() / (a.std() * b.std()))
    return r, inside, float(b.std() * np.sqrt(max(0.0, 1.0 - r * r)))
