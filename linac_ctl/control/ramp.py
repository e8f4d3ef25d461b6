"""Motion between fields: each setpoint walks to its goal at limited speed and acceleration, in whole um and millidegrees.

`rest` is what the grid of the wire leaves over: the walk itself is not rounded.
"""

from math import sqrt

from device_models.interface.compiled import compiled
from device_models.interface.grid import on_grid
from device_models.interface.image import DT_S


@compiled
def approach(aim, wire, goal):
    """One cycle of a trapezoid: the speed from which the rest of the way is just enough to stop."""
    place = wire.setpoint + aim.rest
    left = goal - place
    step = aim.accel * DT_S
    stoppable = step * (sqrt(0.25 + 2.0 * abs(left) / (step * DT_S)) - 0.5)
    wanted = min(stoppable, aim.speed)
    wanted = wanted if left >= 0.0 else -wanted
    change = wanted - aim.velocity
    change = step if change > step else change
    aim.velocity += -step if change < -step else change
    travel = aim.velocity * DT_S
    if abs(left) <= abs(travel) + 1e-9 and abs(aim.velocity) <= 2.0 * step:
        place, aim.velocity = goal, 0.0
    else:
        place += travel
    wire.setpoint = on_grid(place)
    aim.rest = place - wire.setpoint


@compiled
def ramp(aims, wires):
    """Let every axis of a device approach its goal."""
    for i in range(wires.size):
        goal = on_grid(aims[i].goal)
        if goal != wires[i].setpoint + aims[i].rest or aims[i].velocity != 0.0:
            approach(aims[i], wires[i], goal)


@compiled
def stay(aims, wires):
    """Forget goals and speeds: the setpoint stays where it is."""
    for i in range(wires.size):
        aims[i].goal, aims[i].velocity, aims[i].rest = wires[i].setpoint, 0.0, 0.0


@compiled
def take_up(aims, wires):
    """Drive power comes back: ask for nothing but the place where the axis stands."""
    for i in range(wires.size):
        wires[i].setpoint = aims[i].asked = wires[i].readback
        aims[i].goal, aims[i].velocity, aims[i].rest = wires[i].readback, 0.0, 0.0


@compiled
def aim_at(aims, points):
    """New goals. points: (axes,)"""
    for i in range(aims.size):
        aims[i].goal = points[i]


@compiled
def interpolate(wires, before, after, f):
    """Setpoints between two control points, f in 0..1. before, after: (axes,)"""
    for i in range(wires.size):
        wires[i].setpoint = on_grid(before[i] + f * (after[i] - before[i]))
