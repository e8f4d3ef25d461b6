"""Beam with the couch away from its place: how far, and for how long. Truth of the couch; the patient's own motion is not in it."""


import numpy as np

from device_models.referee.columns import QUIET_CYCLES

from .track import MS, Track

BAR_MM, GOAL_MM = 2.0, 1.5  # a target that is further away must not be irradiated for longer than 40 ms


def misses(track: Track, first: int) -> tuple[float | None, float | None]:
    """(worst, MU-weighted) mm, of rows with pulses from `first` on; None without."""
    on = np.flatnonzero(track.pulses[first:] > 0) + first
    if not len(on):
        return None, None
    off, mu = track.couch_off_mm[on], np.diff(track.rows["total_mu"], prepend=0.0)[on]
    weighted = float((off * mu).sum() / mu.sum()) if mu.sum() > 0.0 else None
    return float(off.max()), weighted


def displaced_ms(track: Track, over_mm: float) -> float | None:
    """The longest stretch of beam, first to last pulse, with the couch further away than that; None without any beam."""
    on = track.pulses > 0
    if not on.any():
        return None
    hits = np.flatnonzero(on & ~(track.couch_off_mm <= over_mm))
    if not len(hits):
        return 0.0
    ends = np.flatnonzero(np.diff(hits) > QUIET_CYCLES)
    begins, lasts = hits[np.concatenate([[0], ends + 1])], hits[np.concatenate([ends, [-1]])]
    return float((track.cycle[lasts] - track.cycle[begins]).max() + 1) * MS
