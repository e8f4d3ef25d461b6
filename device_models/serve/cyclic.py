"""`SV`: what the controller wants in this cycle, and what the device's wires then carry."""

from typing import Any

import numpy as np

from ..interface.wire.values import hear_targets, hear_values
from .arguments import Args, only
from .device import Device
from .errors import Code, Refused
from .states import LATCHED, State


def sv(device: Device, args: Args) -> str | None:
    """The cyclic request."""
    wanted = only(args[:1], 0, 1)
    if device.unit.axes:
        targets(device, args[1:], wanted)
    else:
        values(device, args[1:], wanted)
    if device.lockstep:
        device.waiting = 1
        return None
    return device.status()


def targets(device: Device, args: Args, wanted: int) -> None:
    """Where the axes shall be."""
    asked = hear_targets(device.unit, args, len(device.limits))
    if asked is None:
        raise Refused(Code.SYNTAX)
    if wanted:
        within(device, asked)
    if device.state in LATCHED:
        return
    moves = bool((asked != device.profile.place).any())
    device.profile.follow(asked)
    device.wires["setpoint"] = asked
    device.enabled(wanted == 1)
    device.state = State.IDLE if not wanted else State.MOVE if moves else State.HOLD


def within(device: Device, targets: Any) -> None:
    """Refused unless every axis may go there."""
    beyond = (targets < device.low) | (targets > device.high)
    for i in map(int, np.flatnonzero(beyond) if beyond.any() else ()):
        raise Refused(Code.LIMIT, f"axis={i} low={device.limits[i][0]} high={device.limits[i][1]}")


def values(device: Device, args: Args, wanted: int) -> None:
    """Everything else."""
    heard = np.zeros_like(device.wires) if device.state in LATCHED else device.wires
    before = heard["permit"][0] if device.unit.radiates else 0.0
    if not hear_values(device.unit.hears, args, heard):
        raise Refused(Code.SYNTAX)
    if device.state in LATCHED:
        return
    device.enabled(wanted == 1)
    device.state = State.HOLD if wanted else State.IDLE
    if device.unit.radiates:
        permit(device, before)


def permit(device: Device, before: float) -> None:
    """Only an armed device radiates; a permit that goes away ends the arming."""
    if before == 1.0 and device.wires["permit"][0] != 1.0:
        device.arming.end()
    if not device.arming.armed:
        device.wires["permit"] = 0.0
