"""The built-in patient as files of a planning system: CT series, structure set, plan, and a session that treats from them.

    write_patient(Path("case"), "spine_sbrt", "c_arm_hd120")   # then: linac-ctl run case/session.yaml
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from device_models.patient.phantom import Phantom
from device_models.patient.spine import spine

from .config.loader import load_machine
from .errors import PlanError, RecordError
from .imager_link import CT_NOISE_HU, CT_SEED, CT_SPACING_MM
from .imaging.dicom_base import Subject, uid
from .imaging.dicom_ct import CT_IMAGE, cbct_series
from .imaging.dicom_registration import Images
from .imaging.dicom_structures import Region, refer_to, structure_set
from .plan.make import make_plan
from .records.jsonio import replace_file

WHEN = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)  # as made plans: the same arguments give the same bytes
SESSION = """\
# Made by `linac-ctl patient make`. Paths are relative to the folder in which the session is run.
kind: session
name: {name}
description: {kind} for the built-in patient, from a planning CT and a structure set; simulator only, not for clinical use
machine: {machine}
workflow: spine_igrt
plan: {{file: {plan}}}
protocol: spine_sbrt
imaging: quick
patient:
  ct: {ct}
  structures: {structures}
  set_up_error: {{systematic_mm: [2.0, 3.0, 2.0], random_mm: [2.0, 3.0, 2.0], random_deg: [0.5, 0.5, 0.5], limit_sigma: 2.0}}
  motion: {{kind: drift, wander_mm: [0.05, 0.05, 0.05]}}
seed: 1
"""


def write_patient(folder: Path, kind: str, machine: str, mu: float | None = None) -> dict[str, Path]:
    """What -> file or folder; RecordError where there is something already, PlanError for a plan that cannot be made."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RecordError(f"{folder}: is not an empty folder; choose another place")
    leaves = load_machine(machine).controller.mlc
    if leaves is None:
        raise PlanError(f"machine {machine}: has no MLC; choose one that has")
    plan = make_plan(kind, leaves.model, mu=mu)
    files, set_uid = images_of(spine(), plan)
    refer_to(plan, set_uid)
    for name, data in files.items():
        put(folder / name, data)
    save(plan, folder / "plan.dcm")
    made = {"CT": folder / "ct", "structures": folder / "structures.dcm", "plan": folder / "plan.dcm",
            "session": folder / "session.yaml"}
    put(made["session"], session_text(folder.resolve().name, kind, machine, made).encode())
    return made


def session_text(name: str, kind: str, machine: str, made: dict[str, Path]) -> str:
    """YAML; names and paths quoted, whatever is in them."""
    quoted = {what.lower(): json.dumps(str(path), ensure_ascii=False) for what, path in made.items()}
    return SESSION.format(name=json.dumps(name, ensure_ascii=False), kind=kind, machine=machine, **quoted)


def images_of(phantom: Phantom, plan: Any) -> tuple[dict[str, bytes], str]:
    """(file name -> bytes of CT slices and structure set, UID of the structure set), about the isocentre of the plan."""
    isocentre = tuple(float(v) for v in plan.BeamSequence[0].ControlPointSequence[0].IsocenterPosition)
    subject = Subject(str(plan.PatientID), str(plan.PatientName), str(plan.StudyInstanceUID), str(plan.FrameOfReferenceUID),
                      isocentre, "HFS", "CT", "1")  # type: ignore[arg-type]
    hu = phantom.sampled(CT_SPACING_MM, fine=3, noise_hu=CT_NOISE_HU, seed=CT_SEED)
    series_uid = uid("planning CT", phantom.name, subject.study_uid, isocentre)
    slices = cbct_series(hu, subject, WHEN, "planning", kvp=120.0, description="Planning CT", series_uid=series_uid)
    ct = Images(CT_IMAGE.uid, series_uid, tuple(instance for instance, _ in slices), subject.study_uid)
    regions = [Region(s.name, s.kind, tuple(to_dicom(c, isocentre) for c in s.contours)) for s in phantom.structures]
    set_uid, data = structure_set(regions, subject, WHEN, ct)
    files = {f"ct/slice-{k:03d}.dcm": slice_ for k, (_, slice_) in enumerate(slices, 1)}
    return files | {"structures.dcm": data}, set_uid


def to_dicom(points_mm: Any, isocentre_mm: Any) -> Any:
    """(n, 3) frame P (left, head, front) about the isocentre -> (n, 3) DICOM coordinates (left, back, head)."""
    return np.array(isocentre_mm) + np.column_stack([points_mm[:, 0], -points_mm[:, 2], points_mm[:, 1]])


def put(path: Path, data: bytes) -> None:
    """A whole file; RecordError when it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(f"{path.parent}: cannot be made: {error.strerror}; choose another place") from None
    replace_file(path, data)


def save(plan: Any, path: Path) -> None:
    """The plan's file."""
    try:
        plan.save_as(str(path))
    except OSError as error:
        raise RecordError(f"{path}: cannot be written: {error.strerror}; choose another place") from None
