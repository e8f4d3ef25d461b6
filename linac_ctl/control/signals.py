"""What the controller makes of the image each cycle: one number per signal. Interlocks and awaited conditions test these.

OFF = |setpoint - readback|, AWAY = |goal - readback| in units of the tolerance, SPLIT = |readback - second encoder|:
always the worst axis of a device, and NaN wins. Switch signals are 1.0 when all is well.
"""

from enum import IntEnum


class Signal(IntEnum):
    """Index into the signal vector."""

    # nine per axis device, in image order: off, away, split
    GANTRY_OFF_DEG = 0
    GANTRY_AWAY = 1
    GANTRY_SPLIT_DEG = 2
    COLLIMATOR_OFF_DEG = 3
    COLLIMATOR_AWAY = 4
    COLLIMATOR_SPLIT_DEG = 5
    JAW_OFF_MM = 6
    JAW_AWAY = 7
    JAW_SPLIT_MM = 8
    LEAF_OFF_MM = 9
    LEAF_AWAY = 10
    LEAF_SPLIT_MM = 11
    CARRIAGE_OFF_MM = 12
    CARRIAGE_AWAY = 13
    CARRIAGE_SPLIT_MM = 14
    COUCH_OFF_MM = 15  # translations only
    COUCH_AWAY = 16  # all six
    COUCH_SPLIT_MM = 17
    KV_ARM_OFF_MM = 18
    KV_ARM_AWAY = 19
    KV_ARM_SPLIT_MM = 20
    MV_ARM_OFF_MM = 21
    MV_ARM_AWAY = 22
    MV_ARM_SPLIT_MM = 23
    COUCH_OFF_DEG = 24
    COUCH_SPLIT_DEG = 25
    GANTRY_UNASKED_DEG_PER_S = 26  # speed above what was commanded in the last second
    COUCH_UNASKED_MM_PER_S = 27
    LEAF_SPEED_MM_PER_S = 28  # fastest leaf, mean of two cycles
    LEAF_RMS_MM = 29  # all leaves, about 2 s
    BEYOND_RANGE = 30  # worst readback past its range, mm or deg; negative inside
    MOTION_LAG = 31  # worst off of gantry, collimator, jaws, couch in units of their tolerance
    # dose
    MU_1 = 32
    MU_2 = 33
    MU_SPLIT = 34  # worst of |MU1 - MU2| and |MU1 - the second channel's own MU| in units of what is allowed
    MU_LEFT = 35  # to the end of the field
    MU_BACKWARDS = 36  # fall of either counter since the last cycle
    MU_OVER = 37  # MU1 past the end of the field
    MU_ANGLE = 38  # dose out of step with the gantry while it flows, as a share of what is allowed
    RATE_RATIO = 39  # chamber 1 rate / highest rate allowed
    PULSE_RATIO = 40  # largest pulse / nominal pulse
    RATE_SHORT = 41  # share of the commanded rate that is missing, while beam flows
    RATE_PLAUS = 42  # |pulses x nominal - counter| over about 1 s, the worse of both counters, share of the highest rate
    SYMMETRY = 43  # worst of radial and transverse, share
    CHAMBER_HV = 44  # worst deviation of either chamber's voltage, share
    ENERGY = 45  # |sensed / nominal - 1|
    MODE_WRONG = 46  # 1.0 when target and filter are not those of the mode asked for
    RADIATION_OFF = 47  # cycles with pulses since the permit fell, less one if the source does not say what it heard; or too soon
    MISSED_PULSES = 48  # arcs and misfires in about the last second
    ACCESSORY_WRONG = 49
    UTILITY_BAND = 50  # worst live parameter in units of its band; 1.0 = at the edge
    WATER_LEVEL = 51
    HV_ON = 52
    # the second channel
    CHANNEL_PERMIT = 53
    CHANNEL_REFUSED = 54  # cycles in which we permit and the channel does not
    OPEN_DOSE = 55
    OPEN_TIMER = 56
    OPEN_HEARTBEAT = 57
    OPEN_DOOR = 58
    OPEN_ESTOP = 59
    OPEN_LIMITS = 60
    ECHO_OFF = 61  # preset and time limit in force against what was sent, MU or s
    TIMER_SPLIT_S = 62
    SELFTEST_MISSING = 63  # checks that have not passed since arming
    SELFTEST_DOSE_MISSING = 64
    # room and nodes
    DOOR = 65
    DOOR_SPLIT = 66
    LAST_PERSON_OUT = 67
    ESTOP = 68
    MOTION_ENABLE = 69  # 1.0 = a bar is held, or nothing moves that needs one
    ENABLE_SPLIT = 70
    TOUCHGUARD = 71
    TOUCHGUARD_SPLIT = 72
    KEY = 73
    MAINS = 74
    ROOM_MONITOR = 75
    SERVICE_MODE = 76  # 1.0 = off, as it has to be
    BYPASS = 77  # 1.0 = none fitted
    CLEARANCE_MM = 78
    NODE_AGE_CYCLES = 79  # oldest reading of any node, or farthest in the future
    DRIVES_OK = 80  # 1.0 = every enabled node has power, and no other
    CALIBRATED = 81
    MLC_CALIBRATED = 82
    # the controller watching itself
    UNEVALUATED = 83  # interlock rows not evaluated in the last cycle
    LATCH_SPLIT = 84  # rows whose two latch copies differ
    STATE_ILLEGAL = 85
    TRIP_TO_PERMIT_CYCLES = 86
    PRESCRIPTION_CHANGED = 87  # 1.0 = what is loaded is not what was armed
    SESSION_CHANGED = 88
    RUN_UP_LEFT_CYCLES = 89
    # the approved position; all 0.0 in workflows that need none
    POSITION_MOVED_MM = 90  # of the couch since the approval in force, length of the way; 0.0 while there is none
    POSITION_MOVED_DEG = 91  # worst of the three turns
    IMAGE_AGE_S = 92  # of the images that the approval in force rests on; NaN while there is none
    # the patient during the beam; all 0.0 where the protocol does not ask to look
    TARGET_OUT_S = 93  # time for which triggered images have shown the target out of its limit, less what is allowed
    TARGET_UNSEEN = 94  # time since the last triggered image that was read, in units of what is allowed
    SURFACE_OFF_MM = 95  # of the skin since the position was approved
    SURFACE_OUT_S = 96  # time for which that has been over its limit, less what is allowed
    SURFACE_AGE_S = 97  # of the last reading of the surface monitor
    GATE_SHUT = 98  # 1.0 = the chest is higher than the gate
    KV_UNASKED = 99  # exposures of the kV tube that the controller did not ask for
    DOOR_CYCLED = 100  # 1.0 = both door contacts said open before the door closed behind the last person
    PULSE_SHORT = 101  # share by which the pulses of this cycle gave chamber 1 less dose than a pulse has; 0.0 without pulses
    PERMIT_WELDED = 102  # 1.0 = the channel's permit is there while the channel says that it is open, or tests itself
    GUARDS_TESTED = 103  # 1.0 = both contacts of the touch guards opened when the motion-enable bar was taken
    MODE_UNASKED = 104  # 1.0 = the mode sensed is not the one asked for, and nobody has asked for another
    BEAM_TIME_OVER_S = 105  # beam-on time of the field beyond what is planned, a tenth, and a second
    # how far an axis has gone away from its setpoint by itself, since it was last near it; seen by both encoders
    GANTRY_STRAY_DEG = 106
    COLLIMATOR_STRAY_DEG = 107
    JAW_STRAY_MM = 108
    LEAF_STRAY_MM = 109
    CARRIAGE_STRAY_MM = 110
    COUCH_STRAY_MM = 111
    COUCH_STRAY_DEG = 112
    KV_ARM_STRAY_MM = 113
    MV_ARM_STRAY_MM = 114
    ANGLE_BEHIND = 115  # as MU_ANGLE, held or not: the next dose would be out of step with the gantry
    TIMER_SLOW_S = 116  # by which the channel's timer and ours have gone apart since this permit was given
    NODES_MISNAMED = 117  # nodes whose readings are of another device, by the name that comes with them
    GANTRY_STILL = 118  # new readings in a row in which no encoder of the gantry said anything new


class Guard(IntEnum):
    """Answers that only the event side can give; 1.0 = established, NaN = never asked. They follow the signals."""

    PLAN_BIND = 0  # plan, patient and session belong together
    PLAN_FEASIBLE = 1
    PLAN_INTEGRITY = 2  # the file still has the bytes that were read
    PRESCRIPTION_RANGE = 3
    PATIENT_ID = 4  # two people agreed
    PATIENT_ORIENTATION = 5
    FRACTION = 6  # this fraction is not done yet
    CONFIG_INTEGRITY = 7
    RECORD = 8  # the record can be written
    RECOVERY = 9  # after a restart: somebody has looked
    RESUME = 10  # partial deliveries stay within the prescription and their count
    START = 11  # the beam-on button, pressed when all was ready
    NOT_ABORTED = 12
    TASK_ALIVE = 13
    TRANSITION = 14  # no state has overstayed its limit
    OVERRUN_STREAK = 15  # cycles late in a row (real time); fine while low
    CLOCK_STEP_S = 16  # by which the computer's clock went ahead of machine time at once (real time); fine while low
    LATCHES_KNOWN = 17
    # 1.0 as well where the workflow takes no images
    POSITION_APPROVED = 18  # people have approved where the patient is, and nothing has ended that since
    APPROVAL_BIND = 19  # the approval is of this patient, plan, match, couch angle and staff
    IMAGE_BIND = 20  # the images are of this patient, plan and couch position
    SHIFT_RANGE = 21  # the shift ordered last was within what may be shifted
    REG_QUALITY = 22  # the last match may be used
    IMG_QUALITY = 23  # the last images are complete and show something
    # ports, the worst of them counts; all fine in runs without any
    LINK_UP = 24  # no line has hung up, no device has powered up again
    LINK_IDENTIFIED = 25  # every device is the one that was met at connect
    LINK_SILENT_CYCLES = 26  # without a new reading
    LINK_BAD_FRAMES = 27  # lines in the last second that were none, and requests refused
    LINK_REPEATED = 28  # answers in the last second that nobody waited for
    LINK_OLD = 29  # answers in the last second from the device's past
    LINK_LATENCY_MS = 30  # from request to answer, mean of about ten; 0.0 in lockstep


NO_PORTS = {Guard.LINK_UP: 1.0, Guard.LINK_IDENTIFIED: 1.0, Guard.LINK_SILENT_CYCLES: 0.0, Guard.LINK_BAD_FRAMES: 0.0,
            Guard.LINK_REPEATED: 0.0, Guard.LINK_OLD: 0.0, Guard.LINK_LATENCY_MS: 0.0}
FIRST_GUARD = len(Signal)
N_SIGNALS = len(Signal) + len(Guard)


def signal_index(name: str) -> int:
    """Where `name` (a Signal, or a Guard) lives in the vector; KeyError if there is none."""
    return int(Signal[name]) if name in Signal.__members__ else FIRST_GUARD + int(Guard[name])


def signal_names() -> list[str]:
    """All names in vector order."""
    return [s.name for s in Signal] + [g.name for g in Guard]
