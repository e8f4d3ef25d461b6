"""The collimator: one axis, deg."""

from typing import Any

from .config import PlantConfig
from .interface.compiled import compiled
from .parts.drive import new_drives
from .parts.node import step_axes


@compiled
def step_collimator(drives, wires, node, node_wire, supply, sample, cycle):
    """One cycle; `supply` False takes all drive power."""
    step_axes(drives, wires, node, node_wire, supply, sample, cycle)


def new_collimator(config: PlantConfig) -> Any:
    """DRIVE (n,): one record per axis of the configuration."""
    return new_drives(config.collimator)
