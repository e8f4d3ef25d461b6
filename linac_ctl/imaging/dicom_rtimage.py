"""One kV or MV radiograph as a DICOM RT Image (PS3.3 A.17), with the geometry of its exposure.

GantryAngle is the angle of the SOURCE that made the image, because all geometry of an RT Image hangs on it: for a kV image the
gantry stands 90 deg behind, and the description says so. Row 0 is at +Y (IEC X-ray image receptor axes, x to the right).
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence

from linac_ctl.errors import RecordError

from .couch import AT_ZERO, CouchPosition
from .dicom_base import SopClass, Subject, decimal, decimals, new_object, set_frame, set_pixels, uid, written
from .geometry import Frames

RT_IMAGE = SopClass("1.2.840.10008.5.1.4.1.1.481.1", "RTIMAGE")


@dataclass(frozen=True, slots=True)
class Exposure:
    """How the image was made. kV: kvp, ma, ms. MV: `kvp` is the nominal energy in kV (6 MV: 6000) and `mu` counts."""

    kind: str  # "kV" | "MV"
    kvp: float
    ma: float = 0.0
    ms: float = 0.0
    mu: float = 0.0
    gantry_deg: float = 0.0
    collimator_deg: float = 0.0
    couch: CouchPosition = AT_ZERO


def rt_image(
    counts: NDArray[np.uint16], frames: Frames, k: int, exposure: Exposure, subject: Subject, when: datetime,
    image_id: str, plan_uid: str = "", label: str = "", instance_uid: str = "", series_uid: str = "",
) -> tuple[str, bytes]:
    """(SOP instance UID, file's bytes) of frame k. counts (columns, rows), v upwards as everywhere in this package.

    `series_uid`: images of one acquisition share it; without one each is a series of its own.
    """
    panel = frames.panel
    if counts.shape != (panel.columns, panel.rows) or counts.dtype != np.uint16:
        raise RecordError(f"RT Image {image_id}: {counts.dtype} {counts.shape}; the panel has uint16 {(panel.columns, panel.rows)}")
    if exposure.kind not in ("kV", "MV"):
        raise RecordError(f"RT Image {image_id}: kind {exposure.kind}; known are kV and MV")
    instance = instance_uid or uid("RT Image", subject.study_uid, image_id)
    file = new_object(RT_IMAGE, subject, when, instance, series_uid or uid(instance, "series"), "Radiographs")
    file.StudyDescription = "Set-up images"
    set_frame(file, subject.frame_of_reference_uid)
    set_pixels(file, counts.T[::-1])
    file.PixelIntensityRelationship, file.PixelIntensityRelationshipSign = "LIN", 1
    _what(file, exposure, image_id, label)
    _where(file, frames, k, exposure, subject)
    _exposed(file, exposure)
    if plan_uid:
        _planned(file, plan_uid)
    return instance, written(file)


def _what(file: FileDataset, exposure: Exposure, image_id: str, label: str) -> None:
    file.ImageType = ["ORIGINAL", "PRIMARY", "PORTAL" if exposure.kind == "MV" else "SIMULATOR"]
    file.InstanceNumber, file.PatientOrientation = "1", ""
    file.RTImageLabel, file.RTImageName = (label or image_id)[:16], image_id[:64]
    file.RTImageDescription = f"{exposure.kind} image, gantry at {exposure.gantry_deg % 360:.1f} deg, source at GantryAngle"
    file.ReportedValuesOrigin, file.ConversionType, file.AcquisitionNumber = "ACTUAL", "DI", "1"


def _where(file: FileDataset, frames: Frames, k: int, exposure: Exposure, subject: Subject) -> None:
    """Receptor axes are those of the source side: x = u, y = v, z towards the source; distances along z."""
    panel = frames.panel
    source, centre = frames.source_mm[k], frames.panel_mm[k]
    file.RTImagePlane, file.RTImageOrientation = "NORMAL", ["1", "0", "0", "0", "-1", "0"]
    file.XRayImageReceptorTranslation = decimals(centre)
    file.XRayImageReceptorAngle = "0"
    file.ImagePlanePixelSpacing = decimals([panel.pitch_v_mm, panel.pitch_u_mm])
    left, top = -(panel.columns - 1) / 2 * panel.pitch_u_mm, (panel.rows - 1) / 2 * panel.pitch_v_mm
    file.RTImagePosition = decimals([left, top])
    file.RadiationMachineName = subject.machine[:16]
    file.RadiationMachineSAD, file.RTImageSID = decimal(float(source[2])), decimal(float(source[2] - centre[2]))
    file.PrimaryDosimeterUnit = "MU"
    file.GantryAngle = decimal(round(float(frames.angle_deg[k]) % 360.0, 3) % 360.0)
    file.BeamLimitingDeviceAngle = decimal(exposure.collimator_deg % 360.0)
    couch = exposure.couch
    file.PatientSupportAngle = decimal(couch.rotation_deg % 360.0)
    file.TableTopEccentricAxisDistance, file.TableTopEccentricAngle = "0", "0"
    file.TableTopPitchAngle, file.TableTopRollAngle = couch.pitch_deg, couch.roll_deg
    file.TableTopVerticalPosition = decimal(couch.vertical_mm)
    file.TableTopLongitudinalPosition = decimal(couch.longitudinal_mm)
    file.TableTopLateralPosition = decimal(couch.lateral_mm)
    file.IsocenterPosition, file.PatientPosition = decimals(subject.isocentre_mm), subject.patient_position


def _exposed(file: FileDataset, exposure: Exposure) -> None:
    item = Dataset()
    item.ImageType = file.ImageType  # dciodvfy looks for the condition of what follows inside the item
    item.KVP = decimal(exposure.kvp)
    if exposure.kind == "kV":
        item.XRayTubeCurrent, item.ExposureTime = str(round(exposure.ma)), str(round(exposure.ms))
    else:
        item.MetersetExposure = decimal(exposure.mu)
    item.NumberOfBlocks = "0"
    file.ExposureSequence = Sequence([item])


def _planned(file: FileDataset, plan_uid: str) -> None:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.481.5", plan_uid
    file.ReferencedRTPlanSequence = Sequence([item])
