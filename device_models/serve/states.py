"""States and flags of a device on the wire."""

from enum import IntEnum, IntFlag


class State(IntEnum):
    """As the protocol page numbers them."""

    BOOT = 0
    IDLE = 1
    HOLD = 2
    MOVE = 3
    STOP = 4
    COMM = 5
    FAULT = 6


LATCHED = (State.BOOT, State.STOP, State.COMM, State.FAULT)


class Flag(IntFlag):
    """Sum of these is the second number of every status."""

    POWERED = 1
    CALIBRATED = 2
    ARMED = 4
    LOCKSTEP = 8
    SELF_MOVING = 16
