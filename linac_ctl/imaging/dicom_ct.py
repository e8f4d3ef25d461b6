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
from .dicom_template import Element, Template
from .patient_position import fixed_from_dicom, in_fixed_frame, signs
from .pose import IDENTITY, Pose, six
from .volume import Volume

CT_IMAGE = SopClass("1.2.840.10008.5.1.4.1.1.2", "CT")
AIR_HU = -1000.0
CHANGING: tuple[Element, ...] = (  # from slice to slice
    (0x00020003, "UI"),  # media storage SOP instance UID
    (0x00080018, "UI"),  # SOP instance UID
    (0x00200013, "IS"),  # instance number
    (0x00200032, "DS"),  # image position
    (0x7FE00010, "OW"),  # pixels
)


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
    pixels = np.ascontiguousarray(np.clip(np.rint(lying.slices()), -32768, 32767), np.int16)
    orientation, first, between = _plane(lying, subject, error)
    instances = [uid(series_uid, k) for k in range(len(pixels))]
    file = new_object(CT_IMAGE, subject, when, instances[0], series_uid, description)
    _geometry(file, lying, orientation, first, subject)
    _ct_image(file, when, kvp)
    set_pixels(file, pixels[0])
    changing = [_changing(k, instance, first + k * between, pixels[k]) for k, instance in enumerate(instances)]
    template = Template(written(file), changing[0])
    return [(instance, template.file(values)) for instance, values in zip(instances, changing)]


def _changing(k: int, instance: str, at: NDArray[np.float64], pixels: NDArray[np.int16]) -> dict[Element, bytes]:
    """What differs from slice to slice."""
    values = (instance, instance, str(k + 1), "\\".join(decimals(at)))
    return dict(zip(CHANGING, (*(v.encode() for v in values), pixels.astype("<i2", copy=False).tobytes())))


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


def _ct_image(file: FileDataset, when: datetime, kvp: float) -> None:
    file.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    file.BodyPartExamined = "WHOLEBODY"
    file.InstanceNumber = file.AcquisitionNumber = "1"
    file.AcquisitionDate, file.AcquisitionTime = f"{when:%Y%m%d}", f"{when:%H%M%S.%f}"
    file.KVP, file.RescaleIntercept, file.RescaleSlope, file.RescaleType = decimal(kvp), "0", "1", "HU"
    file.WindowCenter, file.WindowWidth = "40", "400"
