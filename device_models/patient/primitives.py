"""Ellipsoids and elliptic cylinders that add up to a phantom. Frame P, mm; see `device_models.interface.volume`.

A table row: kind (0 ellipsoid, 1 cylinder), centre X Y Z, the nine numbers of R (columns: the body's own axes in P), half axes
a b c, and the HU it adds. A cylinder stands along its own third axis, c is half its length. Values add where bodies overlap.
"""

from typing import Any

import numpy as np

from device_models.interface.volume import Floats, rotation

UPRIGHT = np.eye(3)
ALONG_Y = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]).T  # own third axis to +Y, own second to -Z
COLUMNS = 17
Point = tuple[float, float, float]


def ellipsoid(centre_mm: Point, radii_mm: Point, hu: float, axes: Floats = UPRIGHT) -> list[float]:
    """One row: half axes along the body's own axes."""
    return [0.0, *centre_mm, *axes.ravel(), *radii_mm, hu]


def sphere(centre_mm: Point, radius_mm: float, hu: float) -> list[float]:
    """One row."""
    return ellipsoid(centre_mm, (radius_mm, radius_mm, radius_mm), hu)


def rod(centre_mm: Point, radii_mm: Point, hu: float, axes: Floats = ALONG_Y) -> list[float]:
    """One row: a cylinder, along Y unless turned; radii: across, across, half length."""
    return [1.0, *centre_mm, *axes.ravel(), *radii_mm, hu]


def tilted(x_deg: float = 0.0, y_deg: float = 0.0, z_deg: float = 0.0, axes: Floats = UPRIGHT) -> Floats:
    """(3, 3) own axes, turned by Rz Ry Rx."""
    return rotation(x_deg, y_deg, z_deg) @ axes


def table(rows: list[list[float]]) -> Floats:
    """(n, 17)."""
    return np.array(rows, float).reshape(-1, COLUMNS)


def reach(body: Any) -> Floats:
    """(3,) mm: how far one body reaches from its centre along X, Y, Z."""
    axes, radii = body[4:13].reshape(3, 3), body[13:16]
    stretched = axes * radii
    if body[0] == 0.0:
        span: Floats = np.sqrt((stretched**2).sum(axis=1))
    else:
        span = np.sqrt((stretched[:, :2] ** 2).sum(axis=1)) + np.abs(stretched[:, 2])
    return span
