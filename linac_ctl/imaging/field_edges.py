"""Where the edges of a treatment field are in its port image, against where the plan wants them.

The field's image divided by the open field's image of the same patient shows the field alone: bones cancel.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .geometry import View

Floats = NDArray[np.float64]
Image = NDArray[np.float32]
STRIP_MM = 5.0  # of a field without leaves
CLEAR_MM = 3.0  # from jaws along Y: nearer, an edge is in their penumbra
LEAST_GAP_MM = 8.0  # a narrower gap shows no two edges
REACH_MM, STEP_MM = 10.0, 0.25
HALF = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """A field at the isocentre, collimator axes; jaws that are not there are infinite."""

    gantry_deg: float
    collimator_deg: float
    jaws_mm: tuple[float, float, float, float]  # X1 X2 Y1 Y2
    boundaries_mm: Floats | None = None  # (p + 1,)
    leaf_mm: Floats | None = None  # (2 p,) bank A (X2 side), then bank B

    def strips(self) -> Floats:
        """(n, 4) number of the pair, y of its middle, X edges: those that an image can show."""
        x1, x2, y1, y2 = self.jaws_mm
        if self.boundaries_mm is None or self.leaf_mm is None:
            y = np.arange(max(y1, -200.0) + STRIP_MM, min(y2, 200.0), STRIP_MM)
            found = np.column_stack([np.arange(len(y)), y, np.full(len(y), x1), np.full(len(y), x2)])
        else:
            sides, pairs = self.boundaries_mm, len(self.boundaries_mm) - 1
            left, right = np.maximum(self.leaf_mm[pairs:], x1), np.minimum(self.leaf_mm[:pairs], x2)
            found = np.column_stack([np.arange(pairs), (sides[1:] + sides[:-1]) / 2.0, left, right])
        inside = (found[:, 1] >= y1 + CLEAR_MM) & (found[:, 1] <= y2 - CLEAR_MM)
        out: Floats = found[inside & (found[:, 3] - found[:, 2] >= LEAST_GAP_MM)]
        return out


@dataclass(frozen=True, slots=True, eq=False)
class FieldEdges:
    """`off_mm` (n, 2): X1 side and X2 side of each strip, found less planned; NaN when there is no edge within reach."""

    pair: NDArray[np.int64]  # (n,) leaf pair, or strip, counted from 0
    off_mm: Floats

    @property
    def worst(self) -> tuple[float, int, str]:
        """(mm, pair, side) of the edge that is farthest off; an edge that is not there counts most."""
        size = np.where(np.isnan(self.off_mm), np.inf, np.abs(self.off_mm))
        row, side = np.unravel_index(int(size.argmax()), size.shape)
        return float(size[row, side]), int(self.pair[row]), "X1 side" if side == 0 else "X2 side"

    @property
    def mean_mm(self) -> float:
        """Of all edges: the whole field's shift along its X."""
        return float(np.nanmean(self.off_mm))


def field_edges(shaped: Image, opened: Image, view: View, planned: Opening) -> FieldEdges:
    """shaped and opened: (columns, rows) line integrals of one view, each normalised to its own MU."""
    share = np.exp(opened.astype(np.float64) - shaped.astype(np.float64))
    strips = planned.strips()
    off = [[_edge(share, view, planned, y, x, sense) for x, sense in ((left, 1.0), (right, -1.0))] for _, y, left, right in strips]
    return FieldEdges(strips[:, 0].astype(np.int64), np.array(off).reshape(-1, 2))


def _edge(share: Floats, view: View, planned: Opening, y_mm: float, x_mm: float, sense: float) -> float:
    """mm of the half-value place nearest the planned one, positive towards +X; `sense` +1: the field lies on the +X side."""
    along = np.arange(-REACH_MM, REACH_MM + STEP_MM / 2.0, STEP_MM)
    level = (sampled(share, view.project(_fixed(planned, x_mm + along, y_mm))) - HALF) * sense
    crossing = np.flatnonzero((level[:-1] <= 0.0) & (level[1:] > 0.0))
    if not len(crossing):
        return float("nan")
    k = int(crossing[np.argmin(np.abs(along[crossing]))])
    return float(along[k] + STEP_MM * -level[k] / (level[k + 1] - level[k]))


def _fixed(planned: Opening, x_mm: Floats, y_mm: float) -> Floats:
    """(n, 3) fixed frame, of points in the plane of the isocentre along the collimator's axes."""
    turn, gantry = np.radians(planned.collimator_deg), np.radians(planned.gantry_deg)
    u, v = x_mm * np.cos(turn) - y_mm * np.sin(turn), x_mm * np.sin(turn) + y_mm * np.cos(turn)
    out: Floats = np.column_stack([u * np.cos(gantry), v, -u * np.sin(gantry)])
    return out


def sampled(image: Floats, pixels: Floats) -> Floats:
    """(n,) bilinear; beyond the panel the value at its edge."""
    i, j = (np.clip(pixels[:, k], 0.0, image.shape[k] - 1.001) for k in (0, 1))
    a, b = i.astype(int), j.astype(int)
    f, g = i - a, j - b
    out: Floats = ((1 - f) * (1 - g) * image[a, b] + f * (1 - g) * image[a + 1, b] + (1 - f) * g * image[a, b + 1]
                   + f * g * image[a + 1, b + 1])
    return out
