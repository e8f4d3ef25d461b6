"""Where the target is in one radiograph: two of three directions, against a radiograph of the plan at this very view.

A patient who is off by a millimetre shifts the picture of what lies about the target and hardly changes it. So one
radiograph of the plan is enough for each image, and the shift is found by least squares on the part around the target.
Depth is not seen: what lies 50 mm in front of the target shifts by 5 % more.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .drr import drr
from .geometry import Panel, View
from .pose import Pose
from .register_pair import Radiograph
from .scatter import ScatterModel, with_scatter
from .smooth import without_slow_parts
from .volume import Volume, checked, pyramid, step_mm

Floats = NDArray[np.float64]
Image = NDArray[np.float32]
MOST_STEPS = 12
STILL_PX = 1e-3
NOWHERE = float("nan")


@dataclass(frozen=True, slots=True)
class SingleSearch:
    """How much of the image counts, and what is filtered out of it."""

    half_mm: float = 35.0  # of the part that is compared, at the isocentre
    slow_mm: float = 20.0  # half width of what is filtered out, at the panel
    voxel_mm: float = 2.0
    reach_mm: float = 8.0  # farther than this nothing is believed


USUAL = SingleSearch()


@dataclass(frozen=True, slots=True)
class Found:
    """`off_mm`: of the target along the panel's u and v, at its own depth, on a grid of 1 um; NaN when it was not found."""

    off_mm: tuple[float, float]
    similarity: float  # correlation of the compared parts, at the place found

    @property
    def good(self) -> bool:
        """There is a place."""
        return self.off_mm[0] == self.off_mm[0]


class SingleMatcher:
    """Made once per plan: `ct` in 1/mm; then `matcher(radiograph, pose, target_mm)` gives a `Found`."""

    def __init__(self, ct: Volume, scatter: ScatterModel | None = None, search: SingleSearch = USUAL) -> None:
        levels = pyramid(checked(ct, "planning CT"), search.voxel_mm)
        self._ct = min(levels, key=lambda v: abs(step_mm(v) - search.voxel_mm))
        self._scatter, self.search = scatter, search

    def __call__(self, shot: Radiograph, pose: Pose, target_mm: Floats, least: float = -1.0) -> Found:
        """`pose`: where the patient ought to be; `target_mm` (3,) in the planning CT. Below `least` similarity: not found."""
        centre = pose.apply(np.asarray(target_mm, float))
        view, box = self._around(shot.view, centre)
        if box is None:
            return Found((NOWHERE, NOWHERE), -1.0)
        panel = Panel(view.columns, view.rows, view.pitch_mm, float(np.linalg.norm(view.dv_mm)))
        half = max(1, round(self.search.slow_mm / view.pitch_mm))
        plan = with_scatter(drr(self._ct, view, pose)[None], panel, self._scatter)
        pictures = [without_slow_parts(image, half)[0].astype(float) for image in (plan, shot.image[box][None])]
        reach_px = self.search.reach_mm * magnified(view, centre) / view.pitch_mm
        shift, similarity = shifted(pictures[0], pictures[1], 2 * half, reach_px)
        off = shift * view.pitch_mm / magnified(view, centre)
        lost = similarity < least or not float(np.abs(off).max()) <= self.search.reach_mm
        return Found((NOWHERE, NOWHERE) if lost else (on_grid(off[0]), on_grid(off[1])), round(similarity, 4))

    def _around(self, view: View, centre: Floats) -> tuple[View, tuple[slice, slice] | None]:
        """The part of the view about the target; None when the panel does not show it."""
        half_px = (self.search.half_mm * magnified(view, centre) + 2 * self.search.slow_mm) / view.pitch_mm  # filtered edges
        middle = view.project(centre)
        low = np.maximum(0, np.floor(middle - half_px)).astype(int)
        high = np.minimum([view.columns, view.rows], np.ceil(middle + half_px)).astype(int)
        if not ((high - low) >= half_px).all():  # less than half of it
            return view, None
        corner = view.corner_mm + low[0] * view.du_mm + low[1] * view.dv_mm
        part = View(view.source_mm, corner, view.du_mm, view.dv_mm, int(high[0] - low[0]), int(high[1] - low[1]))
        return part, (slice(low[0], high[0]), slice(low[1], high[1]))


def on_grid(mm: float) -> float:
    """To 1 um: what enters the control cycle must not hang on the last bits of a sum that a compiler orders as it likes."""
    return round(float(mm), 3) + 0.0


def magnified(view: View, point_mm: Floats) -> float:
    """mm at the panel for one mm at this point, parallel to the panel."""
    normal = np.cross(view.du_mm, view.dv_mm)
    return float(((view.corner_mm - view.source_mm) @ normal) / ((point_mm - view.source_mm) @ normal))


def shifted(plan: Floats, seen: Floats, border: int, reach_px: float) -> tuple[Floats, float]:
    """(shift (2,) in pixels of `seen` against `plan`, correlation at it). Gain and offset are free."""
    border = min(border, min(plan.shape) // 3)
    inner = (slice(border, plan.shape[0] - border), slice(border, plan.shape[1] - border))
    shift = whole_pixels(plan, seen, inner, math.ceil(reach_px))
    for _ in range(MOST_STEPS):
        moved = moved_by(plan, shift)
        du, dv = (np.asarray(slope) for slope in np.gradient(moved))
        model = moved[inner].ravel()
        design = np.stack([-du[inner].ravel(), -dv[inner].ravel(), model, np.ones_like(model)])
        solved = np.linalg.lstsq(design @ design.T, design @ seen[inner].ravel(), rcond=None)[0]
        if not np.isfinite(solved).all() or not solved[2] > 0.0:
            return np.full(2, NOWHERE), -1.0
        step = np.asarray(np.clip(solved[:2] / solved[2], -1.5, 1.5), np.float64)
        shift = shift + step
        if float(np.abs(step).max()) < STILL_PX or float(np.abs(shift).max()) > max(plan.shape) / 2:
            break
    return shift, correlation(moved_by(plan, shift)[inner], seen[inner])


def whole_pixels(plan: Floats, seen: Floats, inner: tuple[slice, slice], reach: int) -> Floats:
    """(2,) the shift of most correlation, to a pixel: where the search begins."""
    a, b = (image[inner] - image[inner].mean() for image in (plan, seen))
    size = [n + reach for n in a.shape]  # room, so that nothing comes round from the other side
    match = np.fft.irfft2(np.conj(np.fft.rfft2(a, size)) * np.fft.rfft2(b, size), size)
    steps = np.arange(-reach, reach + 1)
    near = match[np.ix_(steps % size[0], steps % size[1])]
    best = np.unravel_index(int(near.argmax()), near.shape)
    return np.array([steps[best[0]], steps[best[1]]], float)


def moved_by(image: Floats, shift: Floats) -> Floats:
    """The image with what is at p moved to p + shift (pixels); bilinear, edges repeated."""
    n, m = image.shape
    u, v = np.clip(np.arange(n) - shift[0], 0, n - 1.0), np.clip(np.arange(m) - shift[1], 0, m - 1.0)
    iu, iv = np.minimum(u.astype(int), n - 2), np.minimum(v.astype(int), m - 2)
    fu, fv = (u - iu)[:, None], (v - iv)[None, :]
    left = image[iu] * (1 - fu) + image[iu + 1] * fu
    out: Floats = left[:, iv] * (1 - fv) + left[:, iv + 1] * fv
    return out


def correlation(a: Floats, b: Floats) -> float:
    """Of two pictures; -1 when one of them is flat."""
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 1e-20 else -1.0
