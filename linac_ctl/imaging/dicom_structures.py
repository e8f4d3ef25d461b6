"""What was drawn on a planning CT, as a DICOM RT Structure Set (PS3.3 A.19)."""

from collections.abc import Sequence as Many
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from .dicom_base import Floats, SopClass, Subject, decimals, new_object, set_frame, uid, written
from .dicom_registration import Images

RTSTRUCT = SopClass("1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT")
STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"  # detached study management: what old and new readers expect here
COLOURS = {"GTV": (255, 128, 0), "CTV": (255, 0, 0), "PTV": (255, 255, 0), "EXTERNAL": (0, 160, 0)}
OTHERS = (0, 128, 255)


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One region of interest."""

    name: str
    kind: str  # RTROIInterpretedType: GTV CTV PTV ORGAN AVOIDANCE EXTERNAL MARKER
    contours: tuple[Floats, ...]  # each (n, 3) mm in DICOM coordinates, closed, in one transverse plane


def structure_set(regions: Many[Region], subject: Subject, when: datetime, ct: Images) -> tuple[str, bytes]:
    """(SOP instance UID, file's bytes). `ct`: the series that the regions were drawn on."""
    instance = uid("RTSTRUCT", ct.series_uid, *(f"{r.name} {r.kind} {[c.tolist() for c in r.contours]}" for r in regions))
    file = new_object(RTSTRUCT, subject, when, instance, uid(instance, "series"), "Structures")
    set_frame(file, subject.frame_of_reference_uid)
    file.StructureSetLabel, file.InstanceNumber = "SIMULATOR", "1"
    file.StructureSetDate, file.StructureSetTime = file.StudyDate, file.StudyTime
    file.ApprovalStatus = "UNAPPROVED"
    file.ReferencedFrameOfReferenceSequence = Sequence([_drawn_on(ct, subject)])
    numbered = list(enumerate(regions, 1))
    file.StructureSetROISequence = Sequence([_roi(n, region, subject) for n, region in numbered])
    file.ROIContourSequence = Sequence([_contours(n, region) for n, region in numbered])
    file.RTROIObservationsSequence = Sequence([_observation(n, region) for n, region in numbered])
    return instance, written(file)


def refer_to(plan: FileDataset, structure_set_uid: str) -> None:
    """Makes a plan that was made for a target one that was made on this structure set: another plan, with a UID of its own."""
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = RTSTRUCT.uid, structure_set_uid
    plan.RTPlanGeometry, plan.ReferencedStructureSetSequence = "PATIENT", Sequence([item])
    plan.SOPInstanceUID = plan.file_meta.MediaStorageSOPInstanceUID = UID(uid(plan.SOPInstanceUID, structure_set_uid))


def _drawn_on(ct: Images, subject: Subject) -> Dataset:
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = ct.series_uid
    series.ContourImageSequence = Sequence([_reference(ct.sop_class_uid, one) for one in ct.instance_uids])
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = STUDY_CLASS, ct.study_uid
    study.RTReferencedSeriesSequence = Sequence([series])
    frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = subject.frame_of_reference_uid, Sequence([study])
    return frame


def _reference(sop_class: str, instance: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, instance
    return item


def _roi(number: int, region: Region, subject: Subject) -> Dataset:
    item = Dataset()
    item.ROINumber, item.ROIName, item.ROIGenerationAlgorithm = number, region.name, "AUTOMATIC"
    item.ReferencedFrameOfReferenceUID = subject.frame_of_reference_uid
    return item


def _contours(number: int, region: Region) -> Dataset:
    item = Dataset()
    item.ReferencedROINumber, item.ROIDisplayColor = number, list(COLOURS.get(region.kind, OTHERS))
    item.ContourSequence = Sequence([_contour(points) for points in region.contours])
    return item


def _contour(points: Any) -> Dataset:
    item = Dataset()
    item.ContourGeometricType, item.NumberOfContourPoints = "CLOSED_PLANAR", len(points)
    item.ContourData = decimals(points.ravel())
    return item


def _observation(number: int, region: Region) -> Dataset:
    item = Dataset()
    item.ObservationNumber = item.ReferencedROINumber = number
    item.RTROIInterpretedType, item.ROIInterpreter = region.kind, ""
    return item
