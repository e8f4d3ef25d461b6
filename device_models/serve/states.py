"""States of a device on the wire."""

from enum import IntEnum


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
