"""DICOM RT Beams Treatment Record of one run (PS3.3 A.31): beams, MU, how each ended, overrides, couch, shifts.

Date and time are arguments and every UID is made from the run, so that the same run gives the same file.
"""

import io
import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian, RTBeamsTreatmentRecordStorage, RTPlanStorage, generate_uid

from linac_ctl.errors import RecordError
from linac_ctl.plan.model import Beam, Plan

from .imaging_fields import as_imaging, imaging_fields
from .result import BeamResult, Override, Result
from .rows import Rows
from .treatment_setup import corrections, couch_stood, setup_number, setups, verification_images

MOVING = ("arc", "conformal_arc", "sliding_window", "step_and_shoot")  # DICOM beam type DYNAMIC
STOPS = ("interrupt", "terminate", "estop")
COMPLETE_MU = 0.1  # closer than this to the prescription counts as all of it
LEAF_JAW_POSITIONS = Tag(0x300A, 0x011C)
POINTERS = {  # first word of an override -> tag it was about
    "gantry": 0x300A011E,
    "collimator": 0x300A0120,
    "jaw": 0x300A011C,
    "leaf": 0x300A011C,
    "couch": 0x300A0128,
    "dose": 0x300A0134,
    "mu": 0x300A0134,
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """Who and when, for the header. The operator is the person who pressed beam-on."""

    start: datetime
    machine: str
    operator: str = ""
    fraction: int = 1
    fraction_group: int = 1
    code_version: str = ""


def treatment_record(plan: Plan, result: Result, rows: Rows, delivery: Delivery) -> bytes:
    """The file's bytes (explicit VR little endian). RecordError when no beam was started."""
    uid = generate_uid(entropy_srcs=[plan.sop_instance_uid, result.digest, delivery.start.isoformat(), "record"])
    record = FileDataset("", {}, file_meta=_file_meta(uid), preamble=b"\0" * 128)
    _patient_and_study(record, plan, delivery, uid)
    _series(record, result, delivery, uid)
    _content(record, plan, result, rows, delivery)
    out = io.BytesIO()
    record.save_as(out, **_explicit())
    return out.getvalue()


def _explicit() -> dict[str, bool]:
    """pydicom 2 and 3 name this differently."""
    old = pydicom.__version__.startswith("2.")
    return {"write_like_original": False} if old else {"enforce_file_format": True}


def _file_meta(uid: str) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = RTBeamsTreatmentRecordStorage
    meta.MediaStorageSOPInstanceUID = UID(uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return meta


def _patient_and_study(d: Dataset, plan: Plan, delivery: Delivery, uid: str) -> None:
    d.SpecificCharacterSet = "ISO_IR 192"
    d.SOPClassUID, d.SOPInstanceUID = RTBeamsTreatmentRecordStorage, UID(uid)
    d.PatientName, d.PatientID, d.PatientBirthDate, d.PatientSex = plan.patient_name, plan.patient_id, "", ""
    d.StudyInstanceUID = plan.study_instance_uid or generate_uid(entropy_srcs=[plan.sop_instance_uid, "study"])
    d.StudyID, d.AccessionNumber, d.ReferringPhysicianName = "", "", ""
    d.StudyDate, d.StudyTime = _date(delivery.start), _time(delivery.start)


def _series(d: Dataset, result: Result, delivery: Delivery, uid: str) -> None:
    d.Modality, d.SeriesNumber, d.InstanceNumber = "RTRECORD", None, 1
    d.SeriesInstanceUID = generate_uid(entropy_srcs=[uid, "series"])
    d.SeriesDescription = "Simulated delivery, not a medical record"
    d.OperatorsName = delivery.operator
    d.Manufacturer, d.ManufacturerModelName = "linac-ctl", "simulator"
    d.DeviceSerialNumber, d.SoftwareVersions = str(result.seed), delivery.code_version or "0"
    d.InstanceCreationDate, d.InstanceCreationTime = _date(delivery.start), _time(delivery.start)


def _content(d: Dataset, plan: Plan, result: Result, rows: Rows, delivery: Delivery) -> None:
    d.TreatmentDate, d.TreatmentTime = _date(delivery.start), _time(delivery.start)
    d.ReferencedRTPlanSequence = Sequence([_reference(RTPlanStorage, plan.sop_instance_uid)])
    machine = Dataset()
    machine.TreatmentMachineName, machine.Manufacturer, machine.InstitutionName = delivery.machine[:16], "linac-ctl", ""
    machine.ManufacturerModelName, machine.DeviceSerialNumber = "simulator", str(result.seed)
    d.TreatmentMachineSequence = Sequence([machine])
    d.ReferencedFractionGroupNumber = delivery.fraction_group
    group = next((g for g in plan.groups if g.number == delivery.fraction_group), None)
    d.NumberOfFractionsPlanned = group.fractions if group and group.fractions > 0 else 1
    d.PrimaryDosimeterUnit = "MU"
    if items := setups(result.shifts, plan.patient_position):
        d.PatientSetupSequence = Sequence(items)
    beams = {beam.number: beam for beam in plan.beams}
    started = [b for b in result.beams if b.number in beams and (b.beam_on_s > 0 or b.delivered_mu > b.start_mu)]
    if not started:
        raise RecordError("treatment record: no beam was started, so there is nothing to record")
    treated = [_session_beam(beams[b.number], b, result, rows, delivery) for b in started]
    imaging = [as_imaging(_session_beam(f.beam, f.done, result, f.rows, delivery), f)
               for f in imaging_fields(rows, max(beams), result.images)]
    d.TreatmentSessionBeamSequence = Sequence([*treated, *imaging])


def _reference(sop_class: str, uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
    return item


def _session_beam(beam: Beam, done: BeamResult, result: Result, rows: Rows, delivery: Delivery) -> Dataset:
    d = Dataset()
    d.ReferencedBeamNumber, d.BeamName = beam.number, beam.name
    d.BeamType = "DYNAMIC" if beam.technique in MOVING else "STATIC"
    d.RadiationType, d.TreatmentDeliveryType, d.NumberOfWedges = "PHOTON", "TREATMENT", 0
    d.NumberOfCompensators, d.NumberOfBoli, d.NumberOfBlocks = 0, 0, 0
    d.CurrentFractionNumber = delivery.fraction
    if done.start_mu > 0:
        d.TreatmentDeliveryType = "CONTINUATION"
    d.BeamLimitingDeviceLeafPairsSequence = Sequence(_devices(beam))
    d.SpecifiedPrimaryMeterset, d.SpecifiedSecondaryMeterset = _ds(done.planned_mu), _ds(done.planned_mu)
    d.DeliveredPrimaryMeterset, d.DeliveredSecondaryMeterset = _ds(done.delivered_mu), _ds(done.delivered_mu_2)
    d.DeliveredTreatmentTime = _ds(done.beam_on_s)
    d.TreatmentTerminationStatus = termination(done, result)
    # type 2: empty, because no record-and-verify system looked; the validator's own list spells VERIFIED wrongly
    d.TreatmentVerificationStatus = "VERIFIED_OVR" if result.overrides else ""
    own = rows.of_beam(beam.number)
    d.ControlPointDeliverySequence = Sequence(_control_points(beam, done, own, delivery, result))
    d.NumberOfControlPoints = len(d.ControlPointDeliverySequence)
    _images_and_shifts(d, beam.number, own, result)
    return d


def _images_and_shifts(d: Dataset, beam: int, own: Rows, result: Result) -> None:
    """What an image-guided session adds to a beam."""
    if images := verification_images(result.tracked, beam):
        d.ReferencedVerificationImageSequence = Sequence(images)
    if not result.shifts or not len(own):
        return
    d.ReferencedPatientSetupNumber = setup_number(result.shifts, float(own.t_s[0]))
    if items := corrections(result.shifts[: d.ReferencedPatientSetupNumber - 1]):
        d.ControlPointDeliverySequence[0].CorrectedParameterSequence = Sequence(items)


def termination(done: BeamResult, result: Result) -> str:
    """NORMAL when all MU are in; else MACHINE when an interlock ended it, OPERATOR when a person did."""
    if result.outcome == "delivered" or done.delivered_mu >= done.planned_mu - COMPLETE_MU:
        return "NORMAL"
    standing = any(trip.kind in STOPS and trip.reset is None for trip in result.interlocks)
    return "MACHINE" if standing else "OPERATOR"


def _device_names(beam: Beam) -> list[str]:
    """What shapes this beam: asymmetric jaws where the plan gives them, leaves."""
    names = [name for name in ("ASYMX", "ASYMY") if not np.isnan(_position(beam, name, 0)).any()]
    return names + ([] if beam.leaf_mm is None else ["MLCX"])


def _devices(beam: Beam) -> list[Dataset]:
    items = []
    for name in _device_names(beam):
        item = Dataset()
        item.RTBeamLimitingDeviceType = name
        item.NumberOfLeafJawPairs = len(_position(beam, name, 0)) // 2
        items.append(item)
    return items


def _control_points(beam: Beam, done: BeamResult, rows: Rows, delivery: Delivery, result: Result) -> list[Dataset]:
    """One item per control point that was reached, and one where the beam ended if that was between two."""
    points = len(beam.cumulative_mu)
    reached = int((beam.cumulative_mu <= done.delivered_mu + COMPLETE_MU).sum())
    delivered = np.minimum(beam.cumulative_mu[:reached], done.delivered_mu)
    delivered = (
        np.append(delivered, done.delivered_mu) if reached < points else np.append(delivered[:-1], done.delivered_mu)
    )
    asked = [_asked(beam, i) for i in range(len(delivered))]
    asked = [a | stood for a, stood in zip(asked, couch_stood(rows, _at(rows, delivered)) or [{}] * len(asked), strict=True)]
    items = [_control_point(beam, i, now, before) for i, (now, before) in enumerate(zip(asked, [{}, *asked]))]
    for item, mu, seconds in zip(items, delivered, _times(rows, delivered), strict=True):
        when = delivery.start + timedelta(seconds=float(seconds))
        item.TreatmentControlPointDate, item.TreatmentControlPointTime = _date(when), _time(when)
        item.DeliveredMeterset = _ds(mu)
    _rates(items, delivered, rows)
    if result.overrides:
        items[0].OverrideSequence = Sequence([_override(o) for o in result.overrides])
    return items


def _times(rows: Rows, delivered: NDArray[np.float64]) -> NDArray[np.float64]:
    """s since the start of the run at which these MU were in."""
    at = _at(rows, delivered)
    seconds: NDArray[np.float64] = rows.t_s[at] if len(at) else np.zeros(len(delivered))
    return seconds


def _at(rows: Rows, delivered: NDArray[np.float64]) -> NDArray[np.intp]:
    """The first row with these MU, for each; nothing when there are no rows."""
    if not len(rows):
        return np.zeros(0, np.intp)
    at: NDArray[np.intp] = np.searchsorted(np.maximum.accumulate(rows["mu_1"]), delivered - 1e-3)
    return np.minimum(at, len(rows) - 1)


def _control_point(beam: Beam, point: int, now: dict[str, Any], before: dict[str, Any]) -> Dataset:
    """What was asked for at this control point, and where the couch stood; after the first one only what has changed."""
    d = Dataset()
    d.ReferencedControlPointIndex, d.SpecifiedMeterset = point, _ds(beam.cumulative_mu[point])
    for keyword, value in now.items():
        if point == 0 or value != before[keyword] or keyword == "DoseRateSet":
            setattr(d, keyword, value)
    if devices := [name for name in _device_names(beam) if _changed(beam, name, point)]:
        d.BeamLimitingDevicePositionSequence = Sequence([_position_item(beam, name, point) for name in devices])
    return d


def _changed(beam: Beam, device: str, point: int) -> bool:
    return point == 0 or bool((_position(beam, device, point) != _position(beam, device, point - 1)).any())


def _asked(beam: Beam, point: int) -> dict[str, Any]:
    """DICOM keyword -> value of everything but leaves and jaws."""
    couch = beam.couch[point].tolist()
    return {
        "DoseRateSet": _ds(beam.dose_rate_mu_per_min or 0.0),
        "NominalBeamEnergy": _energy(beam.mode),
        "NominalBeamEnergyUnit": "MV",
        "GantryAngle": _angle(beam.gantry_deg[point]),
        "GantryRotationDirection": _direction(beam.gantry_deg, point),
        "BeamLimitingDeviceAngle": _angle(beam.collimator_deg[point]),
        "BeamLimitingDeviceRotationDirection": "NONE",
        "PatientSupportAngle": _angle(couch[3]),
        "PatientSupportRotationDirection": "NONE",
        "TableTopEccentricAngle": 0.0,
        "TableTopEccentricRotationDirection": "NONE",
        "TableTopPitchAngle": _known(couch[4]) or 0.0,
        "TableTopPitchRotationDirection": "NONE",
        "TableTopRollAngle": _known(couch[5]) or 0.0,
        "TableTopRollRotationDirection": "NONE",
        "TableTopLateralPosition": _known(couch[0]),
        "TableTopLongitudinalPosition": _known(couch[1]),
        "TableTopVerticalPosition": _known(couch[2]),
    }


def _position(beam: Beam, device: str, point: int) -> NDArray[np.float64]:
    """mm, in DICOM's order: X1 X2, Y1 Y2, or bank B before bank A."""
    if device == "MLCX" and beam.leaf_mm is not None:
        return np.roll(beam.leaf_mm[point], beam.leaf_mm.shape[1] // 2)
    return beam.jaw_mm[point, :2] if device == "ASYMX" else beam.jaw_mm[point, 2:]


def _position_item(beam: Beam, device: str, point: int) -> Dataset:
    """The numbers go in as finished text: tens of thousands, one by one, would take longer than the delivery."""
    item = Dataset()
    item.RTBeamLimitingDeviceType = device
    text = "\\".join(f"{x:.3f}" for x in _position(beam, device, point).tolist())
    item[LEAF_JAW_POSITIONS] = DataElement(LEAF_JAW_POSITIONS, "DS", text, already_converted=True)
    return item


def _rates(items: list[Dataset], delivered: NDArray[np.float64], rows: Rows) -> None:
    """Mean rate from each control point to the next; 0 at the last one."""
    seconds = _times(rows, delivered)
    for i, item in enumerate(items[:-1]):
        span_s = seconds[i + 1] - seconds[i]
        item.DoseRateDelivered = _ds((delivered[i + 1] - delivered[i]) / span_s * 60 if span_s > 0 else 0.0)
    items[-1].DoseRateDelivered = 0.0


def _override(override: Override) -> Dataset:
    d = Dataset()
    d.OverrideParameterPointer = POINTERS.get(override.what.split()[0].lower(), 0x300A0134)
    d.OperatorsName = override.who
    d.OverrideReason = f"{override.what}: {override.old} -> {override.new}: {override.reason}"[:1024]
    return d


def _direction(angles: NDArray[np.float64], point: int) -> str:
    step = angles[point + 1] - angles[point] if point + 1 < len(angles) else 0.0
    return "CW" if step > 0 else "CC" if step < 0 else "NONE"


def _energy(mode: str) -> float:
    """MV from a mode name such as 10FFF or 6X."""
    digits = re.match(r"[\d.]+", mode)
    return float(digits.group()) if digits else 0.0


def _angle(value: float) -> float:
    """0 .. 360 deg; an angle that the plan does not give is 0."""
    return (_known(value) or 0.0) % 360.0


def _known(value: float) -> float | None:
    return None if math.isnan(value) else _ds(value)


def _ds(value: Any) -> float:
    """Short enough for a decimal string (16 characters)."""
    return round(float(value), 4)


def _date(when: datetime) -> str:
    return when.strftime("%Y%m%d")


def _time(when: datetime) -> str:
    return when.strftime("%H%M%S.%f")[:10]
