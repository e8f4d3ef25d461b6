"""Couch and set-up in a treatment record: where the couch stood, and how far images made it move (PS3.3 C.8.8.12, C.8.8.21)."""

from collections.abc import Sequence as Many
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from .result import ShiftResult, TrackedResult
from .rows import Rows

COUCH = {  # readback -> attribute; in the order of a shift
    "couch lateral.readback_mm": "TableTopLateralPosition",
    "couch longitudinal.readback_mm": "TableTopLongitudinalPosition",
    "couch vertical.readback_mm": "TableTopVerticalPosition",
    "couch rotation.readback_deg": "PatientSupportAngle",
    "couch pitch.readback_deg": "TableTopPitchAngle",
    "couch roll.readback_deg": "TableTopRollAngle",
}
DISPLACEMENTS = ("TableTopLateralSetupDisplacement", "TableTopLongitudinalSetupDisplacement", "TableTopVerticalSetupDisplacement")
CONTROL_POINTS, FIRST_ITEM = 0x300A0111, 1  # what is corrected is the plan's first control point
DECIMALS = 2  # 0.01 mm, 0.01 deg: finer than any couch stands
NOTHING = 0.5 * 10**-DECIMALS
RT_IMAGE = "1.2.840.10008.5.1.4.1.1.481.1"


def couch_stood(rows: Rows, at: NDArray[np.intp]) -> list[dict[str, Any]]:
    """DICOM keyword -> readback, mm or deg, for each of these rows; a position without a reading is empty, an angle left out."""
    columns = [(column, keyword) for column, keyword in COUCH.items() if column in rows.columns]
    table = [{keyword: float(rows[column][i]) for column, keyword in columns} for i in at]
    return [{k: _reading(k, v) for k, v in line.items() if v == v or k.endswith("Position")} for line in table]


def _reading(keyword: str, value: float) -> float | None:
    if value != value:
        return None
    shown = round(value, DECIMALS) + 0.0
    return shown % 360.0 if keyword == "PatientSupportAngle" else shown


def setup_number(shifts: Many[ShiftResult], beam_s: float) -> int:
    """1: as first set up; one more for every couch shift until this instant (machine time, s)."""
    return 1 + sum(shift.t_s <= beam_s for shift in shifts)


def setups(shifts: Many[ShiftResult], patient_position: str) -> list[Dataset]:
    """Patient Setup Sequence: as first set up, then after each shift; nothing for a session without one."""
    return [_setup(shifts[:k], patient_position) for k in range(len(shifts) + 1)] if shifts else []


def _setup(shifts: Many[ShiftResult], patient_position: str) -> Dataset:
    item = Dataset()
    item.PatientSetupNumber = len(shifts) + 1
    item.PatientSetupLabel = f"after couch shift {len(shifts)}" if shifts else "as first set up"
    if patient_position:
        item.PatientPosition = patient_position
    else:
        item.PatientAdditionalPosition = "not in the plan"
    if shifts:
        item.SetupTechniqueDescription = _said(shifts[-1])
    for keyword, value in zip(DISPLACEMENTS, moved(shifts)):
        setattr(item, keyword, round(value, DECIMALS) + 0.0)
    return item


def _said(shift: ShiftResult) -> str:
    """All six numbers: the standard has attributes for three."""
    ordered, achieved, change = (" ".join(f"{v:.2f}" for v in six) for six in (shift.ordered, shift.achieved, shift.change))
    return (f"lateral, longitudinal, vertical mm; rotation, pitch, roll deg: ordered {ordered}; achieved {achieved}; "
            f"change ordered {change}")


def moved(shifts: Many[ShiftResult]) -> list[float]:
    """Six numbers: how far the couch went by all these shifts together, what it missed included. mm, deg."""
    parts = [[c + a - o for c, a, o in zip(s.change, s.achieved, s.ordered)] for s in shifts]
    return [float(v) for v in np.sum(parts, axis=0)] if parts else [0.0] * 6


def corrections(shifts: Many[ShiftResult]) -> list[Dataset]:
    """Corrected Parameter Sequence: what these shifts together were to add to each couch axis of the plan. mm, deg."""
    total = np.sum([s.change for s in shifts], axis=0) if shifts else np.zeros(6)
    return [_correction(keyword, float(value)) for keyword, value in zip(COUCH.values(), total) if abs(value) >= NOTHING]


def _correction(keyword: str, value: float) -> Dataset:
    item = Dataset()
    item.ParameterSequencePointer, item.ParameterItemIndex = CONTROL_POINTS, FIRST_ITEM
    item.ParameterPointer = tag_for_keyword(keyword)
    item.CorrectionValue = round(value, DECIMALS)
    return item


def verification_images(tracked: Many[TrackedResult], beam: int) -> list[Dataset]:
    """Referenced Verification Image Sequence: the radiographs that were taken during this beam."""
    items = []
    for seen in tracked:
        if seen.beam == beam and seen.uid:
            item = Dataset()
            item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = RT_IMAGE, seen.uid
            items.append(item)
    return items
