"""The part of an MV image that the jaws leave open: only there is the patient to be seen."""

import numpy as np

from linac_ctl.errors import RefusedError

from .geometry import View
from .register_pair import Radiograph

BORDER_MM = 5.0  # of the open field, at the isocentre: the penumbra and what the jaws are off
STRAIGHT_DEG = 1.0
Jaws = tuple[float, float, float, float]
LEAST_MM = 40.0  # a smaller field shows too little to be matched


def inside_jaws(shot: Radiograph, gantry_deg: float, collimator_deg: float, jaws_mm: Jaws) -> Radiograph:
    """The pixels inside X1 X2 Y1 Y2 (isocentre plane); RefusedError for a turned collimator or a field that shows too little."""
    if not abs(collimator_deg) <= STRAIGHT_DEG:
        raise RefusedError(f"MV image: taken with the collimator at {collimator_deg:.1f} deg; it is matched from 0 deg only")
    x1, x2, y1, y2 = jaws_mm
    low, high = np.array([x1, y1]) + BORDER_MM, np.array([x2, y2]) - BORDER_MM
    if not (np.minimum(high, 1e3) - np.maximum(low, -1e3) >= LEAST_MM).all():
        least = LEAST_MM + 2 * BORDER_MM
        raise RefusedError(f"MV image: an open field of {x2 - x1:.0f} x {y2 - y1:.0f} mm is too small; at least {least:.0f} mm")
    corners = shot.view.project(np.stack([on_plane(gantry_deg, low), on_plane(gantry_deg, high)]))
    a = np.clip(np.ceil(corners[0]), 0, [shot.view.columns, shot.view.rows]).astype(int)
    b = np.clip(np.floor(corners[1]) + 1, 0, [shot.view.columns, shot.view.rows]).astype(int)
    return cut(shot, (int(a[0]), int(b[0])), (int(a[1]), int(b[1])))


def on_plane(gantry_deg: float, uv_mm: np.ndarray) -> np.ndarray:
    """(3,) mm in the fixed frame of a point (u, v) in the plane of the isocentre, across the beam."""
    u, v = np.clip(uv_mm, -1e3, 1e3)
    angle = np.radians(gantry_deg)
    return np.array([u * np.cos(angle), v, -u * np.sin(angle)])


def cut(shot: Radiograph, columns: tuple[int, int], rows: tuple[int, int]) -> Radiograph:
    """Some columns and rows (first, one after the last)."""
    view = shot.view
    corner = view.corner_mm + columns[0] * view.du_mm + rows[0] * view.dv_mm
    image = np.ascontiguousarray(shot.image[columns[0] : columns[1], rows[0] : rows[1]])
    return Radiograph(image, View(view.source_mm, corner, view.du_mm, view.dv_mm, *image.shape), shot.mv)
