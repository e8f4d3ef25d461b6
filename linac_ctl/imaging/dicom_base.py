"""What every DICOM image object of a session has in common: patient, study, equipment, UIDs from content, bytes."""

import hashlib
import io
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

Floats = NDArray[np.float64]
Triple = tuple[float, float, float]
NOT_CLINICAL = "SIMULATOR - NOT FOR CLINICAL USE"


@dataclass(frozen=True, slots=True)
class Subject:
    """Patient, plan frame and machine: the same for every object of a session."""

    patient_id: str
    patient_name: str
    study_uid: str
    frame_of_reference_uid: str  # of the planning CT
    isocentre_mm: Triple  # DICOM coordinates in that frame
    patient_position: str  # HFS, FFS, HFP, FFP
    machine: str
    software: str = ""
    birth_date: str = ""
    sex: str = ""


@dataclass(frozen=True, slots=True)
class SopClass:
    """What kind of object."""

    uid: str
    modality: str


def uid(*parts: object) -> str:
    """A UID that is a function of the texts (PS3.5 B.2): the same run gives the same file."""
    number = int.from_bytes(hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()[:16], "big")
    return f"2.25.{number}"


def decimal(value: float) -> str:
    """Decimal string of at most 16 characters that keeps 1e-8."""
    text = f"{value:.8f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text[:16]


def decimals(values: Any) -> list[str]:
    """One `decimal` each."""
    return [decimal(float(v)) for v in values]


def new_object(kind: SopClass, subject: Subject, when: datetime, instance_uid: str, series_uid: str, series: str) -> FileDataset:
    """Patient, study, series, equipment and SOP modules. `series`: description."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(kind.uid), UID(instance_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    out.SpecificCharacterSet = "ISO_IR 192"
    out.SOPClassUID, out.SOPInstanceUID = kind.uid, instance_uid
    out.PatientName, out.PatientID = subject.patient_name, subject.patient_id
    out.PatientBirthDate, out.PatientSex = subject.birth_date, subject.sex
    out.PatientComments = NOT_CLINICAL
    date, time = f"{when:%Y%m%d}", f"{when:%H%M%S.%f}"
    out.StudyInstanceUID, out.StudyID, out.AccessionNumber, out.ReferringPhysicianName = subject.study_uid, "1", "", ""
    out.StudyDate, out.StudyTime = date, time
    out.Modality, out.SeriesInstanceUID, out.SeriesNumber = kind.modality, series_uid, "1"
    out.SeriesDescription, out.OperatorsName = series, ""
    out.Manufacturer, out.ManufacturerModelName, out.StationName = "linac-ctl", "simulator", subject.machine[:16]
    out.DeviceSerialNumber, out.SoftwareVersions = "0", subject.software or "0"
    out.ContentDate = out.InstanceCreationDate = date
    out.ContentTime = out.InstanceCreationTime = time
    return out


def set_frame(out: Dataset, frame_of_reference_uid: str) -> None:
    """Frame of Reference module."""
    out.FrameOfReferenceUID, out.PositionReferenceIndicator = frame_of_reference_uid, ""


def set_pixels(out: Dataset, pixels: NDArray[Any]) -> None:
    """Image Pixel module of (rows, columns) int16 or uint16."""
    out.Rows, out.Columns = pixels.shape
    out.SamplesPerPixel, out.PhotometricInterpretation = 1, "MONOCHROME2"
    out.BitsAllocated, out.BitsStored, out.HighBit = 16, 16, 15
    out.PixelRepresentation = int(pixels.dtype.kind == "i")
    out.PixelData = np.ascontiguousarray(pixels).astype(pixels.dtype.newbyteorder("<")).tobytes()


def code(value: str, scheme: str, meaning: str) -> Sequence:
    """A sequence of one coded entry."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return Sequence([item])


def written(dataset: FileDataset) -> bytes:
    """The file's bytes, explicit VR little endian."""
    out = io.BytesIO()
    old = pydicom.__version__.startswith("2.")
    dataset.save_as(out, **({"write_like_original": False} if old else {"enforce_file_format": True}))
    return out.getvalue()
