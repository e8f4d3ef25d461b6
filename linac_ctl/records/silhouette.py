"""The outline of the target as one beam or imager sees it: its convex silhouette in the isocentre plane."""

import numpy as np
from numpy.typing import NDArray

from linac_ctl.imaging.couch_shift import planned_pose
from linac_ctl.imaging.pose import Pose

from .target import TargetOutline

Floats = NDArray[np.float64]
SAD_MM = 1000.0


def planned_points(outline: TargetOutline, couch_deg: float, error: Pose | None = None) -> Floats:
    """(n, 3) mm of its contours in the fixed frame at a couch angle; `error`: of the patient, in his axes."""
    points = np.vstack(outline.contours_mm)
    moved = points if error is None else error.apply(points)
    return planned_pose(couch_deg).apply(moved @ outline.lying.T)


def beams_eye(points_mm: Floats, gantry_deg: float, collimator_deg: float = 0.0) -> Floats:
    """(n, 3) fixed frame -> (n, 2) x y in the isocentre plane, collimator axes, as the source sees it."""
    g, c = np.radians(gantry_deg), np.radians(collimator_deg)
    across = points_mm[:, 0] * np.cos(g) - points_mm[:, 2] * np.sin(g)
    towards = points_mm[:, 0] * np.sin(g) + points_mm[:, 2] * np.cos(g)
    flat = np.column_stack([across, points_mm[:, 1]]) * (SAD_MM / (SAD_MM - towards))[:, None]
    turn = np.array([[np.cos(c), np.sin(c)], [-np.sin(c), np.cos(c)]])
    out: Floats = flat @ turn.T
    return out


def hull(points: Floats) -> Floats:
    """(m, 2) convex hull of (n, 2), anticlockwise."""
    ordered = sorted(set(map(tuple, points.tolist())))
    chains = []
    for walk in (ordered, ordered[::-1]):
        chain: list[tuple[float, ...]] = []
        for p in walk:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], p) <= 0.0:
                chain.pop()
            chain.append(p)
        chains.append(chain[:-1])
    return np.array(chains[0] + chains[1], float)


def _turn(a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
