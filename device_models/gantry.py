"""The gantry: one heavy axis, deg, that coasts about 1 deg when its power goes at full speed."""

from typing import Any

from .config import PlantConfig
from .interface.compiled import compiled
from .parts.drive import new_drives
from .parts.node import step_axes


@compiled
def step_gantry(drives, wires, node, node_wire, supply, sample, cycle):
    """One cycle; `supply` False takes all drive power."""
    step_axes(drives, wires, node, node_wire, supply, sample, cycle)


def new_gantry(config: PlantConfig) -> Any:
    """DRIVE (n,): one record per axis of the configuration."""
    return new_drives(config.gantry)
