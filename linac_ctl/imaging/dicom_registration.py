"""A match as a DICOM Spatial Registration (PS3.3 A.39.1): how to carry the acquired images onto the planning CT."""

from collections.abc import Sequence as Many
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence

from .dicom_base import SopClass, Subject, code, decimals, new_object, set_frame, uid, written
from .match import Match
from .patient_position import fixed_from_dicom
from .pose import Pose, matrix_4x4

REGISTRATION = SopClass("1.2.840.10008.5.1.4.1.1.66.1", "REG")
BY_CONTENT = ("125024", "DCM", "Image Content-based Alignment")
BY_MARKERS = ("125022", "DCM", "Fiducial Alignment")


@dataclass(frozen=True, slots=True)
class Images:
    """A series that a registration speaks of."""

    sop_class_uid: str
    series_uid: str
    instance_uids: tuple[str, ...]
    study_uid: str


def dicom_matrix(error: Pose, subject: Subject) -> NDArray[np.float64]:
    """(4, 4) acquired DICOM coordinates -> planning CT coordinates, mm: undoes the error about the isocentre."""
    axes = np.eye(4)
    axes[:3, :3] = fixed_from_dicom(subject.patient_position)
    to_isocentre = np.eye(4)
    to_isocentre[:3, 3] = -np.array(subject.isocentre_mm)
    into_fixed = axes @ to_isocentre
    out: NDArray[np.float64] = np.linalg.inv(into_fixed) @ matrix_4x4(error.inverse()) @ into_fixed
    return out


def spatial_registration(
    match: Match, subject: Subject, when: datetime, planning: Images, acquired: Images, acquired_frame_uid: str = "",
    operator: str = "",
) -> tuple[str, bytes]:
    """(SOP instance UID, file's bytes). `acquired_frame_uid`: frame of reference of the acquired images when it is their own."""
    instance = uid("REG", subject.study_uid, acquired.series_uid, match.error, match.binding.acquired_s)
    file = new_object(REGISTRATION, subject, when, instance, uid(instance, "series"), "Set-up match")
    set_frame(file, subject.frame_of_reference_uid)
    file.InstanceNumber, file.ContentLabel = "1", "SETUP_MATCH"
    file.BodyPartExamined = "WHOLEBODY"
    file.ContentDescription = f"{match.method}, {match.dof} DoF, similarity {match.similarity:.3f}"[:64]
    file.ContentCreatorName = operator
    how = BY_MARKERS if match.method == "markers" else BY_CONTENT
    file.RegistrationSequence = Sequence([
        _item(planning, subject.frame_of_reference_uid, np.eye(4), how),
        _item(acquired, acquired_frame_uid or subject.frame_of_reference_uid, dicom_matrix(match.pose, subject), how),
    ])
    _references(file, subject, (planning, acquired))
    return instance, written(file)


def _item(images: Images, frame_uid: str, matrix: NDArray[np.float64], how: tuple[str, str, str]) -> Dataset:
    inner = Dataset()
    inner.FrameOfReferenceTransformationMatrixType = "RIGID"
    inner.FrameOfReferenceTransformationMatrix = decimals(matrix.ravel())
    outer = Dataset()
    outer.RegistrationTypeCodeSequence = code(*how)
    outer.MatrixSequence = Sequence([inner])
    out = Dataset()
    out.FrameOfReferenceUID = frame_uid
    out.ReferencedImageSequence = Sequence([_reference(images.sop_class_uid, one) for one in images.instance_uids])
    out.MatrixRegistrationSequence = Sequence([outer])
    return out


def _reference(sop_class_uid: str, instance_uid: str) -> Dataset:
    out = Dataset()
    out.ReferencedSOPClassUID, out.ReferencedSOPInstanceUID = sop_class_uid, instance_uid
    return out


def _references(file: FileDataset, subject: Subject, series: Many[Images]) -> None:
    """Common Instance Reference module: series of this study, and of others."""
    own = [_series(s) for s in series if s.study_uid == subject.study_uid]
    if own:
        file.ReferencedSeriesSequence = Sequence(own)
    others = []
    for s in series:
        if s.study_uid != subject.study_uid:
            item = Dataset()
            item.StudyInstanceUID, item.ReferencedSeriesSequence = s.study_uid, Sequence([_series(s)])
            others.append(item)
    if others:
        file.StudiesContainingOtherReferencedInstancesSequence = Sequence(others)


def _series(images: Images) -> Dataset:
    out = Dataset()
    out.SeriesInstanceUID = images.series_uid
    out.ReferencedInstanceSequence = Sequence([_reference(images.sop_class_uid, one) for one in images.instance_uids])
    return out
