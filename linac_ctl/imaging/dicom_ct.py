"""A CBCT as a DICOM CT series (PS3.3 A.3) in the planning frame of reference.

As acquired, the series shows the patient where the machine saw him. With the match as `error`, position and orientation of
the slices carry the match, so that any viewer shows CBCT and planning CT aligned; no voxel is resampled either way.
"""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset

from linac_ctl.errors import RecordError

from .dicom_base import SopClass, Subject, decimal, decimals, new_object, set_frame, set_pixels, uid, written
from .patient_position import fixed_from_dicom, in_fixed_frame, signs
from .pose import IDENTITY, Pose, six
from .volume import Volume

CT_IMAGE = SopClass("1.2.840.10008.5.1.4.1.1.2", "CT")
AIR_HU = -1000.0


def hounsfield(volume: Volume, water_per_mm: float) -> Volume:
    """Attenuation in 1/mm -> HU."""
    return volume.with_data((volume.data / np.float32(water_per_mm) - np.float32(1)) * np.float32(1000))


def cbct_series(
    hu: Volume, subject: Subject, when: datetime, scan_id: str, error: Pose = IDENTITY, kvp: float = 125.0,
    description: str = "CBCT", series_uid: str = "",
) -> list[tuple[str, bytes]]:
    """(SOP instance UID, file's bytes) of every slice, feet to head. hu: fixed frame at couch 0 [x, z, y], HU.

    `scan_id` names the scan within the study: the same scan written twice has the same UIDs. `series_uid`: where it has one.
    """
    if not np.isfinite(hu.data).all():
        raise RecordError(f"CBCT {scan_id}: voxels that are not finite cannot be written; was the reconstruction complete?")
    lying = in_fixed_frame(hu, subject.patient_position)  # half turns undo themselves: back in frame P
    series_uid = series_uid or series_uid_of(subject, scan_id, error)
    pixels = np.clip(np.rint(lying.slices()), -32768, 32767).astype(np.int16)
    orientation, first, between = _plane(lying, subject, error)
    out = []
    for k, slice_ in enumerate(pixels):
        instance = uid(series_uid, k)
        file = new_object(CT_IMAGE, subject, when, instance, series_uid, description)
        _geometry(file, lying, orientation, first + k * between, subject)
        _ct_image(file, k, when, kvp)
        set_pixels(file, slice_)
        out.append((instance, written(file)))
    return out


def series_uid_of(subject: Subject, scan_id: str, error: Pose = IDENTITY) -> str:
    """The series UID that `cbct_series` gives this scan."""
    return uid("CBCT", subject.study_uid, scan_id, six(error))


def _plane(volume: Volume, subject: Subject, error: Pose) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """(direction cosines, centre of the first slice's first pixel, step from slice to slice) in DICOM coordinates."""
    to_dicom = fixed_from_dicom(subject.patient_position).T
    lay = np.diag(np.array(signs(subject.patient_position), float))
    back = error.inverse()

    def place(point: NDArray[np.float64]) -> NDArray[np.float64]:
        out: NDArray[np.float64] = np.array(subject.isocentre_mm) + to_dicom @ back.apply(lay @ point)
        return out

    corner = np.array([volume.origin_mm[0], volume.origin_mm[1], volume.last_mm[2]])
    first = place(corner)
    along_row, down, up = (place(corner + d) - first for d in ([1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]))
    return decimals([*along_row, *down]), first, up * volume.spacing_mm[1]


def _geometry(file: FileDataset, volume: Volume, orientation: list[str], at: NDArray[np.float64], subject: Subject) -> None:
    set_frame(file, subject.frame_of_reference_uid)
    file.PatientPosition = subject.patient_position
    file.ImageOrientationPatient, file.ImagePositionPatient = orientation, decimals(at)
    file.PixelSpacing = decimals([volume.spacing_mm[2], volume.spacing_mm[0]])
    file.SliceThickness, file.SpacingBetweenSlices = decimal(volume.spacing_mm[1]), decimal(volume.spacing_mm[1])


def _ct_image(file: FileDataset, k: int, when: datetime, kvp: float) -> None:
    file.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    file.BodyPartExamined = "WHOLEBODY"
    file.InstanceNumber, file.AcquisitionNumber = str(k + 1), "1"
    file.AcquisitionDate, file.AcquisitionTime = f"{when:%Y%m%d}", f"{when:%H%M%S.%f}"
    file.KVP, file.RescaleIntercept, file.RescaleSlope, file.RescaleType = decimal(kvp), "0", "1", "HU"
    file.WindowCenter, file.WindowWidth = "40", "400"
