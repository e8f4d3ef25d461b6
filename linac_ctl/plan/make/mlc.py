"""The MLCs that plans can be made for: a table, read from `mlc.yaml`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from linac_ctl.errors import PlanError
from linac_ctl.plan.model import Floats

TABLE = Path(__file__).with_name("mlc.yaml")


@dataclass(frozen=True, slots=True, eq=False)
class Mlc:
    """What a planner has to know of an MLC."""

    model: str
    sides_mm: Floats  # (p + 1,) -Y to +Y
    gap_mm: float
    leaf_mm_per_s: float
    x_jaws: bool

    @property
    def pairs(self) -> int:
        """Number of leaf pairs."""
        return len(self.sides_mm) - 1


def mlc_names() -> tuple[str, ...]:
    """All models in the table."""
    return tuple(yaml.safe_load(TABLE.read_text(encoding="utf-8")))


def find_mlc(model: str) -> Mlc:
    """The MLC of this name; PlanError names those there are."""
    table = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    if model not in table:
        raise PlanError(f"plan make: no MLC named {model!r}; there are {', '.join(table)}")
    row = table[model]
    return Mlc(model, _sides(row["sides_mm"]), row["gap_mm"], row["leaf_mm_per_s"], row["x_jaws"])


def _sides(runs: list[list[float]]) -> Floats:
    parts = [np.arange(round((to - start) / step)) * step + start for start, to, step in runs]
    return np.concatenate([*parts, [runs[-1][1]]]).astype(np.float64)
