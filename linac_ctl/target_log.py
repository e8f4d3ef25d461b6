"""Where the target really was, all through a session: for reports. Reads the virtual patient, so the controller never sees it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .imaging.pose import Pose, six
from .plan.model import Beam
from .records.target import TargetOutline, write_target

if TYPE_CHECKING:
    from .imager_link import ImagerLink

EVERY_S = 0.5  # while the beam is on
STILL = 4  # looks from one sample to the next without beam


class TargetLog:
    """One sample every two seconds, two a second while dose leaves the machine: about 0.2 ms of computing each."""

    def __init__(self, room: "ImagerLink", control: Any, beams: Sequence[Beam]) -> None:
        self.room, self.control = room, control
        self.angles_deg = np.array([float(beam.couch[0][3]) for beam in beams])
        self.centre_mm = room.prepared.patient.target.centroid()
        self.looks = 0
        self.rows: list[tuple[float, ...]] = []

    def look(self) -> None:
        """Take a sample, if one is due."""
        plant, self.looks = self.room.plant, self.looks + 1
        on = bool(plant.beam["rate_mu_per_s"][0] > 0.0)
        if on or self.looks % STILL == 1:
            seen = self.room.truth_now()
            error = self.room.hidden().error(seen.time_s, seen.couch, self.planned_angle_deg(seen.couch.rotation_deg))
            self.rows.append((seen.time_s, float(self.control.job["beam_number"][0]), float(on),
                              float(plant.beam["true_total_mu"][0]), *self._off(error), *seen.couch.six))

    def planned_angle_deg(self, couch_deg: float) -> float:
        """The plan's couch angle that is nearest: of the beam in hand, or of the one that the couch stands at."""
        return float(self.angles_deg[np.abs(self.angles_deg - couch_deg).argmin()])

    def _off(self, error: Pose) -> tuple[float, ...]:
        """Of the target's centre, mm, and the three turns, deg; patient's axes."""
        return (*(float(v) for v in error.apply(self.centre_mm) - self.centre_mm), *six(error)[3:])

    def write(self, folder: Path) -> dict[str, str]:
        """What -> path in the run folder; nothing for a session that ended before its first second."""
        if not self.rows:
            return {}
        return write_target(folder, np.array(self.rows), self.outline)

    @property
    def outline(self) -> TargetOutline:
        """As planned."""
        patient = self.room.prepared.patient
        return TargetOutline(patient.target.name, self.centre_mm, patient.target.contours, patient.lying.matrix)
