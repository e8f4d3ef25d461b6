"""DICOM RT Plan to Plan. Liberal in how a file may be written, strict in what would be delivered."""

import warnings
from pathlib import Path

from linac_ctl.plan.dicom_beam import beam_name, is_set_up, read_beam
from linac_ctl.plan.dicom_fields import Item
from linac_ctl.plan.dicom_file import open_plan
from linac_ctl.plan.dicom_groups import read_groups
from linac_ctl.plan.import_notes import notes
from linac_ctl.plan.model import Beam, FractionGroup, Plan


def read_plan(path: str | Path) -> Plan:
    """The plan in the file; PlanError names beam, control point, attribute, value and what to do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of what is refused or harmless here
        return _read(path)


def _read(path: str | Path) -> Plan:
    plan, sha256 = open_plan(path)
    named = _by_number(plan)
    set_up = {n: item for n, item in named.items() if is_set_up(item)}
    treated = {n: item for n, item in named.items() if n not in set_up}
    if not treated:
        raise plan.where.refuse("BeamSequence", f"holds no treatment beam ({len(set_up)} set-up beams)")
    groups = read_groups(plan, treated, set_up)
    beams = tuple(read_beam(item, _mu(item, n, groups)) for n, item in treated.items())
    return _assemble(plan, beams, groups, tuple(beam_name(item) for item in set_up.values()), str(path), sha256)


def _by_number(plan: Item) -> dict[int, Item]:
    found: dict[int, Item] = {}
    for item in plan.items("BeamSequence"):
        number = item.whole("BeamNumber")
        if number in found:
            raise plan.where.refuse("BeamNumber", f"{number} is used by two beams")
        found[number] = item.at(beam=f'beam {number} "{beam_name(item)}"')
    if not found:
        raise plan.where.refuse("BeamSequence", "is missing or empty: no beams")
    return found


def _mu(beam: Item, number: int, groups: tuple[FractionGroup, ...]) -> float:
    for group in groups:
        if number in group.beams:
            return group.mu[group.beams.index(number)]
    raise beam.where.refuse("ReferencedBeamNumber", f"{number} is in no fraction group: the beam has no MU")


def _assemble(
    plan: Item,
    beams: tuple[Beam, ...],
    groups: tuple[FractionGroup, ...],
    set_up: tuple[str, ...],
    source: str,
    sha256: str,
) -> Plan:
    return Plan(
        label=plan.text("RTPlanLabel") or plan.text("RTPlanName"),
        sop_instance_uid=_required_uid(plan),
        patient_id=plan.text("PatientID"),
        patient_name=plan.text("PatientName"),
        beams=beams,
        groups=groups,
        setup_beams=set_up,
        approval=plan.text("ApprovalStatus").upper(),
        patient_position=_position(plan),
        frame_of_reference_uid=plan.text("FrameOfReferenceUID"),
        structure_set_uid=_structure_set(plan),
        study_instance_uid=plan.text("StudyInstanceUID"),
        geometry=plan.text("RTPlanGeometry").upper(),
        source=source,
        sha256=sha256,
        notes=notes(plan, beams),
        prescribed_gy=_prescribed_gy(plan),
    )


def _required_uid(plan: Item) -> str:
    uid = plan.text("SOPInstanceUID")
    if not uid:
        raise plan.where.refuse("SOPInstanceUID", "is missing: a record could not name this plan")
    return uid


def _position(plan: Item) -> str:
    """PatientPosition of all set-ups; a plan that turns the patient round between beams is refused."""
    found = {item.text("PatientPosition").upper() for item in plan.items("PatientSetupSequence")} - {""}
    if len(found) > 1:
        raise plan.where.refuse(
            "PatientPosition",
            f"differs between set-ups: {', '.join(sorted(found))}",
            "make one plan per patient position",
        )
    return next(iter(sorted(found)), "")


def _structure_set(plan: Item) -> str:
    for item in plan.items("ReferencedStructureSetSequence"):
        return item.text("ReferencedSOPInstanceUID")
    return ""


def _prescribed_gy(plan: Item) -> float | None:
    """To the target, by the whole course; of several targets the one that gets most."""
    found = [gy for item in plan.items("DoseReferenceSequence") if item.text("DoseReferenceType").upper() == "TARGET"
             and (gy := item.maybe_number("TargetPrescriptionDose")) is not None]
    return max(found, default=None)
