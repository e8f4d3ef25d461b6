"""Beams to a whole RT Plan dataset (PS3.3 A.20) that says in several places that it is a simulation."""

from collections.abc import Sequence as Many
from dataclasses import fields as dataclass_fields
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from linac_ctl.plan.make.dicom_beam import beam_item
from linac_ctl.plan.make.dicom_values import decimal
from linac_ctl.plan.make.uids import uid
from linac_ctl.plan.model import Beam

RT_PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
FIXED_DATE = "20260101"
LAYOUT = "1"  # change it when the same beams are written another way
NOT_CLINICAL = "SIMULATOR - NOT FOR CLINICAL USE"


def plan_dataset(kind: str, what: str, target: str, beams: Many[Beam], fractions: int, date: str) -> FileDataset:
    """The dataset, ready to be written. date: YYYYMMDD."""
    plan = Dataset()
    _patient_and_study(plan, target, date)
    _general(plan, kind, what, date)
    plan.ToleranceTableSequence = Sequence([_tolerances()])
    plan.FractionGroupSequence = Sequence([_group(beams, fractions)])
    plan.BeamSequence = Sequence([beam_item(beam, *_energy(beam.mode)) for beam in beams])
    plan.PatientSetupSequence = Sequence([_set_up()])
    plan.ApprovalStatus = "UNAPPROVED"
    plan.SOPInstanceUID = uid(
        "plan", LAYOUT, kind, what, target, str(fractions), date, *(_content(beam) for beam in beams)
    )
    return _as_file(plan)


def _patient_and_study(plan: Dataset, target: str, date: str) -> None:
    plan.SOPClassUID = RT_PLAN
    plan.PatientName = f"SIMULATOR^{target.upper()}"
    plan.PatientID = f"SIM-{target.upper()}"
    plan.PatientBirthDate = plan.PatientSex = ""
    plan.StudyInstanceUID = uid("study", target)
    plan.StudyDate, plan.StudyTime = date, "120000"
    plan.StudyID, plan.AccessionNumber, plan.ReferringPhysicianName = "1", "", ""
    plan.Modality = "RTPLAN"
    plan.SeriesInstanceUID = uid("series", target)
    plan.SeriesNumber = 1
    plan.OperatorsName = ""
    plan.FrameOfReferenceUID = uid("frame of reference", target)
    plan.PositionReferenceIndicator = ""


def _general(plan: Dataset, kind: str, what: str, date: str) -> None:
    plan.Manufacturer = "linac-ctl"
    plan.ManufacturerModelName = "linac-ctl plan make"
    plan.SoftwareVersions = "1"
    plan.RTPlanLabel = kind[:16].upper()
    plan.RTPlanName = kind
    plan.RTPlanDescription = f"{NOT_CLINICAL}: {what}"
    plan.RTPlanDate, plan.RTPlanTime = date, "120000"
    plan.RTPlanGeometry = "TREATMENT_DEVICE"  # no structure set stands behind it


def _tolerances() -> Dataset:
    table = Dataset()
    table.ToleranceTableNumber, table.ToleranceTableLabel = 1, "SIMULATOR"
    table.GantryAngleTolerance = table.BeamLimitingDeviceAngleTolerance = decimal(0.5)
    table.BeamLimitingDeviceToleranceSequence = Sequence(
        [_device_tolerance(name) for name in ("ASYMX", "ASYMY", "MLCX")]
    )
    table.PatientSupportAngleTolerance = decimal(0.5)
    table.TableTopVerticalPositionTolerance = table.TableTopLongitudinalPositionTolerance = decimal(1.0)
    table.TableTopLateralPositionTolerance = decimal(1.0)
    return table


def _device_tolerance(name: str) -> Dataset:
    item = Dataset()
    item.RTBeamLimitingDeviceType, item.BeamLimitingDevicePositionTolerance = name, decimal(1.0)
    return item


def _group(beams: Many[Beam], fractions: int) -> Dataset:
    group = Dataset()
    group.FractionGroupNumber = 1
    group.NumberOfFractionsPlanned = fractions
    group.NumberOfBeams = len(beams)
    group.NumberOfBrachyApplicationSetups = 0
    group.ReferencedBeamSequence = Sequence([_reference(beam) for beam in beams])
    return group


def _reference(beam: Beam) -> Dataset:
    item = Dataset()
    item.BeamMeterset = decimal(beam.mu)
    item.ReferencedBeamNumber = beam.number
    return item


def _set_up() -> Dataset:
    item = Dataset()
    item.PatientSetupNumber, item.PatientPosition, item.SetupTechnique = 1, "HFS", "ISOCENTRIC"
    return item


def _content(beam: Beam) -> str:
    """Everything that makes this beam another one."""
    return repr(
        [
            value.tolist() if isinstance(value, np.ndarray) else value
            for value in (getattr(beam, field.name) for field in dataclass_fields(beam))
        ]
    )


def _energy(mode: str) -> tuple[float, bool]:
    """(MV, flattening filter free) of a mode's name."""
    return float(mode.removesuffix("FFF").removesuffix("X")), mode.endswith("FFF")


def _as_file(plan: Dataset) -> FileDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationGroupLength = 0  # counted when written
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(RT_PLAN), plan.SOPInstanceUID
    meta.TransferSyntaxUID = UID(EXPLICIT_LITTLE)
    meta.ImplementationClassUID, meta.ImplementationVersionName = UID(uid("implementation")), "LINACCTL"
    encoding: dict[str, Any] = {"is_implicit_VR": False, "is_little_endian": True}
    file = FileDataset("", plan, file_meta=meta, preamble=b"\x00" * 128, **encoding)
    if int(pydicom.__version__.split(".")[0]) < 3:  # later releases take both from the transfer syntax
        file.is_implicit_VR, file.is_little_endian = False, True
    return file
