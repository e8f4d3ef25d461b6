"""`MV` and `MA`: moves that a device makes by itself."""

import numpy as np

from ..interface.wire.fields import AXIS_PER
from ..interface.wire.framing import integer
from ..interface.wire.values import hear_targets
from .arguments import Args, only
from .cyclic import within
from .device import Device, Verbs
from .errors import Code, Refused
from .states import State


def mv(device: Device, args: Args) -> str:
    """One axis goes somewhere by itself."""
    if len(args) != 2:
        raise Refused(Code.SYNTAX)
    axis, target = only(args[:1], 0, len(device.limits) - 1), integer(args[1])
    if target is None:
        raise Refused(Code.SYNTAX)
    return move(device, {axis: target / AXIS_PER})


def ma(device: Device, args: Args) -> str:
    """All axes do."""
    targets = hear_targets(device.unit, args, len(device.limits))
    if targets is None or np.isnan(targets).any():
        raise Refused(Code.SYNTAX)
    return move(device, dict(enumerate(targets.tolist())))


def move(device: Device, goals: dict[int, float]) -> str:
    """Goals by axis, all of them or none."""
    targets = device.low.copy()
    targets[list(goals)] = list(goals.values())
    within(device, targets)
    if device.state not in (State.HOLD, State.MOVE):
        raise Refused(Code.STATE, f"state={int(device.state)}")
    for axis, goal in goals.items():
        device.profile.start(axis, goal)
    device.state = State.MOVE
    return device.state_and_flags()


AXES: Verbs = {"MV": mv, "MA": ma}
