"""A view: where the source and every pixel of one frame really were, in the fixed frame or in a patient's. mm."""

from dataclasses import dataclass

import numpy as np

from device_models.interface.volume import Floats, Pose

ALIGNED_MM = 1e-9  # a column of pixels is parallel to Y when one pixel's step leaves it by less than this


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Pixel (column i, row j) is centred at corner + i du + j dv; row 0 is the lowest Y, as columns run along u."""

    source_mm: Floats  # (3,)
    corner_mm: Floats  # (3,) centre of pixel (0, 0)
    du_mm: Floats  # (3,) from column to column
    dv_mm: Floats  # (3,) from row to row
    columns: int
    rows: int

    @property
    def twelve(self) -> Floats:
        """(12,) for the kernels: source, corner, du, dv."""
        return np.concatenate([self.source_mm, self.corner_mm, self.du_mm, self.dv_mm])

    @property
    def aligned(self) -> bool:
        """Does a column of pixels lie along +Y, and a row across it?"""
        du, dv = self.du_mm, self.dv_mm
        return bool(abs(du[1]) < ALIGNED_MM and abs(dv[0]) < ALIGNED_MM and abs(dv[2]) < ALIGNED_MM and dv[1] > 0.0)

    def seen_from(self, pose: Pose) -> "View":
        """The same rays in the frame of a patient who lies at `pose`."""
        back = pose.matrix.T
        source, corner = back @ (self.source_mm - pose.t), back @ (self.corner_mm - pose.t)
        return View(source, corner, back @ self.du_mm, back @ self.dv_mm, self.columns, self.rows)

    def project(self, points_mm: Floats) -> Floats:
        """(..., 3) points -> (..., 2) column and row, fractions of a pixel."""
        normal = np.cross(self.du_mm, self.dv_mm)
        ray = np.asarray(points_mm, float) - self.source_mm
        depth = float((self.corner_mm - self.source_mm) @ normal) / (ray @ normal)
        off = self.source_mm + ray * depth[..., None] - self.corner_mm
        return np.stack([off @ self.du_mm / (self.du_mm @ self.du_mm), off @ self.dv_mm / (self.dv_mm @ self.dv_mm)], axis=-1)


def turned_axes(angle_deg: float) -> Floats:
    """(3, 3) rows u, v, w for a source at this angle: u across, v along +Y, w towards the source."""
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.array([[c, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, c]])


def view_of(angle_deg: float, source_uvw_mm: Floats, panel_uvw_mm: Floats, roll_deg: float, shape: tuple[int, int, float]) -> View:
    """A view from places along the turned axes; `shape` is columns, rows, pitch in mm; roll turns the panel in its plane."""
    columns, rows, pitch = shape
    u, v, w = turned_axes(angle_deg)
    c, s = (np.cos(np.radians(roll_deg)), np.sin(np.radians(roll_deg))) if roll_deg else (1.0, 0.0)
    du, dv = pitch * (c * u + s * v), pitch * (c * v - s * u)
    axes = np.stack([u, v, w])
    corner = panel_uvw_mm @ axes - 0.5 * (columns - 1) * du - 0.5 * (rows - 1) * dv
    return View(source_uvw_mm @ axes, corner, du, dv, columns, rows)
