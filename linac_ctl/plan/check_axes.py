"""Gantry, collimator, jaws and couch of a beam against the ranges of the machine."""

from collections.abc import Iterator, Sequence

import numpy as np

from linac_ctl.config.machine import AxisConfig, MachineConfig
from linac_ctl.plan.finding import Finding, found
from linac_ctl.plan.model import JAWS, Beam, Floats

COUCH = (
    ("couch lateral", "TableTopLateralPosition", "mm"),
    ("couch longitudinal", "TableTopLongitudinalPosition", "mm"),
    ("couch vertical", "TableTopVerticalPosition", "mm"),
    ("couch rotation", "PatientSupportAngle", "deg"),
    ("couch pitch", "TableTopPitchAngle", "deg"),
    ("couch roll", "TableTopRollAngle", "deg"),
)
HALF_GRID = 5e-4  # values are on a 0.001 grid


def check_axes(beam: Beam, machine: MachineConfig) -> Iterator[Finding]:
    """Findings on every axis but the leaves; each axis reports its worst control point only."""
    yield from _axis(beam, beam.gantry_deg, _first(machine.gantry), "gantry", "GantryAngle", "deg")
    yield from _axis(
        beam, beam.collimator_deg, _first(machine.collimator), "collimator", "BeamLimitingDeviceAngle", "deg"
    )
    fitted = {axis.name: axis for axis in machine.jaws}
    for column, name in enumerate(JAWS):
        yield from _axis(
            beam, beam.jaw_mm[:, column], fitted.get(name), f"jaw {name}", "LeafJawPositions", "mm", absent_ok=False
        )
    for column, (name, keyword, unit) in enumerate(COUCH):
        axis = machine.couch[column] if column < len(machine.couch) else None
        yield from _axis(beam, beam.couch[:, column], axis, name, keyword, unit)
        yield from _moves(beam, beam.couch[:, column], name, keyword, unit)


def _first(axes: Sequence[AxisConfig]) -> AxisConfig | None:
    return axes[0] if axes else None


def _axis(
    beam: Beam, values: Floats, axis: AxisConfig | None, name: str, keyword: str, unit: str, absent_ok: bool = True
) -> Iterator[Finding]:
    """An axis that is not fitted stands at zero, and zero may be asked for; a jaw not fitted shapes nothing."""
    if np.isnan(values).all():
        return
    if axis is None:
        if not absent_ok or (np.nan_to_num(values) != 0.0).any():
            point = int(np.argmax(np.abs(np.nan_to_num(values))))
            yield found(
                beam,
                keyword,
                f"asks for {name} {values[point]:g} {unit}",
                f"no {name} on this machine",
                "choose another machine",
                point,
            )
        return
    outside = np.fmax(values - axis.high, axis.low - values)
    point = int(np.nanargmax(outside))
    if outside[point] > HALF_GRID:
        yield found(
            beam,
            keyword,
            f"asks for {name} {values[point]:g} {unit}",
            f"{axis.low:g} to {axis.high:g} {unit}",
            "plan inside the range or choose another machine",
            point,
        )


def _moves(beam: Beam, values: Floats, name: str, keyword: str, unit: str) -> Iterator[Finding]:
    steps = np.flatnonzero(np.diff(values))
    if not np.isnan(values).any() and len(steps):
        point = int(steps[0]) + 1
        yield found(
            beam,
            keyword,
            f"moves the {name} from {values[point - 1]:g} to {values[point]:g} {unit} during the beam",
            "a couch at rest while the beam is on",
            "split the beam",
            point,
        )
