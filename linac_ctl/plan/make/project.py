"""Patient to beam's-eye view (IEC 61217), for a patient lying head first supine."""

import math
from dataclasses import dataclass

import numpy as np

from linac_ctl.plan.model import Floats

SAD_MM = 1000.0
SMEAR = (-1.0, -0.5, 0.0, 0.5, 1.0)  # of the margin, across the leaves


@dataclass(frozen=True, slots=True)
class View:
    """Angles of one look, deg."""

    gantry_deg: float
    collimator_deg: float
    couch_deg: float = 0.0


def project(points_mm: Floats, view: View) -> Floats:
    """(m, 2) mm in the plane of the isocentre, collimator axes, of (m, 3) from the isocentre, DICOM patient axes."""
    x, y, z = points_mm[:, 0], points_mm[:, 2], -points_mm[:, 1]  # head first supine to the patient support's axes
    x, y = _turn(x, y, -view.couch_deg)  # support to fixed
    zg, xg = _turn(z, x, view.gantry_deg)  # fixed to gantry, about y
    scale = SAD_MM / (SAD_MM - zg)
    xb, yb = _turn(xg * scale, y * scale, view.collimator_deg)
    return np.column_stack([xb, yb])


def _turn(u: Floats, v: Floats, axes_by_deg: float) -> tuple[Floats, Floats]:
    """Components along axes turned from u towards v."""
    c, s = math.cos(math.radians(axes_by_deg)), math.sin(math.radians(axes_by_deg))
    return u * c + v * s, v * c - u * s


def shadow(points_mm: Floats, sides_mm: Floats, view: View, margin_mm: float) -> Floats:
    """(p, 2) mm: lowest and highest x under each leaf pair, grown by the margin; NaN where there is none."""
    flat = project(points_mm, view)
    low, high = np.full(len(sides_mm) - 1, np.inf), np.full(len(sides_mm) - 1, -np.inf)
    for part in SMEAR:
        pair = np.searchsorted(sides_mm, flat[:, 1] + part * margin_mm, side="right") - 1
        inside = (pair >= 0) & (pair < len(low))
        np.minimum.at(low, pair[inside], flat[inside, 0])
        np.maximum.at(high, pair[inside], flat[inside, 0])
    found = np.column_stack([low - margin_mm, high + margin_mm])
    found[low > high] = np.nan
    return found
