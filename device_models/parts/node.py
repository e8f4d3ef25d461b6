"""The electronics of one device: drive power, reference run, and the stamp that says when its readings were taken."""

from typing import Any

import numpy as np

from ..interface.compiled import compiled
from ..interface.image import DT_S, Node, records
from .drive import step_drives

HEARS_CYCLES = 10  # 100 ms: what is older is no order, and a device that hears none takes its own power away

NODE_STATE = np.dtype([
    ("name", "i8"),  # row of Node that it says it is
    ("local", "i8"),  # 1 = answered here; 0 = a port answers for this device
    ("initialise_left", "i8"),  # cycles until the reference positions are found
    # where faults write
    ("healthy", "f8"),  # 1.0; 0.0 = the power stage is in fault: brakes on
    ("enable_stuck", "f8"),  # 0.0; 1.0 = drive power stays on without the wire
    ("silent", "f8"),  # 0.0; 1.0 = says nothing any more: readings and stamp stay as they are
    ("stale", "f8"),  # 0.0; 1.0 = repeats old readings under a fresh stamp
])


@compiled
def hears(wire, cycle):
    """By its stamp, what the wires say is of now. Devices behind a line count for themselves: no stamp is none of then either."""
    return wire.said_cycle == 0 or abs(cycle - wire.said_cycle) <= HEARS_CYCLES


@compiled
def has_power(node, wire, supply, cycle):
    """Drives have power: supply there, stage healthy, and the enable wire says so in this cycle."""
    asked = wire.enable == 1.0 and hears(wire, cycle)
    return supply and node.healthy > 0.5 and (asked or node.enable_stuck > 0.5)


@compiled
def report(node, wire, powered, cycle):
    """Write the node's own wires; True when the device's readings may be written too."""
    node.initialise_left -= 1 if node.initialise_left > 0 else 0
    if node.local == 0 or node.silent > 0.5:
        return False
    wire.powered = 1.0 if powered else 0.0
    wire.calibrated = 1.0 if node.initialise_left == 0 else 0.0
    wire.sampled_cycle, wire.named = cycle, node.name
    return node.stale < 0.5


@compiled
def step_axes(drives, wires, node, node_wire, supply, sample, cycle):
    """One cycle of a device that is nothing but axes. Not fitted: no records, and the node says that all is well."""
    powered = has_power(node, node_wire, supply, cycle)
    talks = report(node, node_wire, powered, cycle)
    step_drives(drives, wires, powered, talks, sample)


def new_nodes(initialise_s: float, behind_ports: tuple[str, ...] = ()) -> Any:
    """NODE_STATE (11,), rows as `Node`: healthy electronics, just powered up."""
    nodes = records(len(Node), NODE_STATE, name=range(len(Node)), local=1, healthy=1.0, initialise_left=round(initialise_s / DT_S))
    for name in behind_ports:
        nodes["local"][Node[name.upper()]] = 0
    return nodes
