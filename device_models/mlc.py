"""The multileaf collimator: both banks of leaves, and the two carriages that carry them, mm at the isocentre.

Leaf positions are those of the leaf ends, whatever the carriage does: the sum is what the encoders are calibrated in.
"""

from typing import Any

from .config import DriveConfig, PlantConfig
from .interface.compiled import compiled
from .parts.drive import new_drives
from .parts.node import step_axes


@compiled
def step_mlc(drives, wires, node, node_wire, supply, sample, cycle):
    """One cycle of all leaves; `supply` False takes all drive power."""
    step_axes(drives, wires, node, node_wire, supply, sample, cycle)


@compiled
def step_carriages(drives, wires, node, node_wire, supply, sample, cycle):
    """One cycle of both carriages; `supply` False takes all drive power."""
    step_axes(drives, wires, node, node_wire, supply, sample, cycle)


def mirrored(leaf: DriveConfig) -> DriveConfig:
    """Bank B: the same leaf on the other side of the axis."""
    return leaf.model_copy(update={"low": -leaf.high, "high": -leaf.low, "start": -leaf.start})


def new_mlc(config: PlantConfig) -> Any:
    """DRIVE (2 n,): bank A, then bank B, leaf 1 at -Y."""
    if config.leaf is None:
        return new_drives(())
    return new_drives([config.leaf] * config.leaf_pairs + [mirrored(config.leaf)] * config.leaf_pairs)


def new_carriages(config: PlantConfig) -> Any:
    """DRIVE (n,): A, then B."""
    return new_drives(config.carriages)
