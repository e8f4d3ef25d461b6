"""Leaf ends from shadows: conformal openings, openings beside what is spared, travel within speed, jaws round it."""

import numpy as np

from linac_ctl.plan.grid import to_mm
from linac_ctl.plan.make.mlc import Mlc
from linac_ctl.plan.model import Floats

WORTH_OPENING_MM = 3.0
LEAF_GRID_MM = 0.1
JAW_GRID_MM = 1.0


def conform(target: Floats) -> Floats:
    """(p, 2) mm lower and upper leaf end on the target's shadow; pairs beside it are closed at its middle."""
    opening = target.copy()
    beside = np.isnan(target[:, 0])
    if not beside.all():
        opening[beside] = np.nanmean(target)
    else:
        opening[:] = 0.0
    return opening


def beside(target: Floats, spared: Floats, side: float) -> Floats:
    """(p, 2) mm opening on one side of what is spared.

    Args: side -1 lower part, +1 upper part; between, the opening passes over the spared strip closed.
    """
    opening = conform(target)
    low, high = opening[:, 0].copy(), opening[:, 1].copy()
    crossed = ~np.isnan(spared[:, 0]) & ~np.isnan(target[:, 0]) & (spared[:, 1] > low) & (spared[:, 0] < high)
    for i in np.flatnonzero(crossed):
        opening[i] = _split(low[i], high[i], spared[i, 0], spared[i, 1], side)
    return opening


def _split(low: float, high: float, spare_low: float, spare_high: float, side: float) -> tuple[float, float]:
    lower = (low, max(spare_low, low)) if spare_low - low > WORTH_OPENING_MM else None
    upper = (min(spare_high, high), high) if high - spare_high > WORTH_OPENING_MM else None
    if lower is None and upper is None:
        middle = (low + high) / 2.0
        return middle, middle
    if lower is None or upper is None:
        return lower or upper or (low, low)
    middle, far = (spare_low + spare_high) / 2.0, lower if side < 0.0 else upper
    share = abs(side)
    return middle + share * (far[0] - middle), middle + share * (far[1] - middle)


def within_travel(openings: Floats, travel_mm: Floats) -> Floats:
    """(n, p, 2) openings of which no leaf moves further than travel_mm (n - 1,) between control points.

    Every result lies inside its opening, or is closed where that cannot be.
    """
    low, high = openings[:, :, 0].copy(), openings[:, :, 1].copy()
    for i in range(1, len(openings)):
        high[i] = np.minimum(high[i], high[i - 1] + travel_mm[i - 1])
        low[i] = np.maximum(low[i], low[i - 1] - travel_mm[i - 1])
    for i in range(len(openings) - 2, -1, -1):
        high[i] = np.minimum(high[i], high[i + 1] + travel_mm[i])
        low[i] = np.maximum(low[i], low[i + 1] - travel_mm[i])
    middle = (low + high) / 2.0
    return np.stack([np.minimum(low, middle), np.maximum(high, middle)], axis=2)


def leaf_table(openings: Floats, mlc: Mlc) -> Floats:
    """(n, 2 p) mm, bank A then B, on a 0.1 mm grid, never closer than the MLC's gap."""
    low = np.rint(openings[:, :, 0] / LEAF_GRID_MM) * LEAF_GRID_MM
    high = np.rint(openings[:, :, 1] / LEAF_GRID_MM) * LEAF_GRID_MM
    missing = np.maximum(mlc.gap_mm - (high - low), 0.0)
    below = np.floor(missing / 2.0 / LEAF_GRID_MM + 0.5) * LEAF_GRID_MM
    low = low - below
    return to_mm(np.hstack([np.maximum(high, low + mlc.gap_mm), low]))


def jaw_table(openings: Floats, mlc: Mlc) -> Floats:
    """(n, 4) mm: one rectangle round every opening of the beam; no X jaws where the machine has none."""
    used = (openings[:, :, 1] - openings[:, :, 0]) > 0.0
    pairs = np.flatnonzero(used.any(axis=0))
    x1 = np.floor(openings[:, :, 0][used].min() / JAW_GRID_MM) * JAW_GRID_MM - JAW_GRID_MM
    x2 = np.ceil(openings[:, :, 1][used].max() / JAW_GRID_MM) * JAW_GRID_MM + JAW_GRID_MM
    row = [
        x1 if mlc.x_jaws else np.nan,
        x2 if mlc.x_jaws else np.nan,
        mlc.sides_mm[pairs[0]],
        mlc.sides_mm[pairs[-1] + 1],
    ]
    return to_mm(np.tile(row, (len(openings), 1)))
