"""The referee's trace of a run as questions are asked of it."""

from functools import cached_property
from typing import Any

import numpy as np

from device_models.interface.image import DT_S
from device_models.referee.columns import QUIET_CYCLES, Flag

MS = DT_S * 1000.0
MOVES = 0.01  # mm or deg in a cycle: a mm or a degree in a second, well above what a standing axis trembles
LEAF_MOVES_MM_PER_S = 1.0


class Track:
    """The trace of a run, by cycle."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        self.cycle, self.bits, self.pulses = rows["cycle"], rows["bits"], rows["pulses"]

    def at(self, cycle: int) -> int:
        """First row from this cycle on."""
        return int(np.searchsorted(self.cycle, cycle))

    def has(self, flag: Flag) -> Any:
        """All of these bits, in every row."""
        return (self.bits & int(flag)) == int(flag)

    def unpowered(self) -> Any:
        """In every row: nobody asks for drive power, or the safety channel keeps it back."""
        return (self.rows["enable"] == 0) | ~self.has(Flag.DRIVES)

    @cached_property
    def couch_off_mm(self) -> Any:
        """(n,) How far the couch is from where it was meant to stand when the last permit was given, mm.

        The setpoint of then, not of now: the couch does not move in the beam, and a setpoint that does is itself a fault.
        """
        given = self.has(Flag.PERMIT)
        begins = given & ~np.concatenate([[False], given[:-1]])
        begun = np.flatnonzero(begins)
        row = begun[np.maximum(np.cumsum(begins) - 1, 0)] if len(begun) else np.arange(len(given))
        return np.linalg.norm(self.rows["couch"][:, :3] - self.rows["couch_set"][row, :3], axis=1)

    def beam_ends(self, row: int) -> int:
        """First row from here on that begins a stretch without pulses."""
        on = np.flatnonzero(self.pulses[row:] > 0)
        if not len(on) or on[0] >= QUIET_CYCLES:
            return row
        gaps = np.flatnonzero(np.diff(on) > QUIET_CYCLES)
        return int(row + on[gaps[0] if len(gaps) else -1] + 1)

    def total_mu(self, row: int) -> float:
        """Dose since power-up before this row."""
        return float(self.rows["total_mu"][row - 1]) if row > 0 else 0.0

    def moving(self, first: int = 0, last: int | None = None) -> Any:
        """In every row from `first` up to `last`: does anything move? Truth, not what was asked for."""
        names = ("gantry_deg", "collimator_deg", "jaw_mm", "couch", "carriage_mm", "kv_arm_mm", "mv_arm_mm")
        rows, before = self.rows[first:last], self.rows[max(first - 1, 0):max(first, 1)]
        if not len(rows):
            return np.zeros(0, bool)
        found = np.abs(np.nan_to_num(rows["leaf_mm_per_s"])) > LEAF_MOVES_MM_PER_S
        for name in names:
            places, start = rows[name].reshape(len(rows), -1), before[name].reshape(len(before), -1)
            found |= (np.abs(np.diff(places, axis=0, prepend=start)) > MOVES).any(axis=1)
        return found
