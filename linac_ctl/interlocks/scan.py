"""The only code that reads an interlock row, every cycle. It asks what is fine, so NaN trips."""

from typing import Any

import numpy as np

from device_models.interface.compiled import compiled
from device_models.interface.image import records

from ..control.phases import Phase

PHASES = tuple(int(phase) for phase in Phase)
EVERY = -1  # all bits: what a phase that does not exist is taken for, so that every row looks

ROW = np.dtype([
    ("signal", "i8"),
    ("sense", "f8"),  # +1.0: fine while signal <= threshold; -1.0: fine while signal >= threshold
    ("threshold", "f8"),
    ("debounce", "i8"),  # bad cycles in a row until it trips
    ("phases", "i8"),  # Phase bits in which it is looked at
    ("reaction", "i8"),
    ("latched", "i8"),  # 1 = stays until an operator resets it
    ("clear_cycles", "i8"),  # good cycles until a row that is not latched clears
    ("most_holds", "i8"),  # self-clearing rows: more trips than this in a field escalate; 0 = no limit
    ("longest", "i8"),  # self-clearing rows: a trip longer than this many cycles escalates; 0 = no limit
    ("escalates_to", "i8"),  # reaction once escalated
    ("bad_cycles", "i8"),
    ("good_cycles", "i8"),
    ("tripped", "i8"),
    ("tripped_copy", "i8"),  # a second copy of the latch, inverted; written with it and never from it; a difference trips LATCH_DIS
    ("escalated", "i8"),
    ("holds", "i8"),  # trips in this field
    ("first_cycle", "i8"),  # of the trip in force
    ("value", "f8"),  # of the signal when it tripped
])


@compiled
def judge(row, signals, phase, cycle):
    """One row, one cycle; -> 1 if its state changed."""
    value = signals[row.signal]
    watched = (row.phases & phase) != 0
    fine = (row.sense * value <= row.sense * row.threshold) | (not watched)
    row.bad_cycles = 0 if fine else row.bad_cycles + 1
    row.good_cycles = row.good_cycles + 1 if fine else 0
    before = row.tripped
    if row.latched == 1 and row.holds == 0 and before + row.tripped_copy != 1:
        row.holds = 1  # nobody knows which copy is right: it has tripped, until somebody resets it, even if both agree again
    if row.bad_cycles >= row.debounce and before == 0:
        row.tripped, row.tripped_copy, row.first_cycle, row.value = 1, 0, cycle, value
        row.holds += 1
    elif before == 1 and row.latched == 0 and row.escalated == 0 and row.good_cycles >= row.clear_cycles:
        row.tripped, row.tripped_copy = 0, 1
    return escalate(row, cycle) + (1 if row.tripped != before else 0)


@compiled
def escalate(row, cycle):
    """A routine row that trips too often or for too long becomes a latched one; -> 1 in the cycle it does."""
    too_many = row.most_holds > 0 and row.holds > row.most_holds
    too_long = row.longest > 0 and row.tripped == 1 and cycle - row.first_cycle >= row.longest
    if row.tripped == 1 and row.escalated == 0 and (too_many or too_long):
        row.escalated = 1
        return 1
    return 0


@compiled
def watching(phase):
    """The phase as rows see it."""
    return phase if phase in PHASES else EVERY


@compiled
def in_force(row):
    """1 if either copy of the latch says so, or its count: a latched row that has tripped in this field, and nobody reset it."""
    forgotten = row.latched == 1 and row.holds > 0
    return 0 if row.tripped == 0 and row.tripped_copy == 1 and not forgotten else 1


@compiled
def scan(rows, signals, phase, cycle):
    """-> (reactions in force, rows that changed in this very cycle, rows evaluated)."""
    reactions = changed = evaluated = 0
    now = watching(phase)
    for i in range(rows.size):
        row = rows[i]
        changed += judge(row, signals, now, cycle)
        reactions |= row.reaction * in_force(row) | row.escalates_to * row.escalated
        evaluated += 1
    return reactions, changed, evaluated


@compiled
def latch_differences(rows):
    """Rows whose two copies of the latch do not agree with each other, or with what they have counted."""
    n = 0
    for i in range(rows.size):
        n += 1 if rows[i].tripped + rows[i].tripped_copy != 1 or in_force(rows[i]) != rows[i].tripped else 0
    return n


def new_rows(n: int) -> Any:
    """n rows at rest."""
    return records(n, ROW, tripped_copy=1)
