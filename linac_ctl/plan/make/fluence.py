"""Fields with dynamic or stepped leaves at a standing gantry: less dose through what is spared."""

import numpy as np

from linac_ctl.plan.make.aperture import conform, jaw_table, leaf_table
from linac_ctl.plan.make.beams import Head, Scene, beam
from linac_ctl.plan.make.project import View
from linac_ctl.plan.model import Beam, Floats

SPARED = 0.35  # fluence through what is spared, relative to the target
SWEEP = 0.8  # time that one sweep takes, relative to the dose of the open field
GRID_MM = 1.0


def sliding_window(head: Head, at: Scene, gantry_deg: float, points: int) -> Beam:
    """Leaves sweep from X1 to X2; the time between leading and trailing leaf is the fluence."""
    view = View(gantry_deg, head.collimator_deg, head.couch_deg)
    target, spared = at.target_shadow(view), at.spare_shadow(view)
    field = conform(target)
    share = np.linspace(0.0, 1.0, points)
    sweeps = [_sweep(field[i], spared[i], _width(target)) for i in range(len(field))]
    time = share * max(trailing[-1] for _, trailing, _ in sweeps)
    openings = np.stack(
        [np.column_stack([np.interp(time, behind, x), np.interp(time, ahead, x)]) for ahead, behind, x in sweeps], 1
    )
    jaws = jaw_table(np.stack([field] * points), at.mlc)
    return beam(head, at, np.full(points, gantry_deg), share, jaws, leaf_table(openings, at.mlc))


def field_in_field(head: Head, at: Scene, gantry_deg: float) -> Beam:
    """Step and shoot: the whole target first, then the target without what is spared; leaves move without dose."""
    view = View(gantry_deg, head.collimator_deg, head.couch_deg)
    whole = conform(at.target_shadow(view))
    shielded = _larger_side(whole, at.spare_shadow(view))
    openings = np.stack([whole, whole, shielded, shielded])
    share = np.array([0.0, SPARED, SPARED, 1.0])
    return beam(head, at, np.full(4, gantry_deg), share, jaw_table(openings, at.mlc), leaf_table(openings, at.mlc))


def _width(target: Floats) -> float:
    """mm from the lowest to the highest leaf end: all pairs sweep at one speed."""
    return float(np.nanmax(target[:, 1]) - np.nanmin(target[:, 0]))


def _sweep(field: Floats, spared: Floats, width_mm: float) -> tuple[Floats, Floats, Floats]:
    """(times of the leading leaf, of the trailing leaf, places in mm) of one pair; time in doses of an open field."""
    low, high = float(field[0]), float(field[1])
    x = np.linspace(low, high, max(2, round((high - low) / GRID_MM) + 1))
    pace = (x - low) * (SWEEP / width_mm)
    if high - low <= 0.0:
        return pace, pace, x
    fluence = np.where((x > spared[0]) & (x < spared[1]), SPARED, 1.0)  # NaN compares false: nothing spared here
    steps = np.diff(fluence)
    leading = pace + np.concatenate([[0.0], np.cumsum(np.maximum(-steps, 0.0))])
    trailing = pace + fluence[0] + np.concatenate([[0.0], np.cumsum(np.maximum(steps, 0.0))])
    return leading, trailing, x


def _larger_side(whole: Floats, spared: Floats) -> Floats:
    """(p, 2) mm: of each pair the wider part beside what is spared."""
    shielded = whole.copy()
    for i in np.flatnonzero((spared[:, 1] > whole[:, 0]) & (spared[:, 0] < whole[:, 1])):
        below, above = spared[i, 0] - whole[i, 0], whole[i, 1] - spared[i, 1]
        if max(below, above) <= 0.0:
            shielded[i] = np.mean(whole[i])
        elif below > above:
            shielded[i, 1] = spared[i, 0]
        else:
            shielded[i, 0] = spared[i, 1]
    return shielded
