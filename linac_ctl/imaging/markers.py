"""Small dense markers: found in radiographs, met in space by the rays through them, fitted to their planned places."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from linac_ctl.errors import RefusedError

from .fit import Fit
from .geometry import View
from .pose import IDENTITY, Pose, pose_of, turn_deg
from .register_pair import Radiograph
from .smooth import running_mean

Floats = NDArray[np.float64]
MOST_BLOBS = 80


@dataclass(frozen=True, slots=True)
class MarkerSearch:
    """What a marker looks like and how far from its planned place it may be."""

    radius_mm: float = 1.0  # of the marker itself
    reach_mm: float = 25.0  # at the isocentre
    least_noise: float = 2.0  # standard deviations above all neighbours
    miss_mm: float = 0.8  # rays that pass each other farther apart do not belong to one marker
    fit_mm: float = 1.0  # markers whose mutual distances differ more from the plan are not believed


GOLD = MarkerSearch()


@dataclass(frozen=True, slots=True, eq=False)
class Blobs:
    """Places in pixels (n, 2: column, row) and strengths (n,), strongest first."""

    at: Floats
    strength: Floats


def find_blobs(shot: Radiograph, search: MarkerSearch = GOLD) -> Blobs:
    """Places denser than their surroundings on every side, to a small part of a pixel (centre of mass)."""
    size = search.radius_mm * 1.5 / shot.view.pitch_mm  # in pixels, at the panel
    near, away = max(1, round(0.6 * size)), max(3, round(2.2 * size))
    smooth = running_mean(shot.image[None], near, near, 1)[0].astype(float)
    sharp = smooth - _ring(smooth, away)
    noise = 1.4826 * float(np.median(np.abs(sharp - np.median(sharp))))
    peaks = _peaks(sharp, away, search.least_noise * max(noise, 1e-9))
    at = np.array([_centre(smooth, p, away) for p in peaks]).reshape(-1, 2)
    return Blobs(at, np.array([sharp[tuple(p)] / max(noise, 1e-9) for p in peaks]))


def _ring(image: Floats, away: int) -> Floats:
    """The largest of eight neighbours at a distance: an edge or a bone has one at least as bright as itself, a ball none."""
    slant = max(1, round(away * 0.7071))
    steps = [(away, 0), (0, away), (slant, slant), (slant, -slant)]
    padded = np.pad(image, away, mode="edge")
    n, m = image.shape
    out = np.full_like(image, -np.inf)
    for du, dv in steps + [(-a, -b) for a, b in steps]:
        np.maximum(out, padded[away + du : away + du + n, away + dv : away + dv + m], out=out)
    return out


def _peaks(image: Floats, apart: int, least: float) -> NDArray[np.intp]:
    """(n, 2) pixels that are the largest within `apart`, strongest first; not at the border."""
    inner = np.argwhere(image > least)
    order = inner[np.argsort(-image[tuple(inner.T)], kind="stable")]
    edge = np.array(image.shape) - 1 - apart
    found: list[NDArray[np.intp]] = []
    for p in order[: 400 * MOST_BLOBS]:
        if (p < apart).any() or (p > edge).any() or any(np.abs(p - q).max() <= apart for q in found):
            continue
        around = image[p[0] - apart : p[0] + apart + 1, p[1] - apart : p[1] + apart + 1]
        if image[tuple(p)] >= around.max():
            found.append(p)
        if len(found) == MOST_BLOBS:
            break
    return np.array(found, np.intp).reshape(-1, 2)


def _centre(image: Floats, p: NDArray[np.intp], half: int) -> Floats:
    """Centre of mass of what stands above the rim of the box, which a sloping background is taken out of."""
    box = image[p[0] - half : p[0] + half + 1, p[1] - half : p[1] + half + 1]
    box = box - _plane_through_rim(box)
    weight = np.maximum(box - 0.4 * box[half, half], 0.0)
    u, v = np.mgrid[p[0] - half : p[0] + half + 1, p[1] - half : p[1] + half + 1]
    centre: Floats = np.array([(u * weight).sum(), (v * weight).sum()]) / weight.sum()
    return centre


def _plane_through_rim(box: Floats) -> Floats:
    n = len(box)
    u, v = np.mgrid[0:n, 0:n] - (n - 1) / 2.0
    rim = np.maximum(np.abs(u), np.abs(v)) > (n - 2) / 2.0
    design = np.stack([np.ones(rim.sum()), u[rim], v[rim]], 1)
    a, b, c = np.linalg.lstsq(design, box[rim], rcond=None)[0]
    out: Floats = a + b * u + c * v
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A place where the rays of all views meet, how far apart they pass, and how clearly it is seen."""

    at_mm: Floats
    miss_mm: float
    strength: float


def meet(views: Sequence[View], pixels: Sequence[Floats]) -> tuple[Floats, float]:
    """(3,) mm nearest to all rays, and the largest distance to one of them."""
    rays = [view.rays(np.asarray(at, float)) for view, at in zip(views, pixels)]
    across = [np.eye(3) - np.outer(ray, ray) for ray in rays]
    right = np.sum([a @ view.source_mm for a, view in zip(across, views)], 0)
    at = np.asarray(np.linalg.solve(np.sum(across, 0), right), np.float64)
    return at, max(float(np.linalg.norm(a @ (at - view.source_mm))) for a, view in zip(across, views))


def match_markers(
    planned_mm: Floats, shots: Sequence[Radiograph], dof: int = 3, start: Pose = IDENTITY, search: MarkerSearch = GOLD
) -> Fit:
    """planned_mm (n, 3) fixed frame. 3 DoF from one marker on; 6 DoF needs three that do not stand in line.

    RefusedError when a marker is not found, or when those found do not stand to each other as planned.
    """
    planned = np.asarray(planned_mm, float).reshape(-1, 3)
    _check_count(planned, dof)
    blobs = [find_blobs(shot, search) for shot in shots]
    views = [shot.view for shot in shots]
    choices = [_candidates(p, views, blobs, search) for p in start.apply(planned)]
    missing = [k + 1 for k, found in enumerate(choices) if not found]
    if missing:
        names = ", ".join(map(str, missing))
        raise RefusedError(f"markers: none found for marker {names} within {search.reach_mm:g} mm; image again")
    seen, strength = _consistent(planned, choices)
    pose = _fitted(planned, seen, dof)
    rest = np.linalg.norm(pose.apply(planned) - seen, axis=1)
    if rest.max() > search.fit_mm and len(planned) > 1:
        raise RefusedError(
            f"markers: marker {int(rest.argmax()) + 1} is {rest.max():.1f} mm from where the others put it (limit "
            f"{search.fit_mm:g} mm); has it moved, or is it another thing?"
        )
    rms = float(np.sqrt((rest**2).mean()))
    agreement = 1.0 - min(1.0, rms / (2 * search.fit_mm))
    return Fit(pose, dof, "markers", agreement, 1.0, -1.0, 1, True, rms, (f"strength {strength:.0f}",))


def _check_count(planned: Floats, dof: int) -> None:
    spread = np.linalg.svd(planned - planned.mean(0), compute_uv=False)
    if dof not in (3, 6):
        raise RefusedError(f"markers: {dof} degrees of freedom; 3 and 6 are known")
    if dof == 6 and (len(planned) < 3 or spread[1] < 3.0):
        raise RefusedError(f"markers: {len(planned)} markers do not fix three turns; three that stand apart do, or ask for 3 DoF")


def _candidates(planned: Floats, views: Sequence[View], blobs: Sequence[Blobs], search: MarkerSearch) -> list[Candidate]:
    """Where this marker might be."""
    near = []
    for view, found in zip(views, blobs):
        away = np.linalg.norm(found.at - view.project(planned), axis=1) * view.pitch_mm
        near.append(np.flatnonzero(away < 1.5 * search.reach_mm))
    out = []
    for pick in product(*near):
        at, miss = meet(views, [found.at[i] for found, i in zip(blobs, pick)])
        if miss <= search.miss_mm and np.linalg.norm(at - planned) <= search.reach_mm:
            out.append(Candidate(at, miss, min(found.strength[i] for found, i in zip(blobs, pick))))
    return sorted(out, key=lambda c: -c.strength)[:12]


def _consistent(planned: Floats, choices: list[list[Candidate]]) -> tuple[Floats, float]:
    """(n, 3) the candidates whose distances to each other are most like the planned ones; the weakest strength."""
    best: tuple[float, tuple[Candidate, ...]] | None = None
    gaps = np.linalg.norm(planned[:, None] - planned[None], axis=2)
    for pick in product(*choices) if len(choices) <= 4 else product(*(c[:4] for c in choices)):
        at = np.array([c.at_mm for c in pick])
        stretch = float(np.abs(np.linalg.norm(at[:, None] - at[None], axis=2) - gaps).max())
        score = stretch + sum(c.miss_mm for c in pick) / len(pick) + 20.0 / max(1e-9, min(c.strength for c in pick))
        if best is None or score < best[0]:
            best = score, pick
    assert best is not None  # every list has a candidate
    return np.array([c.at_mm for c in best[1]]), min(c.strength for c in best[1])


def _fitted(planned: Floats, seen: Floats, dof: int) -> Pose:
    """Least squares; the rotation after Arun, Huang and Blostein 1987."""
    a, b = planned.mean(0), seen.mean(0)
    if dof == 3:
        return pose_of(np.eye(3), b - a)
    u, _, w = np.linalg.svd((planned - a).T @ (seen - b))
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(w.T @ u.T))])
    turn = w.T @ flip @ u.T
    if turn_deg(turn) > 30.0:
        raise RefusedError(f"markers: a turn of {turn_deg(turn):.0f} deg; markers were taken for each other")
    return pose_of(turn, b - turn @ a)
