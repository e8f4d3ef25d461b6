"""Where the patient is in two (or more) radiographs: a radiograph of the plan is fitted to each, coarse to fine.

One pass over the rays gives the image and its six derivatives, so a step costs one radiograph per view (Gauss-Newton).
Slow parts (heel, hardening) are filtered out of both sides, scatter is put into the radiograph of the plan, and the gain
of every view may vary smoothly with thickness.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linac_ctl.errors import RefusedError

from .drr import drr_and_slopes
from .fdk import binned
from .fit import FREE, Fit
from .geometry import Panel, View
from .pose import IDENTITY, Pose, distance, nearest_rotation, pose_of, small_turn
from .scatter import ScatterModel, scattered
from .smooth import without_slow_parts
from .volume import Volume, checked, pyramid, step_mm

Floats = NDArray[np.float64]
Image = NDArray[np.float32]
MARGIN = 0.08  # of the image on every side: filtered borders do not count


@dataclass(frozen=True, slots=True)
class PairLevel:
    """One stage: pixels of about `pixel_mm` at the panel, voxels of about `voxel_mm`."""

    pixel_mm: float
    voxel_mm: float
    stride_voxels: float
    slow_mm: float  # half width of what is filtered out, at the panel
    iterations: int


LEVELS = (
    PairLevel(12.4, 8.0, 1.0, 90.0, 12),
    PairLevel(6.2, 4.0, 1.0, 45.0, 8),
    PairLevel(3.1, 2.0, 1.0, 30.0, 6),
)
FINE = (*LEVELS, PairLevel(1.55, 1.0, 1.0, 24.0, 5))


@dataclass(frozen=True, slots=True, eq=False)
class Radiograph:
    """What was measured: (columns, rows) line integrals, and where the view was taken from."""

    image: Image
    view: View
    mv: bool = False  # by the treatment beam: bone and water look different in it

    def __post_init__(self) -> None:
        if self.image.shape != (self.view.columns, self.view.rows):
            raise RefusedError(f"radiograph: {self.image.shape} pixels, its geometry says {(self.view.columns, self.view.rows)}")
        if not np.isfinite(self.image).all():
            raise RefusedError("radiograph: a pixel is not finite; correct the raw frame first")


class PairMatcher:
    """Made once per plan: `ct` in 1/mm; then `matcher(radiographs)` gives a `Fit`."""

    def __init__(
        self, ct: Volume, dof: int = 6, scatter: ScatterModel | None = None, levels: Sequence[PairLevel] = LEVELS,
        rivals_mm: Sequence[tuple[float, float, float]] = ((0, 34, 0), (0, -34, 0)), name: str = "radiographs",
        mv: tuple[Volume, ScatterModel | None] | None = None,
    ) -> None:  # fmt: skip
        if dof not in FREE:
            raise RefusedError(f"match: {dof} degrees of freedom; 3, 4 and 6 are known")
        self.dof, self.name, self._free = dof, name, FREE[dof]
        self._levels, self._rivals = tuple(levels), tuple(rivals_mm)
        coarsest, beams = max(level.voxel_mm for level in levels), {False: (ct, scatter)} | ({} if mv is None else {True: mv})
        self._plan = {kind: (pyramid(checked(v, "planning CT"), coarsest), s) for kind, (v, s) in beams.items()}

    def __call__(self, radiographs: Sequence[Radiograph], start: Pose = IDENTITY) -> Fit:
        """The pose of the patient. At least two views that differ by 30 deg or more."""
        _check_views(radiographs)
        first, used, _, coarse = self._stage(0, radiographs, start)
        ends = [(coarse, first)]
        for shift in self._rivals:
            other, _, _, similarity = self._stage(0, radiographs, _shifted(start, shift))
            ends.append((similarity, other))
        ends.sort(key=lambda end: -end[0])
        pose, iterations, rest, similarity = ends[0][1], used, True, ends[0][0]
        for k in range(1, len(self._levels)):
            pose, used, rest, similarity = self._stage(k, radiographs, pose)
            iterations += used
        apart = [s for s, end in ends[1:] if distance(end, pose)[0] > 5.0]
        rival = max(apart) + min(0.0, similarity - ends[0][0]) if apart else -1.0
        inside, residual = 1.0, float(np.sqrt(max(0.0, 1.0 - similarity**2)))
        return Fit(pose, self.dof, self.name, similarity, inside, rival, iterations, rest, residual)

    def _stage(self, k: int, radiographs: Sequence[Radiograph], pose: Pose) -> tuple[Pose, int, bool, float]:
        """(pose, iterations, at rest, similarity in the worse view)."""
        level = self._levels[k]
        sides = [_Side(shot, level, *self._side(shot, level)) for shot in radiographs]
        worst, size_mm = -1.0, np.inf
        for n in range(level.iterations):
            step, similarities = self._step(sides, pose, level)
            worst = min(similarities)
            if step is None:
                return pose, n, False, -1.0
            turn = nearest_rotation(pose.matrix @ small_turn(step[3:]))
            pose = pose_of(turn, pose.t + pose.matrix @ step[:3])
            size_mm = float(np.abs(step[:3]).max() + 50 * np.abs(step[3:]).max())
            if size_mm < 5e-3 * level.voxel_mm:
                return pose, n + 1, True, worst
        return pose, level.iterations, size_mm < 0.1 * level.voxel_mm, worst

    def _side(self, shot: Radiograph, level: PairLevel) -> tuple[Volume, ScatterModel | None]:
        """What the plan looks like in such a beam; RefusedError when this matcher was not told."""
        if shot.mv not in self._plan:
            raise RefusedError("pair match: an MV image, but nothing is known of the MV beam; add `mv` to the protocol")
        volumes, scatter = self._plan[shot.mv]
        return min(volumes, key=lambda v: abs(step_mm(v) - level.voxel_mm)), scatter

    def _step(self, sides: "list[_Side]", pose: Pose, level: PairLevel) -> tuple[Floats | None, list[float]]:
        """Motion (mm, rad) before `pose` that explains the radiographs better, and the similarity of each now."""
        size = 6 + _Side.BASIS * len(sides)
        normal, right, similarities = np.zeros((size, size)), np.zeros(size), []
        for k, side in enumerate(sides):
            a, b, similarity = side.equations(drr_and_slopes(side.volume, side.view, pose, level.stride_voxels))
            own = np.r_[0:6, 6 + _Side.BASIS * k : 6 + _Side.BASIS * (k + 1)]
            normal[np.ix_(own, own)] += a
            right[own] += b
            similarities.append(similarity)
        keep = np.r_[list(self._free), 6:size]
        normal = normal[np.ix_(keep, keep)]
        normal[np.diag_indices_from(normal)] *= 1.0 + 1e-3
        try:
            solved = np.linalg.solve(normal, right[keep])
        except np.linalg.LinAlgError:
            return None, similarities
        if not np.isfinite(solved).all():
            return None, similarities
        step = np.zeros(6)
        step[list(self._free)] = solved[: len(self._free)]
        limited: Floats = step / max(np.abs(step[:3]).max() / 20.0, np.abs(step[3:]).max() / 0.15, 1.0)
        return limited, similarities


class _Side:
    """One radiograph at one level: filtered, cropped, with its smooth gain basis {1, thickness}."""

    BASIS = 2

    def __init__(self, shot: Radiograph, level: PairLevel, volume: Volume, scatter: ScatterModel | None) -> None:
        by = max(1, round(level.pixel_mm / shot.view.pitch_mm))
        self.view = shot.view.binned(by)
        self.panel = Panel(self.view.columns, self.view.rows, self.view.pitch_mm, float(np.linalg.norm(self.view.dv_mm)))
        self.half = max(1, round(level.slow_mm / self.panel.pitch_u_mm))
        self.volume, self.scatter = volume, scatter
        image = binned(shot.image, by)[None]
        quick = without_slow_parts(image, self.half)
        self.measured = self._crop(quick)[0].astype(float)
        slow = self._crop(image - quick)[0].astype(float)
        slow = (slow - slow.mean()) / max(float(slow.std()), 1e-6)
        self.basis = np.stack([np.ones_like(slow), slow])

    def _crop(self, images: Image) -> Image:
        """(n, pixels) without the borders."""
        u, v = round(MARGIN * self.view.columns), round(MARGIN * self.view.rows)
        kept = images[:, u : self.view.columns - u, v : self.view.rows - v]
        return kept.reshape(len(images), -1)

    def equations(self, plan: Image) -> tuple[Floats, Floats, float]:
        """plan (7, columns, rows) as `drr_and_slopes` -> normal matrix and right side of 6 motions and the gains; similarity."""
        plan = self._scattered(plan)
        rows = self._crop(without_slow_parts(plan, self.half)).astype(float)
        gains = self.basis * rows[0]
        gram = np.einsum("in,jn->ij", gains, gains)
        ridge = 1e-4 * np.trace(gram) / 2 * np.diag([0.0, 1.0]) + 1e-12 * np.eye(2)
        weight = np.linalg.solve(gram + ridge, np.einsum("in,n->i", gains, self.measured))
        model = weight @ gains
        rest = self.measured - model
        design = np.concatenate([rows[1:] * (weight @ self.basis), gains])
        trust = 1.0 / max(float(np.einsum("n,n->", rest, rest)) / len(rest), 1e-12)
        similarity = _correlation(model, self.measured)
        return np.einsum("in,jn->ij", design, design) * trust, np.einsum("in,n->i", design, rest) * trust, similarity

    def _scattered(self, plan: Image) -> Image:
        """The plan's image and slopes as scatter changes them."""
        if self.scatter is None:
            return plan
        primary = np.exp(-plan[:1])
        total = primary + scattered(plan[:1], self.panel, self.scatter)
        out: Image = np.asarray(plan * (primary / total), np.float32)
        out[0] = -np.log(total[0])
        return out


def _correlation(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 1e-20 else -1.0


def _shifted(pose: Pose, by_mm: tuple[float, float, float]) -> Pose:
    """The pose of a patient who lies so much farther along his own axes: vertebrae follow each other along him, not along Y."""
    x, y, z = (float(v) for v in pose.t + pose.matrix @ np.array(by_mm, float))
    return replace(pose, t_mm=(x, y, z))


def _check_views(radiographs: Sequence[Radiograph]) -> None:
    if len(radiographs) < 2:
        raise RefusedError(f"pair match: {len(radiographs)} radiograph; depth needs two views at least 30 deg apart")
    axes = np.array([np.cross(shot.view.du_mm, shot.view.dv_mm) for shot in radiographs])
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    widest = float(np.degrees(np.arccos(np.abs(axes @ axes.T).min())))
    if widest < 30.0:
        raise RefusedError(f"pair match: the views are {widest:.0f} deg apart, 30 deg are the least; take one from the side")
