"""What kind of delivery a beam is, told from what moves while MU are given."""

import numpy as np
from numpy.typing import NDArray

from linac_ctl.plan.model import Beam, Floats

SAME_RATE = 0.02  # relative spread of MU per degree below which an arc counts as constant


def segments_with_mu(cumulative_mu: Floats) -> NDArray[np.bool_]:
    """(n - 1,) True where MU are given between two control points."""
    given: NDArray[np.bool_] = np.diff(cumulative_mu) > 0.0
    return given


def technique(cumulative_mu: Floats, gantry_deg: Floats, jaw_mm: Floats, leaf_mm: Floats | None) -> str:
    """One of the names in `Beam.technique`."""
    given = segments_with_mu(cumulative_mu)
    turn = np.abs(np.diff(gantry_deg))
    if turn.any():
        return "conformal_arc" if _even(np.diff(cumulative_mu), turn) else "arc"
    moves = shape_moves(jaw_mm, leaf_mm)
    if (moves & given).any():
        return "sliding_window"
    return "step_and_shoot" if moves.any() else "static"


def shape_moves(jaw_mm: Floats, leaf_mm: Floats | None) -> NDArray[np.bool_]:
    """(n - 1,) True where a jaw or leaf differs between two control points."""
    moves: NDArray[np.bool_] = (np.diff(np.nan_to_num(jaw_mm), axis=0) != 0.0).any(axis=1)
    return moves if leaf_mm is None else moves | (np.diff(leaf_mm, axis=0) != 0.0).any(axis=1)


def is_modulated(beam: Beam) -> bool:
    """True if the dose is meant to be shaped in the course of the beam, whatever is left of the shape."""
    many = int(segments_with_mu(beam.cumulative_mu).sum()) > 1
    return many or beam.technique != "static" or beam.beam_type == "DYNAMIC"


def _even(step_mu: Floats, turn_deg: Floats) -> bool:
    """True if MU per degree is the same all the way."""
    if ((turn_deg == 0.0) & (step_mu > 0.0)).any():
        return False
    per_deg = step_mu[turn_deg > 0.0] / turn_deg[turn_deg > 0.0]
    # planners round weights and angles; a short segment shows it most
    return bool(np.ptp(per_deg) <= SAME_RATE * max(float(per_deg.mean()), 1e-9))
