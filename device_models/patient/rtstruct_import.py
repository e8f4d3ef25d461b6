"""Contours from a DICOM RT Structure Set that was drawn on a planning CT, into frame P."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError

from .ct_import import PlanningCt, to_patient
from .damage import readable
from .errors import PatientError
from .phantom import find_structure, target_of
from .structures import Structure

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
FLAT_MM = 0.05  # how far the points of one contour may lie out of its plane


def load_structures(path: str | Path, ct: PlanningCt, target: str | None = None, planned_on: str = "") -> tuple[Structure, ...]:
    """All closed planar regions, the target first. `target` names it; else the first CTV, GTV or PTV by its type.

    `planned_on`: UID of the structure set that the plan names; empty when it names none.
    """
    with readable(f"structure set {path}"):
        return _load(Path(path), ct, target, planned_on)


def _load(path: Path, ct: PlanningCt, target: str | None, planned_on: str) -> tuple[Structure, ...]:
    ds = _read(path)
    _same_patient(path, ds, ct)
    if planned_on and (uid := str(ds.get("SOPInstanceUID", ""))) != planned_on:
        raise PatientError(f"structure set {path}: is {uid or '(without a UID)'}, the plan was made on {planned_on}; "
                           "export plan and structures together")
    seen = ds.get("RTROIObservationsSequence", [])
    kinds = {int(o.ReferencedROINumber): str(o.get("RTROIInterpretedType", "") or "") for o in seen}
    contours = {int(c.ReferencedROINumber): c for c in ds.get("ROIContourSequence", [])}
    found = []
    for roi in ds.get("StructureSetROISequence", []):
        _same_frame(path, roi, ct)
        number, name = int(roi.ROINumber), str(roi.get("ROIName", ""))
        parts = _contours(path, name, contours.get(number), ct)
        if parts:
            found.append(Structure(name, kinds.get(number, "").upper(), parts))
    return _target_first(path, tuple(found), target)


def _target_first(path: Path, found: tuple[Structure, ...], target: str | None) -> tuple[Structure, ...]:
    who = f"structure set {path.name}"
    chosen = find_structure(found, target, who) if target else target_of(found, who)
    return (chosen, *(structure for structure in found if structure is not chosen))


def _read(path: Path) -> Any:
    try:
        ds = pydicom.dcmread(path)
    except OSError as exc:
        raise PatientError(f"structure set {path}: cannot be read: {exc.strerror or exc}") from exc
    except InvalidDicomError as exc:
        raise PatientError(f"structure set {path}: cannot be read as DICOM: {exc}") from exc
    if str(ds.get("SOPClassUID", "")) != RTSTRUCT:
        what = ds.get("Modality", "file without a modality")
        raise PatientError(f"structure set {path}: this is a {what}; an RTSTRUCT is needed")
    return ds


def _same_patient(path: Path, ds: Any, ct: PlanningCt) -> None:
    theirs = str(ds.get("PatientID", ""))
    if theirs != ct.identity.patient_id:
        raise PatientError(f"structure set {path}: patient '{theirs}', the CT is of '{ct.identity.patient_id}'; other patient")
    series = [
        str(series.SeriesInstanceUID) for frame in ds.get("ReferencedFrameOfReferenceSequence", [])
        for study in frame.get("RTReferencedStudySequence", []) for series in study.get("RTReferencedSeriesSequence", [])
    ]
    if series and ct.identity.series_uid not in series:
        raise PatientError(f"structure set {path}: drawn on series {series[0]}, the CT is {ct.identity.series_uid}; other CT")


def _same_frame(path: Path, roi: Any, ct: PlanningCt) -> None:
    theirs = str(roi.get("ReferencedFrameOfReferenceUID", ""))
    if theirs != ct.identity.frame_of_reference_uid:
        raise PatientError(
            f"structure set {path}: '{roi.get('ROIName', '')}' is in frame of reference {theirs or '(none)'}, "
            f"the CT in {ct.identity.frame_of_reference_uid}; they cannot be laid over each other"
        )


def _contours(path: Path, name: str, item: Any, ct: PlanningCt) -> tuple[np.ndarray, ...]:
    """Closed planar ones; points and open lines are no region and are left out."""
    parts = []
    for contour in item.get("ContourSequence", []) if item is not None else []:
        if str(contour.get("ContourGeometricType", "")) != "CLOSED_PLANAR":
            continue
        numbers = np.array(contour.get("ContourData", []), float)
        if len(numbers) < 9 or len(numbers) % 3 or not np.isfinite(numbers).all():
            raise PatientError(f"structure set {path}: '{name}' has a contour of {len(numbers)} numbers; 3 x 3 are the least")
        points = numbers.reshape(-1, 3)
        if float(np.ptp(points[:, 2])) > FLAT_MM:
            raise PatientError(f"structure set {path}: '{name}' has a contour that is not in one transverse plane")
        parts.append(to_patient(points, ct.isocentre_lps_mm))
    return tuple(sorted(parts, key=lambda points: float(points[0, 1])))
