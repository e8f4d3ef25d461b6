"""A planning CT from a folder of DICOM slices, into frame P. What does not make one straight, gapless series is refused."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError

from device_models.interface.volume import Pose, Volume

from .damage import readable
from .errors import PatientError

CT_CLASSES = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1")
SAME_MM = 0.01  # positions closer than this are the same
STEP_SHARE = 0.02  # steps between slices may differ by this share
AXIAL = 1e-3  # largest deviation of a direction cosine
POSITIONS = {  # DICOM PatientPosition: how the patient's axes lie in the fixed frame at couch 0
    "HFS": Pose(), "HFP": Pose((0.0, 0.0, 0.0), (0.0, 180.0, 0.0)),
    "FFS": Pose((0.0, 0.0, 0.0), (0.0, 0.0, 180.0)), "FFP": Pose((0.0, 0.0, 0.0), (180.0, 0.0, 0.0)),
}
MINIMUM = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns", "PixelData")


@dataclass(frozen=True, slots=True)
class CtIdentity:
    """Whose images these are, for all that has to belong together."""

    patient_id: str
    patient_name: str
    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    patient_position: str
    sop_uids: tuple[str, ...]  # towards the head

    @property
    def lying(self) -> Pose:
        """Frame P in the fixed frame at couch 0: identity for head first supine."""
        return POSITIONS[self.patient_position]


@dataclass(frozen=True, slots=True, eq=False)
class PlanningCt:
    """HU in frame P about the planned isocentre."""

    volume: Volume
    identity: CtIdentity
    isocentre_lps_mm: tuple[float, float, float]


def to_patient(points_lps_mm: Any, isocentre_lps_mm: Any) -> np.ndarray:
    """(..., 3) DICOM patient coordinates (left, back, head) -> (..., 3) frame P."""
    off = np.asarray(points_lps_mm, float) - np.asarray(isocentre_lps_mm, float)
    return np.stack([off[..., 0], off[..., 2], -off[..., 1]], axis=-1)


def load_ct(folder: str | Path, isocentre_lps_mm: tuple[float, float, float]) -> PlanningCt:
    """Reads every CT slice of a folder; PatientError says which file, what is wrong and what to do."""
    with readable(f"CT {folder}"):
        return _load(Path(folder), isocentre_lps_mm)


def _load(folder: Path, isocentre_lps_mm: tuple[float, float, float]) -> PlanningCt:
    slices = sorted(_read(folder), key=lambda ds: _position(ds)[2])
    _one_of_each(folder, slices)
    _straight(folder, slices)
    step = _gapless(folder, [_position(ds)[2] for ds in slices])
    return PlanningCt(_volume(folder, slices, step, isocentre_lps_mm), _identity(folder, slices), isocentre_lps_mm)


def _read(folder: Path) -> list[Any]:
    if not folder.is_dir():
        raise PatientError(f"CT {folder}: no such folder")
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        with readable(f"CT {path}"):
            try:
                ds = pydicom.dcmread(path)
            except (InvalidDicomError, OSError):
                continue  # a licence or a picture beside the slices
            if str(ds.get("SOPClassUID", "")) in CT_CLASSES:
                found.append(_complete(path, ds))
    if len(found) < 3:
        raise PatientError(f"CT {folder}: {len(found)} CT slices; a planning CT needs at least 3")
    return found


def _complete(path: Path, ds: Any) -> Any:
    missing = [name for name in MINIMUM if name not in ds]
    if missing:
        raise PatientError(f"CT {path}: no {', '.join(missing)}; this is not a CT slice that can be placed")
    return ds


def _one_of_each(folder: Path, slices: list[Any]) -> None:
    """One patient, one series, one frame of reference, one size."""
    wanted: dict[str, Callable[[Any], Any]] = {
        "patients (PatientID)": lambda ds: str(ds.get("PatientID", "")),
        "frames of reference": lambda ds: str(ds.get("FrameOfReferenceUID", "")),
        "series": lambda ds: str(ds.get("SeriesInstanceUID", "")),
        "patient positions": lambda ds: str(ds.get("PatientPosition", "")),
        "sizes": lambda ds: (int(ds.Rows), int(ds.Columns)),
        "pixel spacings": lambda ds: tuple(round(float(v), 5) for v in ds.PixelSpacing),
        "orientations": lambda ds: tuple(round(float(v), 4) for v in ds.ImageOrientationPatient),
    }
    for what, value in wanted.items():
        found = Counter(value(ds) for ds in slices)
        if len(found) > 1:
            shown = ", ".join(f"{v} ({n} slices)" for v, n in found.most_common(3))
            raise PatientError(f"CT {folder}: {len(found)} different {what}: {shown}; give a folder that holds one series")


def _straight(folder: Path, slices: list[Any]) -> None:
    """Transverse slices, stacked without a tilt."""
    cosines = np.array(slices[0].ImageOrientationPatient, float)
    straight = np.array([round(c) for c in cosines])
    row, column = straight[:3], straight[3:]
    if np.abs(cosines - straight).max() > AXIAL or abs(row[0]) != 1 or abs(column[1]) != 1:
        raise PatientError(f"CT {folder}: orientation {cosines.tolist()} is not transverse; resample the series without tilt")
    across = np.array([_position(ds)[:2] for ds in slices])
    if (off := float(np.ptp(across, axis=0).max())) > SAME_MM:
        raise PatientError(f"CT {folder}: slices are shifted by {off:.2f} mm (gantry tilt?); resample the series")
    position = str(slices[0].get("PatientPosition", ""))
    if position not in POSITIONS:
        raise PatientError(f"CT {folder}: patient position '{position}'; known are {', '.join(POSITIONS)}")


def _gapless(folder: Path, z_mm: list[float]) -> float:
    """The step between slices, mm."""
    steps = np.diff(z_mm)
    usual = float(np.median(steps))
    if steps.min() < SAME_MM:
        raise PatientError(f"CT {folder}: two slices at z = {z_mm[int(steps.argmin())]:.2f} mm; remove one of them")
    wrong = np.flatnonzero(np.abs(steps - usual) > STEP_SHARE * usual)
    if len(wrong):
        first = int(wrong[0])
        raise PatientError(
            f"CT {folder}: {steps[first]:.2f} mm between z = {z_mm[first]:.2f} and {z_mm[first + 1]:.2f} mm, "
            f"{usual:.2f} mm is usual: slices are missing ({len(wrong)} uneven steps); export the whole series"
        )
    return usual


def _volume(folder: Path, slices: list[Any], step_mm: float, isocentre_lps_mm: tuple[float, float, float]) -> Volume:
    first = slices[0]
    down_mm, across_mm = (float(v) for v in first.PixelSpacing)
    cosines = [round(float(v)) for v in first.ImageOrientationPatient]
    hu = np.stack([_hu(folder, ds) for ds in slices])  # head, rows, columns
    x, y, z = _position(first)
    if cosines[0] < 0:  # columns run to the right
        hu, x = hu[:, :, ::-1], x - (hu.shape[2] - 1) * across_mm
    if cosines[4] < 0:  # rows run to the front
        hu, y = hu[:, ::-1], y - (hu.shape[1] - 1) * down_mm
    corner = to_patient((x, y + (hu.shape[1] - 1) * down_mm, z), isocentre_lps_mm)  # back is low Z
    data = np.ascontiguousarray(hu[:, ::-1].transpose(2, 1, 0), np.float32)
    origin = float(corner[0]), float(corner[1]), float(corner[2])
    return Volume(data, origin, (across_mm, step_mm, down_mm))


def _hu(folder: Path, ds: Any) -> np.ndarray:
    if "RescaleSlope" not in ds or "RescaleIntercept" not in ds:
        raise PatientError(f"CT {folder}: a slice without RescaleSlope or RescaleIntercept; its numbers are not HU")
    try:
        pixels = ds.pixel_array
    except Exception as exc:  # pydicom raises many kinds for damaged or unknown compression
        raise PatientError(f"CT {folder}: slice {ds.get('InstanceNumber', '?')} cannot be decoded: {exc}") from exc
    hu = pixels.astype(np.float32) * np.float32(ds.RescaleSlope) + np.float32(ds.RescaleIntercept)
    padding = ds.get("PixelPaddingValue")
    return np.maximum(np.where(pixels == padding, -1000.0, hu) if padding is not None else hu, -1024.0)


def _position(ds: Any) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in ds.ImagePositionPatient)
    if not all(math.isfinite(v) for v in (x, y, z)):
        raise PatientError(f"CT slice {ds.get('InstanceNumber', '?')}: position {x, y, z} is not finite")
    return x, y, z


def _identity(folder: Path, slices: list[Any]) -> CtIdentity:
    first = slices[0]
    frame = str(first.get("FrameOfReferenceUID", ""))
    if not frame:
        raise PatientError(f"CT {folder}: no FrameOfReferenceUID; plan and images cannot be tied to it")
    return CtIdentity(
        str(first.get("PatientID", "")), str(first.get("PatientName", "")), str(first.get("StudyInstanceUID", "")),
        str(first.get("SeriesInstanceUID", "")), frame, str(first.PatientPosition), tuple(str(ds.SOPInstanceUID) for ds in slices),
    )
