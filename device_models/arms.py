"""The imager arms: kV source and detector on one node, the MV detector on another, mm."""

from typing import Any

from .config import PlantConfig
from .interface.compiled import compiled
from .parts.drive import new_drives
from .parts.node import step_axes


@compiled
def step_kv_arms(drives, wires, node, node_wire, supply, sample, cycle):
    """One cycle; `supply` False takes all drive power."""
    step_axes(drives, wires, node, node_wire, supply, sample, cycle)


@compiled
def step_mv_arm(drives, wires, node, node_wire, supply, sample, cycle):
    """One cycle; `supply` False takes all drive power."""
    step_axes(drives, wires, node, node_wire, supply, sample, cycle)


def new_kv_arms(config: PlantConfig) -> Any:
    """DRIVE (n,): source vertical, detector vertical, lateral, longitudinal."""
    return new_drives(config.kv_arms)


def new_mv_arm(config: PlantConfig) -> Any:
    """DRIVE (n,): detector vertical, lateral, longitudinal."""
    return new_drives(config.mv_arm)
