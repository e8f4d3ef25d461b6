"""The jaws: X1 X2 Y1 Y2, or the one diaphragm pair Y1 Y2, mm at the isocentre."""

from typing import Any

from .config import PlantConfig
from .interface.compiled import compiled
from .parts.drive import new_drives
from .parts.node import step_axes


@compiled
def step_jaws(drives, wires, node, node_wire, supply, sample, cycle):
    """One cycle; `supply` False takes all drive power."""
    step_axes(drives, wires, node, node_wire, supply, sample, cycle)


def new_jaws(config: PlantConfig) -> Any:
    """DRIVE (n,): one record per axis of the configuration."""
    return new_drives(config.jaws)
