"""The controller's own consistency: what it is about to deliver against what was armed, its checks, its latches."""

import numpy as np

from device_models.interface.compiled import compiled

from ..interlocks.scan import PHASES, latch_differences
from .phases import Phase
from .signals import Signal

BEAM, READY = int(Phase.BEAM), int(Phase.READY)
ARMED = (READY, BEAM)
HALF_PULSE = 0.51  # of a pulse: the field ends at the nearest one
COARSE, FINE = 1e3, 1e6  # grid of positions (um, 0.001 deg) and of MU: sums over whole numbers of it are exact
SAME_MU = 0.001


@compiled
def sum_up(row, weight):
    """Whole thousandths of a unit, each with a weight of its own."""
    total = 0.0
    for i in range(row.size):
        weight += 1.0
        total += weight * np.rint(row[i] * COARSE)
    return total


@compiled
def sum_of_point(table, k):
    """Over everything that is to be delivered at this control point; exact, so that whoever sums up finds the same."""
    total = np.rint(table.mu[k] * FINE) + 2.0 * np.rint(table.stop_mu[k] * FINE) + 3.0 * table.move[k]
    total += sum_up(table.gantry[k], 3.0) + sum_up(table.collimator[k], 4.0) + sum_up(table.jaws[k], 5.0)
    return total + sum_up(table.carriages[k], 9.0) + sum_up(table.mlc[k], 11.0)


@compiled
def altered(job, table):
    """1.0 when what is about to be delivered, at the two control points in use, is not what was armed."""
    s = job.segment
    whole = sum_of_point(table, s) == table.check[s] and sum_of_point(table, s + 1) == table.check[s + 1]
    sound = abs(job.mu_end - job.preset_mu) <= SAME_MU and abs(job.half_pulse_mu - HALF_PULSE * job.pulse_mu) <= 1e-9
    return 0.0 if whole and sound and job.prescription == job.armed_prescription else 1.0


@compiled
def measure_self(job, signals, rows, table):
    """The controller's own consistency."""
    phase = job.phase
    signals[Signal.STATE_ILLEGAL] = 0.0 if phase in PHASES and (job.permit == 0 or phase == BEAM) else 1.0
    signals[Signal.UNEVALUATED] = rows.size - job.evaluated
    signals[Signal.LATCH_SPLIT] = latch_differences(rows)
    signals[Signal.PRESCRIPTION_CHANGED] = altered(job, table) if phase in ARMED else 0.0
    signals[Signal.SESSION_CHANGED] = 0.0 if job.session == job.armed_session else 1.0
