"""Beam with the couch away from its place: how far, and for how long. Truth of the couch; the patient's own motion is not in it."""

from typing import Any

import numpy as np

from device_models.referee.columns import Flag

from .track import MS, QUIET_CYCLES, Track

BAR_MM, GOAL_MM = 2.0, 1.5  # a target that is further away must not be irradiated for longer than 40 ms


def off_mm(track: Track) -> Any:
    """(n,) How far the couch is from where it was meant to stand when the last permit was given, mm.

    The setpoint of then, not of now: the couch does not move in the beam, and a setpoint that does is itself a fault.
    """
    given = track.has(Flag.PERMIT)
    begins = given & ~np.concatenate([[False], given[:-1]])
    begun = np.flatnonzero(begins)
    row = begun[np.maximum(np.cumsum(begins) - 1, 0)] if len(begun) else np.arange(len(given))
    return np.linalg.norm(track.rows["couch"][:, :3] - track.rows["couch_set"][row, :3], axis=1)


def misses(track: Track, first: int) -> tuple[float | None, float | None]:
    """(worst, MU-weighted) mm, of rows with pulses from `first` on; None without."""
    on = np.flatnonzero(track.pulses[first:] > 0) + first
    if not len(on):
        return None, None
    off, mu = off_mm(track)[on], np.diff(track.rows["total_mu"], prepend=0.0)[on]
    weighted = float((off * mu).sum() / mu.sum()) if mu.sum() > 0.0 else None
    return float(off.max()), weighted


def displaced_ms(track: Track, over_mm: float) -> float | None:
    """The longest stretch of beam, first to last pulse, with the couch further away than that; None without any beam."""
    on = track.pulses > 0
    if not on.any():
        return None
    hits = np.flatnonzero(on & ~(off_mm(track) <= over_mm))
    if not len(hits):
        return 0.0
    ends = np.flatnonzero(np.diff(hits) > QUIET_CYCLES)
    begins, lasts = hits[np.concatenate([[0], ends + 1])], hits[np.concatenate([ends, [-1]])]
    return float((track.cycle[lasts] - track.cycle[begins]).max() + 1) * MS
