"""One patient for a session: voxels, contours and where the target is; from a phantom or from imported images."""

from dataclasses import dataclass

import numpy as np

from device_models.interface.volume import Pose, Volume

from .couch import CouchPose, TableTop
from .ct_import import CtIdentity, PlanningCt
from .errors import PatientError
from .hidden import AS_PLANNED, AT_ZERO, STIFF, HiddenPose, TargetTruth
from .motion import Motion, TurnShift
from .phantom import Phantom, target_of
from .structures import Structure


@dataclass(frozen=True, slots=True, eq=False)
class Patient:
    """Who lies there. `hu` is the truth; a planning CT is another sampling of it (phantoms) or the same one (imports)."""

    name: str
    hu: Volume
    structures: tuple[Structure, ...]
    lying: Pose = AS_PLANNED
    identity: CtIdentity | None = None

    @property
    def target(self) -> Structure:
        """The CTV, else the GTV, else the PTV."""
        return target_of(self.structures, f"patient {self.name}")

    def hidden(
        self, set_up: Pose = AS_PLANNED, motions: tuple[Motion, ...] = (), turn: TurnShift | None = None, table: TableTop = STIFF,
        reference: CouchPose = AT_ZERO, set_up_at_s: float = 0.0,
    ) -> HiddenPose:
        """This patient on the couch."""
        return HiddenPose(set_up, motions, turn, table, reference, self.lying, set_up_at_s)

    def truth(self, hidden: HiddenPose) -> TargetTruth:
        """For referee and reports."""
        return TargetTruth(hidden, self.target.centroid(), self.target.points)


def from_phantom(phantom: Phantom, spacing_mm: float) -> Patient:
    """A phantom as a patient; the structures are exact."""
    return Patient(phantom.name, phantom.sampled(spacing_mm), phantom.structures)


def from_ct(ct: PlanningCt, structures: tuple[Structure, ...]) -> Patient:
    """An imported patient; the CT is all that is known of the truth."""
    low, high = np.array(ct.volume.origin_mm), np.array(ct.volume.last_mm)
    for structure in structures[:1]:  # the target comes first
        points = structure.points
        if (points < low).any() or (points > high).any():
            raise PatientError(f"patient {ct.identity.patient_id}: target '{structure.name}' reaches beyond the CT; other images?")
    return Patient(ct.identity.patient_id, ct.volume, structures, ct.identity.lying, ct.identity)


def belongs(identity: CtIdentity, patient_id: str, frame_of_reference_uid: str, what: str, position: str = "") -> None:
    """PatientError unless a plan, dose or image set is of the same patient, frame of reference and position as the CT."""
    if patient_id != identity.patient_id:
        raise PatientError(f"{what}: patient '{patient_id}', the CT is of '{identity.patient_id}'; other patient")
    if frame_of_reference_uid != identity.frame_of_reference_uid:
        raise PatientError(
            f"{what}: frame of reference {frame_of_reference_uid or '(none)'}, the CT has {identity.frame_of_reference_uid}; "
            "they do not belong together"
        )
    if position and position != identity.patient_position:
        raise PatientError(f"{what}: the patient lies {position}, in the CT {identity.patient_position}; plan on this CT again")
