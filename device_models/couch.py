"""The couch: three translations in mm, rotation, pitch and roll in deg; rows as `Couch`."""

from typing import Any

from .config import PlantConfig
from .interface.compiled import compiled
from .parts.drive import new_drives
from .parts.node import step_axes


@compiled
def step_couch(drives, wires, node, node_wire, supply, sample, cycle):
    """One cycle; `supply` False takes all drive power."""
    step_axes(drives, wires, node, node_wire, supply, sample, cycle)


def new_couch(config: PlantConfig) -> Any:
    """DRIVE (n,): one record per axis of the configuration."""
    return new_drives(config.couch)
