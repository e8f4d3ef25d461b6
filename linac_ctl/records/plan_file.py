"""plan.json: the plan as it was delivered from, so that a run folder can be judged without the DICOM file."""

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from linac_ctl.errors import RecordError
from linac_ctl.plan.model import Beam, FractionGroup, Plan

from .jsonio import dumps, read_json, replace_file

NAME = "plan.json"
ARRAYS = ("cumulative_mu", "gantry_deg", "collimator_deg", "jaw_mm", "leaf_mm", "leaf_boundaries_mm", "couch")


def write_plan(folder: Path, plan: Plan) -> None:
    """Every field of the plan; what the plan does not give is null."""
    replace_file(folder / NAME, (dumps(asdict(plan)) + "\n").encode())


def read_plan(folder: Path) -> Plan:
    """The same plan; RecordError when the file is missing or damaged."""
    data = read_json(folder / NAME)
    try:
        beams = tuple(_beam(beam) for beam in data["beams"])
        groups = tuple(FractionGroup(g["number"], g["fractions"], tuple(g["beams"])) for g in data["groups"])
        rest = {f.name: data[f.name] for f in fields(Plan) if f.name in data and f.name not in ("beams", "groups")}
        rest |= {name: tuple(rest[name]) for name in ("setup_beams", "notes")}
        return Plan(beams=beams, groups=groups, **rest)
    except (KeyError, TypeError, ValueError) as e:
        raise RecordError(f"{folder / NAME}: damaged: {e}") from None


def _beam(data: dict[str, Any]) -> Beam:
    values = {f.name: data[f.name] for f in fields(Beam)}
    values |= {name: None if values[name] is None else np.array(values[name], np.float64) for name in ARRAYS}
    iso = values["isocentre_mm"]
    return Beam(**(values | {"isocentre_mm": None if iso is None else tuple(iso)}))
