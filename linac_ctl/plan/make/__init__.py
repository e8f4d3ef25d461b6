"""`plan make`: valid DICOM RT Plans for a target, so that a fresh machine has something real to deliver."""

from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset

from linac_ctl.errors import PlanError
from linac_ctl.plan.make.beams import scene
from linac_ctl.plan.make.dicom_plan import FIXED_DATE, plan_dataset
from linac_ctl.plan.make.mlc import find_mlc, mlc_names
from linac_ctl.plan.make.recipes import RECIPES, find_recipe
from linac_ctl.plan.make.target import Target, load_target
from linac_ctl.plan.model import Floats

KINDS = tuple(RECIPES)


def make_plan(
    kind: str,
    mlc: str = "millennium_120",
    target: Target | None = None,
    mu: float | None = None,
    *,
    date: str = FIXED_DATE,
) -> FileDataset:
    """A plan of this kind; the same arguments give the same bytes.

    Args: mu of one fraction, all beams together; date YYYYMMDD. PlanError if kind, mlc or mu make no plan.
    """
    recipe = find_recipe(kind)
    total = recipe.mu if mu is None else mu
    if not 0.0 < total < 1e6:
        raise PlanError(f"plan make {kind}: {total:g} MU cannot be planned; give more than 0 and less than 1e6 MU")
    aim = target or load_target(recipe.target)
    at = scene(aim, find_mlc(mlc), recipe.margin_mm)
    _require_room(kind, mlc, at.target_mm[:, 2], float(at.mlc.sides_mm[-1]) - recipe.margin_mm)
    return plan_dataset(kind, recipe.what, aim.name, recipe.beams(at, total), recipe.fractions, date)


def write_plan(
    path: str | Path,
    kind: str,
    mlc: str = "millennium_120",
    target: Target | None = None,
    mu: float | None = None,
    *,
    date: str = FIXED_DATE,
) -> None:
    """`make_plan` to a file; PlanError if it cannot be written."""
    plan = make_plan(kind, mlc, target, mu, date=date)
    try:
        plan.save_as(str(path))
    except OSError as exc:
        raise PlanError(f"plan make: {path} cannot be written: {exc.strerror or exc}; choose another place") from exc


def _require_room(kind: str, mlc: str, along_mm: Floats, reach_mm: float) -> None:
    far = float(np.abs(along_mm).max())
    if far > reach_mm:
        raise PlanError(
            f"plan make {kind}: the target reaches {far:g} mm from the isocentre along the patient > {reach_mm:g} mm "
            f"that the leaves of {mlc} cover; choose a smaller target or another MLC"
        )


__all__ = ["FIXED_DATE", "KINDS", "Target", "load_target", "make_plan", "mlc_names", "write_plan"]
