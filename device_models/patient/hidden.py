"""Where the patient really is: set-up error, motion and couch in one pose. For imagers, beam, referee and reports only."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from device_models.interface.volume import Floats, Pose

from .couch import CouchPose, TableTop, planned_pose
from .motion import Motion, TurnShift

AS_PLANNED, STIFF, AT_ZERO = Pose(), TableTop(), CouchPose()


@dataclass(frozen=True, slots=True)
class HiddenPose:
    """Functions of machine time and of where the couch really stands. `reference` is the couch position of the plan."""

    set_up: Pose = AS_PLANNED
    motions: tuple[Motion, ...] = ()
    turn: TurnShift | None = None
    table: TableTop = STIFF
    reference: CouchPose = AT_ZERO
    lying: Pose = AS_PLANNED  # frame P in the fixed frame at couch 0: identity for head first supine
    set_up_at_s: float = 0.0  # machine time at which the patient was set up: motion counts from here

    def on_couch(self, time_s: float, couch_angle_deg: float) -> Pose:
        """The patient relative to the table top, in the patient's axes: what no couch readback shows."""
        pose = self.set_up
        for motion in self.motions:
            pose = pose.after(motion.at(time_s - self.set_up_at_s))
        return pose.after(self.turn.at_angle(couch_angle_deg)) if self.turn else pose

    def pose(self, time_s: float, couch: CouchPose) -> Pose:
        """r = R p + t in the fixed frame; `couch` is the truth of the drives, not their readback."""
        return self.table.pose(couch, self.reference).after(self.lying).after(self.on_couch(time_s, couch.rotation_deg))

    def carried(self, point_mm: Floats, time_s: float, couch: CouchPose) -> Floats:
        """(3,) mm in the fixed frame of a point of the patient: as `pose(...).apply`, at a fifth of its price."""
        point = point_mm if self.turn is None else self.turn.at_angle(couch.rotation_deg).apply(point_mm)
        for motion in reversed(self.motions):
            point = motion.at(time_s - self.set_up_at_s).apply(point)
        return self.table.pose(couch, self.reference).apply(self.lying.apply(self.set_up.apply(point)))

    def error(self, time_s: float, couch: CouchPose, planned_angle_deg: float | None = None) -> Pose:
        """Off from the plan, in the patient's axes: identity when all is where it should be, at any couch angle."""
        angle = couch.rotation_deg if planned_angle_deg is None else planned_angle_deg
        return planned_pose(angle).after(self.lying).inverse().after(self.pose(time_s, couch))


@dataclass(frozen=True, slots=True, eq=False)
class TargetTruth:
    """What the referee may know: the target's centre and outline, and where they are."""

    hidden: HiddenPose
    centre_mm: Floats  # (3,) frame P
    points_mm: Floats = field(default_factory=lambda: np.zeros((0, 3)))  # (n, 3) on its outline, frame P

    def centre(self, time_s: float, couch: CouchPose) -> Floats:
        """(3,) mm in the fixed frame."""
        return self.hidden.pose(time_s, couch).apply(self.centre_mm)

    def offset_mm(self, time_s: float, couch: CouchPose, planned_angle_deg: float | None = None) -> Floats:
        """(3,) mm in the patient's axes: the target's centre from its planned place."""
        moved: Any = self.hidden.error(time_s, couch, planned_angle_deg).apply(self.centre_mm) - self.centre_mm
        return np.asarray(moved, float)

    def residual_mm(self, time_s: float, couch: CouchPose, planned_angle_deg: float | None = None) -> float:
        """Distance of the target's centre from its planned place."""
        return float(np.linalg.norm(self.offset_mm(time_s, couch, planned_angle_deg)))

    def worst_mm(self, time_s: float, couch: CouchPose, planned_angle_deg: float | None = None) -> float:
        """Largest distance of a point of the outline from its planned place: rotation counts here."""
        points = self.points_mm if len(self.points_mm) else self.centre_mm[None, :]
        moved = self.hidden.error(time_s, couch, planned_angle_deg).apply(points) - points
        return float(np.linalg.norm(moved, axis=1).max())
