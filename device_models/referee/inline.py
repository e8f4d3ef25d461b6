"""The properties that stop a run at once: SI-01, SI-02, SI-05, SI-12, SI-29. Counted in cycles, because that is all there is here.

What is judged after the run is finer, because by then it is known which faults took effect and when; here the limits are those
of a machine with faults.
"""

from ..interface.compiled import compiled
from .columns import JUDGED, QUIET_CYCLES, Flag

PERMIT, CHANNEL, CHAIN, ARM = int(Flag.PERMIT), int(Flag.CHANNEL), int(Flag.CHAIN), int(Flag.ARM)
HEARTBEAT, INHIBIT, ALLOWED = int(Flag.HEARTBEAT), int(Flag.INHIBIT), int(Flag.PERMIT | Flag.CHANNEL | Flag.CHAIN)
LOOKED = ALLOWED | int(Flag.OLD)
INHIBITED_CYCLES = 3  # SI-01: claimed at three ends of cycles, so for 20 ms
STUCK_CYCLES = 3  # SI-02: a trigger or contactor that sticks is stopped by other means within 40 ms
SILENT_CYCLES = 6  # SI-12: 60 ms
TRIP_CYCLES = 3  # SI-29: 25 ms; from what has tripped, whatever its reaction in memory says
SMALLEST_OVER_MU, SHARE_OVER, MOST_OVER_MU = 5.0, 0.1, 25.0  # SI-05
HIGHEST_RATE_MU_PER_S = 40.0
SOME_FAULTS = 2  # with more of them only the last limit is left


@compiled
def look(state, row):
    """-> JUDGED in the cycle in which a property is violated for the first time, else 0."""
    count(state, row)
    number, by = 0, 0.0
    if row.pulses > 0:
        number, by = with_beam(state, row)
    if number == 0 or state.violated != 0:
        return 0
    state.violated, state.violated_cycle, state.violated_by = number, row.cycle, by
    return JUDGED


@compiled
def count(state, row):
    """For how long what matters has been so."""
    tripped = 0
    for i in range(row.tripped.size):
        tripped |= row.tripped[i] & state.inhibits[i]
    state.tripped = state.tripped + 1 if tripped != 0 else 0
    state.inhibited = state.inhibited + 1 if row.bits & INHIBIT else 0
    state.unpermitted = state.unpermitted + 1 if row.pulses > 0 and (row.bits & LOOKED) != ALLOWED else 0
    come_back(state, row, state.tripped > 0 or state.inhibited > 0)
    state.silent = 0 if row.bits & HEARTBEAT else state.silent + 1
    if row.bits & ARM and not row.bits & PERMIT:
        state.armed_total_mu = row.total_mu


@compiled
def come_back(state, row, forbidden):
    """Cycles since a beam that had ended came back while it is forbidden: the doing of a trigger that sticks."""
    began = row.pulses > 0 and state.dark >= QUIET_CYCLES
    state.back = 0 if not forbidden else state.back + 1 if state.back > 0 or began else 0
    state.dark = 0 if row.pulses > 0 else state.dark + 1


@compiled
def with_beam(state, row):
    """-> (number of the property that this pulse violates, by how much), or zeros."""
    stuck = 0 < state.back <= STUCK_CYCLES and state.unpermitted > 0  # with a permit it is the controller's
    if state.tripped > TRIP_CYCLES and not stuck:
        return 29, (state.tripped - 1) * 10.0
    if state.inhibited >= INHIBITED_CYCLES and not stuck:
        return 1, (state.inhibited - 1) * 10.0
    if state.unpermitted > STUCK_CYCLES:
        return 2, state.unpermitted * 10.0
    if state.silent >= SILENT_CYCLES:
        return 12, state.silent * 10.0
    over_mu = row.start_mu + row.total_mu - state.armed_total_mu - row.preset_mu
    return (5, over_mu) if over_mu > most_mu(row, state.faults) else (0, 0.0)


@compiled
def most_mu(row, faults):
    """MU above the prescription, of the order of what the law allows: 5 MU or 10 %, and 25 whatever has failed."""
    if faults > SOME_FAULTS:
        return MOST_OVER_MU
    return min(max(SMALLEST_OVER_MU, SHARE_OVER * row.preset_mu, 0.15 * HIGHEST_RATE_MU_PER_S), MOST_OVER_MU)
