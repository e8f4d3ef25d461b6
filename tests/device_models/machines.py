"""Machines of configs/machines for tests of the plant, read without the controller's loader."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from device_models.config import PlantConfig

MACHINES = Path(__file__).resolve().parents[2] / "configs" / "machines"
NAMES = sorted(path.stem for path in MACHINES.glob("[!_]*.yaml"))


def merged(parent: Any, child: Any) -> Any:
    """Mappings merge, everything else replaces."""
    if not (isinstance(parent, dict) and isinstance(child, dict)):
        return child
    return parent | {key: merged(parent.get(key), value) for key, value in child.items()}


@cache
def document(name: str) -> dict[str, Any]:
    """The whole file with its parents merged in."""
    data = yaml.safe_load((MACHINES / f"{name}.yaml").read_text(encoding="utf-8"))
    return merged(document(data["extends"]), data) if "extends" in data else data


def plant_config(name: str, **changes: Any) -> PlantConfig:
    """What is true of this machine; `changes` are merged into the section."""
    return PlantConfig.model_validate(merged(document(name)["plant"], changes))
