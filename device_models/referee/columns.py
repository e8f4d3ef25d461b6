"""What the witness writes down of every cycle: truth, wires, claims of the controller. One record per cycle, units in names."""

from enum import IntFlag

import numpy as np

LATCH_WORDS = 3  # of 64 rows each


class Flag(IntFlag):
    """Bits of `ROW.bits`. Wires as the machine heard them in this cycle, and truths that are yes or no."""

    PERMIT = 1  # wire: the controller's permit, as the beam heard it
    CHANNEL = 2  # wire: the safety channel's permit, as the contactor saw it
    CHAIN = 4  # wire: door contacts, emergency stops and mains in series
    HEARTBEAT = 8  # wire: the right answer to the channel's challenge
    HV_REQUEST = 16  # wire
    ARM = 32  # wire
    RESET = 64  # wire
    CLEAR_DOSE = 128  # wire
    SELFTEST = 256  # wire
    HV_ON = 512  # truth: gun and RF are warm
    DOOR = 1024  # truth: closed
    ESTOP = 2048  # truth: all released
    MAINS = 4096  # truth
    BAR = 8192  # truth: a motion-enable bar is held
    GUARD = 16384  # truth: nothing touches
    KEY = 32768  # truth
    PATIENT = 65536  # truth: somebody lies there
    ALIVE = 131072  # the controller's clock has moved in this cycle
    INHIBIT = 262144  # claim: a reaction that forbids beam is in force
    TOKEN_NEEDED = 524288  # claim: no beam without an approved position
    BAR_NEEDED = 1048576  # claim: motion needs a held bar
    DRIVES = 2097152  # truth: the safety channel lets the drives have power
    OLD = 4194304  # wire: by its stamp, what the beam heard was not said in this cycle or the last; a permit of then is none


ROW = np.dtype([
    ("cycle", "i8"),
    ("total_mu", "f8"),  # truth: all dose since power-up, at the end of the cycle
    ("mu_1", "f8"), ("mu_2", "f8"),  # wires: counters of both chambers since cleared
    ("backup_mu", "f8"),  # truth: what the safety channel has counted
    ("preset_mu", "f8"),  # wire: prescription for the channel
    ("loaded_mu", "f8"),  # truth: prescription that the channel works with
    ("start_mu", "f8"),  # wire: of it already given
    ("expected_mu", "f8"), ("end_mu", "f8"),  # claims
    ("record_mu", "f8"),  # claim: MU of the field in the journal, chamber 1
    ("prescription", "i8"), ("session", "i8"),  # claims
    ("clock", "i8"),  # claim: the controller's own cycle
    ("tripped", "i8", (LATCH_WORDS,)),  # claim: one bit per interlock row in force
    ("bits", "i4"),  # Flag
    ("pulses", "i4"),  # truth: pulses that gave dose in this cycle
    ("enable", "i4"),  # wire: one bit per node, drive power wanted, as the machine heard it
    ("asked", "i4"),  # wire: the same, as the controller leaves it at the end of the cycle
    ("mode", "i4"),  # wire: beam mode asked for
    ("accessory", "i4"),  # truth: what is in the tray, 0 = nothing
    ("place", "i4"),  # truth: mode at whose place the carousel stands, -1 = none
    ("open", "i4"), ("passed", "i4"),  # truth: SafetyOpen bits of the channel
    ("phase", "i4"), ("reactions", "i4"), ("hold", "i4"), ("beam", "i4"),  # claims
    ("token_cycle", "i4"),  # claim: cycle of the images that the approval in force rests on; below zero = none
    ("evaluated", "i4"),  # claim: interlock rows looked at
    ("kv_exposures", "i4"), ("kv_asked", "i4"),  # truth, claim: exposures of the kV tube
    ("age_cycles", "i4"),  # wire: oldest reading of any node, by its own stamp
    ("leaf_row", "i4"),  # place in the table of leaves; -1 = not written down in this cycle
    ("energy", "f4"),  # truth: energy / nominal of the mode
    ("rate_mu_per_s", "f4"),  # wire: dose rate asked for
    ("beam_s", "f4"), ("limit_s", "f4"),  # truth: the channel's timer, and its limit
    ("clearance_mm", "f4"),  # wire: the collision computer's
    ("gantry_deg", "f4"), ("collimator_deg", "f4"),  # truth
    ("jaw_mm", "f4", (4,)), ("couch", "f4", (6,)),  # truth: couch mm, deg
    ("carriage_mm", "f4", (2,)), ("kv_arm_mm", "f4", (4,)), ("mv_arm_mm", "f4", (3,)),  # truth
    ("leaf_mm_per_s", "f4"),  # truth: fastest leaf looked at: all without drive power, else some in turn
    ("gantry_set_deg", "f4"), ("collimator_set_deg", "f4"), ("couch_set", "f4", (6,)),  # wires: setpoints
])

CLAIMS = np.dtype([  # the controller's memory in neutral numbers; whoever runs the cycle fills it
    ("clock", "i8"), ("phase", "i8"), ("reactions", "i8"), ("hold", "i8"), ("beam", "i8"),
    ("inhibit", "i8"),  # 1 = a reaction that forbids beam is in force
    ("prescription", "i8"), ("session", "i8"),
    ("expected_mu", "f8"), ("end_mu", "f8"), ("record_mu", "f8"),
    ("token_needed", "i8"), ("token_cycle", "i8"), ("bar_needed", "i8"),
    ("evaluated", "i8"), ("kv_asked", "i8"),
    ("tripped", "i8", (LATCH_WORDS,)),
])

STATE = np.dtype([  # the witness's own memory
    ("row", "i8"), ("leaf_row", "i8"), ("leaves_before", "i8"),
    ("inhibits", "i8", (LATCH_WORDS,)),  # interlock rows that forbid beam, as the table says; whoever builds the run writes it
    # what was heard in this cycle before the machine moved
    ("heard", "i8"), ("rate_mu_per_s", "f8"), ("enable", "i8"),
    # memory of the checks in line, cycles
    ("clock", "i8"), ("inhibited", "i8"), ("unpermitted", "i8"), ("silent", "i8"), ("tripped", "i8"),
    ("dark", "i8"), ("back", "i8"),
    ("armed_total_mu", "f8"),
    ("faults", "i8"),  # how many there may be, for the limit of SI-05; whoever injects some writes it
    ("next_leaf", "i8"),
    ("violated", "i8"), ("violated_cycle", "i8"), ("violated_by", "f8"),  # number of the property, when, by how much
])

QUIET_CYCLES = 5  # so long without pulses is no beam, however low the dose rate

# what a block returns beside the events of the controller (below 1 << 16, which the moments of faults use)
JUDGED, TRACE_FULL = 1 << 18, 1 << 17  # a property is violated; the chunk is full
