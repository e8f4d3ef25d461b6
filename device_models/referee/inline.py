"""The properties that stop a run at once: SI-01, SI-02, SI-05, SI-12, SI-29. Counted in cycles, because that is all there is here.

What is judged after the run is finer; what is judged here is never stricter than that.
"""

from ..interface.compiled import compiled
from .columns import JUDGED, Flag

PERMIT, CHANNEL, CHAIN, ARM = int(Flag.PERMIT), int(Flag.CHANNEL), int(Flag.CHAIN), int(Flag.ARM)
HEARTBEAT, INHIBIT, ALLOWED = int(Flag.HEARTBEAT), int(Flag.INHIBIT), int(Flag.PERMIT | Flag.CHANNEL | Flag.CHAIN)
INHIBITED_CYCLES = 3  # SI-01: claimed at three ends of cycles, so for 20 ms
SETTLED_CYCLES = 3  # SI-02: every permit for two cycles before the first pulse
STUCK_CYCLES = 3  # SI-02: a trigger or contactor that sticks is stopped by other means within 40 ms
SILENT_CYCLES = 6  # SI-12: 60 ms
TRIP_CYCLES = 3  # SI-29: 25 ms; from what has tripped, whatever its reaction in memory says
SMALLEST_OVER_MU, SHARE_OVER, MOST_OVER_MU = 5.0, 0.1, 25.0  # SI-05 with faults; without, see `most_mu`
HIGHEST_RATE_MU_PER_S = 40.0


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
    state.permitted = state.permitted + 1 if (row.bits & ALLOWED) == ALLOWED else 0
    state.unpermitted = state.unpermitted + 1 if row.pulses > 0 and (row.bits & ALLOWED) != ALLOWED else 0
    state.silent = 0 if row.bits & HEARTBEAT else state.silent + 1
    if row.bits & ARM and not row.bits & PERMIT:
        state.armed_total_mu = row.total_mu


@compiled
def with_beam(state, row):
    """-> (number of the property that this pulse violates, by how much), or zeros."""
    if state.tripped > TRIP_CYCLES:
        return 29, (state.tripped - 1) * 10.0
    if state.inhibited >= INHIBITED_CYCLES:
        return 1, (state.inhibited - 1) * 10.0
    if state.unpermitted > (STUCK_CYCLES if state.faults > 0 else 0):
        return 2, state.unpermitted * 10.0
    if state.permitted < SETTLED_CYCLES and state.faults == 0:
        return 2, state.permitted * 10.0
    if state.silent >= SILENT_CYCLES:
        return 12, state.silent * 10.0
    over_mu = row.start_mu + row.total_mu - state.armed_total_mu - row.preset_mu
    return (5, over_mu) if over_mu > most_mu(state, row) else (0, 0.0)


@compiled
def most_mu(state, row):
    """MU above the prescription: two cycles' worth without a fault, the law's order of magnitude with one."""
    if state.faults == 0:
        return 0.015 * HIGHEST_RATE_MU_PER_S + 0.05
    share = max(SMALLEST_OVER_MU, SHARE_OVER * row.preset_mu)
    return min(max(share, 0.15 * HIGHEST_RATE_MU_PER_S), MOST_OVER_MU)
