"""The grid on which plans enter the machine: 1 um, 0.001 deg, 1e-6 MU; no later sum depends on a planner's digits."""

import numpy as np
from numpy.typing import ArrayLike

from linac_ctl.plan.model import Floats


def to_mm(values: ArrayLike) -> Floats:
    """Nearest whole micron, in mm; NaN stays NaN."""
    return _to(values, 1000.0)


def to_deg(values: ArrayLike) -> Floats:
    """Nearest 0.001 deg."""
    return _to(values, 1000.0)


def to_mu(values: ArrayLike) -> Floats:
    """Nearest 1e-6 MU."""
    return _to(values, 1e6)


def _to(values: ArrayLike, per_unit: float) -> Floats:
    grid = np.rint(np.asarray(values, dtype=np.float64) * per_unit) / per_unit
    return np.asarray(grid + 0.0, dtype=np.float64)  # + 0.0: no negative zero
