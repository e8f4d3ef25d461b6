"""What a beam sees of a patient: line integrals for views of the fixed frame and a pose for each of them.

A patient who lies straight under a panel whose columns run along Y is the fast kernel's own case; a shift enters by the
volume's origin. Any other view takes the way of an upright panel (`oblique`), and one too steep for that is traced ray by ray.
Small volumes have a shorter way when the patient is turned a little: one resampling that all frames of the same rotation share;
for that, rotations are rounded to a grid. Which way is taken depends on view, pose and volume alone, so a frame is the same in a
scan and by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from device_models.interface.volume import Pixels, Pose, Volume
from device_models.patient.phantom import Phantom
from device_models.patient.rays import ray_integrals

from .aligned import project_aligned
from .attenuation import Spectrum, attenuation
from .joseph import project_any
from .oblique import project_upright, swapped, swapped_view, upright, upright_axis
from .resample import halved, moved
from .views import View

RESAMPLED_VOXELS = 96**3  # larger ones take longer to resample than to look at askew
GRID_DEG = 0.01  # of rotations that are resampled: wrong by 0.009 mm at 100 mm at most
LARGEST_RESAMPLED_DEG = 10.0  # about each axis: beyond, too much of the patient would leave the grid


Key = tuple[int, Spectrum]  # level of the volume, beam


class Projector(Protocol):
    """Line integrals of whoever lies there."""

    def integrals(self, views: Sequence[View], poses: Sequence[Pose], spectrum: Spectrum) -> Pixels:
        """(n, columns, rows) without unit; views of one size."""


def pixel_at_isocentre_mm(view: View) -> float:
    """Pitch of a view's pixels, scaled to a plane through the isocentre."""
    to_panel = float(np.linalg.norm(view.corner_mm + 0.5 * (view.columns * view.du_mm + view.rows * view.dv_mm) - view.source_mm))
    return float(np.linalg.norm(view.du_mm)) * float(np.linalg.norm(view.source_mm)) / to_panel


@dataclass(slots=True, eq=False)
class VoxelProjector:
    """A patient of voxels. It remembers attenuation volumes and the last rotation, so that scans do not repeat work."""

    levels_hu: tuple[Volume, ...]  # fine to coarse; a view takes the coarsest that its pixels still resolve
    exact: bool = False  # True: ray by ray unless the patient lies straight; five to ten times slower
    _attenuation: tuple[Key, dict[int, Volume]] | None = None  # by the axis that is upright
    _turned: tuple[Key, Pose, Volume] | None = None

    def level_for(self, view: View) -> int:
        """The coarsest level whose voxels are not larger than a pixel at the isocentre: finer ones would alias."""
        pixel = pixel_at_isocentre_mm(view)
        fitting = [k for k, level in enumerate(self.levels_hu) if max(level.spacing_mm) <= 1.2 * pixel]
        return fitting[-1] if fitting else 0

    def integrals(self, views: Sequence[View], poses: Sequence[Pose], spectrum: Spectrum) -> Pixels:
        """(n, columns, rows), in the order of the views."""
        columns, rows = views[0].columns, views[0].rows
        level = self.level_for(views[0])
        out = np.empty((len(views), columns, rows), np.float32)
        start = 0
        while start < len(views):
            stop = start + 1
            way = self._way(views[start], poses[start], level)
            while stop < len(views) and self._way(views[stop], poses[stop], level) == way:
                stop += 1
            part = slice(start, stop)
            if way is None:
                out[part] = self._any(views[part], poses[part], (level, spectrum), columns, rows)
            else:
                out[part] = self._aligned(views[part], poses[part], way, (level, spectrum), columns, rows)
            start = stop
        return out

    def _way(self, view: View, pose: Pose, level: int) -> Pose | None:
        """The rotation to resample by, on its grid, when columns of pixels then lie along Y; else None."""
        x, y, z = (round(round(angle / GRID_DEG) * GRID_DEG, 6) + 0.0 for angle in pose.r_deg)
        turn = Pose(r_deg=(x, y, z))
        if not any(pose.r_deg) or not view.aligned:
            return turn if view.aligned else None
        small = self.levels_hu[level].data.size <= RESAMPLED_VOXELS and max(map(abs, turn.r_deg)) <= LARGEST_RESAMPLED_DEG
        return turn if small and not self.exact else None

    def _any(self, views: Sequence[View], poses: Sequence[Pose], key: Key, columns: int, rows: int) -> Pixels:
        return np.stack([self._one(view.seen_from(pose), key, columns, rows) for view, pose in zip(views, poses, strict=True)])

    def _one(self, view: View, key: Key, columns: int, rows: int) -> Pixels:
        if not self.exact:
            axis = upright_axis(view)
            volume = self._volume(key, axis)
            if (panel := upright(swapped_view(view, axis), volume)) is not None:
                return project_upright(volume, panel, columns, rows)
        traced: Pixels = project_any(self._volume(key), view.twelve[None], columns, rows)[0]
        return traced

    def _aligned(
        self, views: Sequence[View], poses: Sequence[Pose], turn: Pose, key: Key, columns: int, rows: int
    ) -> Pixels:
        volume = self._rotated(key, turn) if any(turn.r_deg) else self._volume(key)
        table = np.array([view.twelve for view in views])
        for row, pose in zip(table, poses, strict=True):
            row[:6] -= np.tile(pose.t, 2)
        return project_aligned(volume, table, columns, rows)

    def _volume(self, key: Key, axis: int = 1) -> Volume:
        """Attenuation, with one axis upright: Y as the volume is."""
        if self._attenuation is None or self._attenuation[0] != key:
            level = self.levels_hu[key[0]]
            self._attenuation = key, {1: level.with_data(attenuation(level.data, key[1]))}
        there = self._attenuation[1]
        if axis not in there:
            there[axis] = swapped(there[1], axis)
        return there[axis]

    def _rotated(self, key: Key, turn: Pose) -> Volume:
        if self._turned is None or self._turned[:2] != (key, turn):
            self._turned = key, turn, moved(self._volume(key), turn)
        return self._turned[2]


@dataclass(frozen=True, slots=True, eq=False)
class BodyProjector:
    """A patient of exact bodies: the truth without voxels, for tests and for QA phantoms with fine details.

    Bone is scaled by the sign of what a body adds, which is right for bodies that lie in water.
    """

    phantom: Phantom

    def integrals(self, views: Sequence[View], poses: Sequence[Pose], spectrum: Spectrum) -> Pixels:
        """(n, columns, rows)."""
        bodies = self.phantom.bodies.copy()
        dense = np.where(bodies[:, 16] > 900.0, bodies[:, 16] - 1000.0, bodies[:, 16])
        base = np.where(bodies[:, 16] > 900.0, 1000.0, 0.0)  # a body that brings its own water
        bodies[:, 16] = (base + np.where(dense > 0.0, spectrum.bone_factor, 1.0) * dense) * 1e-3 * spectrum.water_per_mm
        seen = [view.seen_from(pose) for view, pose in zip(views, poses, strict=True)]
        shots = [ray_integrals(bodies, view.twelve, view.columns, view.rows) for view in seen]
        return np.maximum(np.stack(shots), 0.0).astype(np.float32)


def voxel_projector(hu: Volume, coarsest_mm: float = 4.0, exact: bool = False) -> VoxelProjector:
    """A patient's volume with halves of it, down to voxels of `coarsest_mm`; HU."""
    if not np.isfinite(hu.data).all():
        raise ValueError("patient: the volume holds HU that are not finite; it cannot be projected")
    levels = [hu]
    while max(levels[-1].spacing_mm) * 2.0 <= coarsest_mm + 1e-6 and min(levels[-1].data.shape) >= 8:
        levels.append(halved(levels[-1]))
    return VoxelProjector(tuple(levels), exact)
