"""Where source and panel were for every frame, as the controller believes: readbacks plus its own flexmap.

Turned axes at source angle a: u = (cos a, 0, -sin a), v = +Y, w = (sin a, 0, cos a), w towards the source. The panel
stays parallel to u and v; shifts of source and panel along all three axes are part of every frame, tilts are not.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linac_ctl.errors import RefusedError

Floats = NDArray[np.float64]
KV_AHEAD_DEG = 90.0  # the kV source stands this far ahead of the gantry's own angle


@dataclass(frozen=True, slots=True)
class Panel:
    """A detector of `columns` x `rows` square or oblong pixels; pitch in mm at the panel."""

    columns: int
    rows: int
    pitch_u_mm: float
    pitch_v_mm: float

    def binned(self, by: int) -> "Panel":
        """The same panel with pixels `by` x `by` as large; what does not fill a pixel is left out."""
        return Panel(self.columns // by, self.rows // by, self.pitch_u_mm * by, self.pitch_v_mm * by)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One frame in the fixed frame: centre of pixel (0, 0), step per column and per row, (3,) mm each."""

    source_mm: Floats
    corner_mm: Floats
    du_mm: Floats
    dv_mm: Floats
    columns: int
    rows: int

    def binned(self, by: int) -> "View":
        """For the image averaged `by` x `by`."""
        corner = self.corner_mm + (by - 1) / 2 * (self.du_mm + self.dv_mm)
        return View(self.source_mm, corner, by * self.du_mm, by * self.dv_mm, self.columns // by, self.rows // by)

    @property
    def pitch_mm(self) -> float:
        """Width of a pixel at the panel."""
        return float(np.linalg.norm(self.du_mm))

    def project(self, points_mm: Floats) -> Floats:
        """(..., 3) points in the fixed frame -> (..., 2) pixel coordinates (column, row)."""
        normal = np.cross(self.du_mm, self.dv_mm)
        ray = np.asarray(points_mm, float) - self.source_mm
        hit = self.source_mm + ray * ((self.corner_mm - self.source_mm) @ normal / (ray @ normal))[..., None]
        off = hit - self.corner_mm
        return np.stack([off @ self.du_mm / (self.du_mm @ self.du_mm), off @ self.dv_mm / (self.dv_mm @ self.dv_mm)], -1)

    def rays(self, pixels: Floats) -> Floats:
        """(..., 2) pixel coordinates -> (..., 3) unit vectors from the source."""
        at = self.corner_mm + pixels[..., :1] * self.du_mm + pixels[..., 1:] * self.dv_mm - self.source_mm
        unit: Floats = at / np.linalg.norm(at, axis=-1, keepdims=True)
        return unit


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Geometry of n frames of one panel. `source_mm` and `panel_mm` are (n, 3) along u, v, w of each frame."""

    panel: Panel
    angle_deg: Floats  # (n,) source angle, IEC 61217; a kV source stands at gantry + 90
    source_mm: Floats  # (n, 3): nominal (0, 0, SAD)
    panel_mm: Floats  # (n, 3) centre of the panel: nominal (offset, 0, SAD - SID)

    def __post_init__(self) -> None:
        n = len(self.angle_deg)
        if self.source_mm.shape != (n, 3) or self.panel_mm.shape != (n, 3):
            raise RefusedError(f"frame geometry: {n} angles, but source {self.source_mm.shape}, panel {self.panel_mm.shape}")
        for what, values in (("angle", self.angle_deg), ("source", self.source_mm), ("panel", self.panel_mm)):
            if not np.isfinite(values).all():
                raise RefusedError(f"frame geometry: a {what} value is not finite; is the readback missing?")
        if n and not (self.source_mm[:, 2] > self.panel_mm[:, 2]).all():
            raise RefusedError("frame geometry: a panel stands on the source's side of the isocentre; are the arms in place?")

    def __len__(self) -> int:
        return len(self.angle_deg)

    def binned(self, by: int) -> "Frames":
        """For images whose pixels were averaged `by` x `by`; the centre moves when columns are left over."""
        panel = self.panel.binned(by)
        left_u = (self.panel.columns - panel.columns * by) / 2 * self.panel.pitch_u_mm
        left_v = (self.panel.rows - panel.rows * by) / 2 * self.panel.pitch_v_mm
        return replace(self, panel=panel, panel_mm=self.panel_mm - np.array([left_u, left_v, 0.0]))

    def pick(self, which: NDArray[np.intp] | slice) -> "Frames":
        """Some of the frames."""
        return replace(self, angle_deg=self.angle_deg[which], source_mm=self.source_mm[which], panel_mm=self.panel_mm[which])

    def table(self) -> Floats:
        """(n, 8) for the kernels: cos, sin, source u v w, centre of pixel (0, 0) u v w."""
        angle = np.radians(self.angle_deg)
        half_u = (self.panel.columns - 1) / 2 * self.panel.pitch_u_mm
        half_v = (self.panel.rows - 1) / 2 * self.panel.pitch_v_mm
        corner = self.panel_mm - np.array([half_u, half_v, 0.0])
        return np.ascontiguousarray(np.column_stack([np.cos(angle), np.sin(angle), self.source_mm, corner]))

    def view(self, k: int) -> View:
        """Frame k as vectors of the fixed frame."""
        c, s, *rest = self.table()[k]
        axes = np.array([[c, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, c]])
        source, corner = np.array(rest[:3]) @ axes, np.array(rest[3:]) @ axes
        pitch = self.panel
        return View(source, corner, pitch.pitch_u_mm * axes[0], pitch.pitch_v_mm * axes[1], pitch.columns, pitch.rows)


def nominal(panel: Panel, source_angle_deg: Floats, sad_mm: float, sid_mm: float, offset_mm: float = 0.0) -> Frames:
    """Frames of arms that do not sag; `offset_mm` shifts the panel along u (half fan)."""
    n = len(source_angle_deg)
    source = np.tile([0.0, 0.0, sad_mm], (n, 1))
    centre = np.tile([offset_mm, 0.0, sad_mm - sid_mm], (n, 1))
    return Frames(panel, np.asarray(source_angle_deg, float), source, centre)


def kv_angle_deg(gantry_deg: Floats) -> Floats:
    """Source angle of the kV imager."""
    return np.asarray(gantry_deg, float) + KV_AHEAD_DEG
