"""Where the machine is in a treatment, as bits that interlock rows can name, and what an interlock may do about it."""

from enum import IntEnum, IntFlag


class Phase(IntFlag):
    """Exactly one is in force. BEAM covers the whole field, holds included."""

    IDLE = 1
    MOVE = 2  # axes on their way to a goal
    READY = 4  # in position, warm, waiting for the operator's beam-on
    BEAM = 8  # trajectory in hand: beam on, or held for a moment
    STOPPED = 16  # interrupted: beam off, motion stopped, plan position kept


ANY_PHASE = Phase.IDLE | Phase.MOVE | Phase.READY | Phase.BEAM | Phase.STOPPED


class Reaction(IntFlag):
    """What a tripped row does; reactions of several rows add up."""

    BEAM_HOLD = 1  # pulses inhibited, machine stays warm, may go on by itself
    BEAM_OFF = 2  # interrupt: permit and high voltage away until the operator starts again
    MOTION_STOP = 4  # drive power away, brakes on
    PREVENT_START = 8  # no beam-on
    PREVENT_MOTION = 16  # no automatic motion
    TERMINATE = 32  # with BEAM_OFF: the field is lost, all has to be selected again


class Hold(IntEnum):
    """The trajectory log's hold state."""

    NORMAL = 0
    FREEZE = 1
    HOLD = 2
    DISABLED = 3


class Event(IntFlag):
    """Why a block of cycles ended early."""

    TRIPPED = 1  # an interlock row changed
    WATCH_HIT = 2  # an awaited condition has held
    FIELD_END = 4  # all MU are in
    HOLD_EDGE = 8  # the beam was held or released
    ROWS_FULL = 16  # the row buffer has no room left
