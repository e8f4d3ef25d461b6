"""A machine file: what may be asked (`controller:`) and what is true (`plant:`), and that both speak of one machine."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from device_models.config import PlantConfig

from ..errors import ConfigError
from .files import Loaded, load
from .machine import Frozen, MachineConfig
from .problems import validate


class MachineFile(Frozen):
    """configs/machines/*.yaml."""

    kind: Literal["machine"]
    name: str = Field(min_length=1)
    description: str = ""
    interlocks: str = Field(description="name or path of an interlock table")
    controller: MachineConfig
    plant: PlantConfig


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """A machine as configured; `loaded` keeps where every value came from."""

    name: str
    description: str
    controller: MachineConfig
    plant: PlantConfig
    interlocks: str
    loaded: Loaded


def load_machine(name: str) -> Machine:
    """By name or path; ConfigError names every place that is wrong."""
    return machine_from(load("machines", name))


def machine_from(loaded: Loaded) -> Machine:
    """A loaded machine file, checked on both halves and between them."""
    file = validate(MachineFile, loaded)
    if problems := disagreements(file):
        raise ConfigError("\n".join(f"{loaded.at(path)}: {path}: {message}" for path, message in problems))
    return Machine(file.name, file.description, file.controller, file.plant, file.interlocks, loaded)


def disagreements(file: MachineFile) -> list[tuple[str, str]]:
    """(path, message): the two halves may differ in figures on purpose, but not in what there is."""
    asked, true = file.controller, file.plant
    found = []
    for device in ("gantry", "collimator", "jaws", "carriages", "couch", "kv_arms", "mv_arm"):
        n, m = len(getattr(asked, device)), len(getattr(true, device))
        if n != m:
            found.append((f"plant.{device}", f"{m} axes here, {n} in controller.{device}; both list the same axes"))
    pairs = asked.mlc.pairs if asked.mlc else 0
    if pairs != true.leaf_pairs:
        found.append(("plant.leaf_pairs", f"{true.leaf_pairs} here, {pairs} by controller.mlc.boundaries_mm"))
    if true.leaf_pairs and true.leaf is None:
        found.append(("plant.leaf", "is missing; a machine with leaves needs their drive"))
    if list(asked.beam.modes) != list(true.modes):
        found.append(("plant.modes", f"{', '.join(true.modes)} here, {', '.join(asked.beam.modes)} in "
                                     f"controller.beam.modes; both must list the same modes in the same order"))
    return found
