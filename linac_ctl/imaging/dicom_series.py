"""A CT or CBCT series read from DICOM, in any straight stack of slices, also one that is turned against the patient."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.errors import InvalidDicomError

from linac_ctl.errors import RecordError

from .damage import readable
from .patient_position import fixed_from_dicom
from .pose import Pose, pose_of
from .volume import Volume, grid, sampled

Floats = NDArray[np.float64]
Triple = tuple[float, float, float]
CT_CLASSES = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1")
NEEDED = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns", "PixelData")
LEAST, SAME_MM, EVEN, SQUARE, AIR_HU = 3, 0.01, 0.02, 1e-3, -1000.0


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """`hu` along the slices' own axes: X along rows, Y from slice to slice, Z up the columns; mm of the DICOM origin."""

    hu: Volume
    axes: Floats  # (3, 3): rows are those axes in DICOM coordinates
    folder: str
    patient_id: str
    series_uid: str
    frame_of_reference_uid: str
    patient_position: str
    description: str

    @property
    def centre_mm(self) -> Triple:
        """DICOM coordinates of the middle of the grid."""
        middle = (np.array(self.hu.origin_mm) + np.array(self.hu.last_mm)) / 2
        x, y, z = (round(float(v), 6) + 0.0 for v in self.axes.T @ middle)
        return x, y, z

    def place(self, isocentre_mm: Triple) -> Pose:
        """Carries points of the fixed frame (couch 0, about this isocentre in DICOM coordinates) onto the axes of `hu`."""
        return pose_of(self.axes @ fixed_from_dicom(self.patient_position).T, self.axes @ np.array(isocentre_mm, float))

    def straight(self, isocentre_mm: Triple, step_mm: float, count: int) -> Volume:
        """HU in the fixed frame on `count` cubes a side about the isocentre; air where the series ends."""
        place = self.place(isocentre_mm)
        onto = grid((count, count, count), (step_mm, step_mm, step_mm), (0.0, 0.0, 0.0))
        return sampled(self.hu, onto, place.matrix, place.t, outside=AIR_HU)


def read_series(folder: Path) -> Series:
    """All CT slices of a folder; RecordError says what does not make one series."""
    with readable(folder):
        return _read(folder)


def _read(folder: Path) -> Series:
    files = _files(folder)
    _one_of_each(folder, files)
    axes = _axes(folder, files[0])
    files.sort(key=lambda ds: float(axes[1] @ _position(ds)))
    step = _step(folder, [axes @ _position(ds) for ds in files])
    first = files[0]
    down, across = (float(v) for v in first.PixelSpacing)
    stack = np.stack([_hu(folder, ds) for ds in files])  # slices, rows, columns
    x, y, z = (float(v) for v in axes @ _position(first))
    data = np.ascontiguousarray(stack.transpose(2, 1, 0)[:, ::-1, :])
    volume = Volume(data, (x, y, z - (int(first.Rows) - 1) * down), (across, step, down))
    text: Callable[[str], str] = lambda name: str(first.get(name, ""))  # noqa: E731
    return Series(volume, axes, str(folder), text("PatientID"), text("SeriesInstanceUID"), text("FrameOfReferenceUID"),
                  text("PatientPosition"), text("SeriesDescription"))


def _files(folder: Path) -> list[Any]:
    if not folder.is_dir():
        raise RecordError(f"{folder}: no such folder; give one that holds the slices of a CT series")
    found = []
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        with readable(path):
            try:
                ds = pydicom.dcmread(path)
            except (InvalidDicomError, OSError):
                continue  # a picture or a licence beside the slices
            if str(ds.get("SOPClassUID", "")) in CT_CLASSES:
                found.append(_placeable(path, ds))
    if len(found) < LEAST:
        raise RecordError(f"{folder}: {len(found)} CT slices; {LEAST} are the least")
    return found


def _placeable(path: Path, ds: Any) -> Any:
    if missing := [name for name in NEEDED if name not in ds]:
        raise RecordError(f"{path}: no {', '.join(missing)}; such a slice cannot be placed")
    return ds


def _one_of_each(folder: Path, files: list[Any]) -> None:
    wanted: dict[str, Callable[[Any], Any]] = {
        "patients": lambda ds: str(ds.get("PatientID", "")),
        "series": lambda ds: str(ds.get("SeriesInstanceUID", "")),
        "frames of reference": lambda ds: str(ds.get("FrameOfReferenceUID", "")),
        "patient positions": lambda ds: str(ds.get("PatientPosition", "")),
        "sizes": lambda ds: (int(ds.Rows), int(ds.Columns)),
        "pixel spacings": lambda ds: tuple(round(float(v), 5) for v in ds.PixelSpacing),
        "orientations": lambda ds: tuple(round(float(v), 4) for v in ds.ImageOrientationPatient),
    }
    for what, value in wanted.items():
        found = Counter(map(value, files))
        if len(found) > 1:
            shown = ", ".join(f"{v} ({n} slices)" for v, n in found.most_common(3))
            raise RecordError(f"{folder}: {len(found)} different {what}: {shown}; give a folder that holds one series")


def _axes(folder: Path, ds: Any) -> Floats:
    """(3, 3): along rows, from slice to slice, up the columns."""
    row, down = np.array(ds.ImageOrientationPatient, float).reshape(2, 3)
    if not (abs(row @ row - 1) < SQUARE and abs(down @ down - 1) < SQUARE and abs(row @ down) < SQUARE):
        raise RecordError(f"{folder}: orientation {list(ds.ImageOrientationPatient)} is not two unit vectors at a right angle")
    axes = np.stack([row, np.cross(row, down), -down])
    u, _, w = np.linalg.svd(axes)  # decimal strings are short: nearest rotation
    out: Floats = u @ w
    return out


def _position(ds: Any) -> Floats:
    return np.array(ds.ImagePositionPatient, float)


def _step(folder: Path, places: list[Floats]) -> float:
    """mm between slices, all equal and one above the other."""
    steps = np.diff(np.array(places), axis=0)
    along, usual = steps[:, 1], float(np.median(steps[:, 1]))
    if along.min() < SAME_MM:
        raise RecordError(f"{folder}: two slices at one place; remove one of them")
    if (off := float(np.abs(steps[:, [0, 2]]).max())) > SAME_MM * 5:
        raise RecordError(f"{folder}: slices are shifted by {off:.2f} mm against each other (gantry tilt?); resample the series")
    if (uneven := int((np.abs(along - usual) > EVEN * usual).sum())) > 0:
        raise RecordError(f"{folder}: slices are missing: steps of {along.min():.2f} to {along.max():.2f} mm, {usual:.2f} mm is "
                          f"usual ({uneven} uneven); export the whole series")
    return usual


def _hu(folder: Path, ds: Any) -> NDArray[np.float32]:
    try:
        pixels = ds.pixel_array
    except Exception as error:  # whatever a decoder may say of damaged or unknown compression
        raise RecordError(f"{folder}: slice {ds.get('InstanceNumber', '?')}: pixels cannot be read: {error}") from None
    slope, intercept = (np.float32(ds.get(name, usual)) for name, usual in (("RescaleSlope", 1), ("RescaleIntercept", 0)))
    return np.asarray(pixels, np.float32) * slope + intercept
