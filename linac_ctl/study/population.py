"""Who is treated: every error of a patient, a day and a couch shift, as a pure function of (seed, patient, fraction)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from device_models.interface.volume import Pose
from device_models.patient.chance import normals
from device_models.patient.couch import CouchPose
from device_models.patient.hidden import HiddenPose
from device_models.patient.motion import SetUpError

from .config import StudyConfig, Triple


@dataclass(frozen=True, slots=True)
class Walk:
    """As `device_models.patient.motion.Drift`, drawn once: six numbers at every full minute, straight lines in between."""

    corners: tuple[tuple[float, ...], ...]

    def at(self, time_s: float) -> Pose:
        """Motion since the set-up; at rest after the last corner."""
        minutes = min(max(0.0, time_s) / 60.0, len(self.corners) - 1.0)
        k = min(int(minutes), len(self.corners) - 2)
        x, y, z, *turns = (a + (minutes - k) * (b - a) for a, b in zip(self.corners[k], self.corners[k + 1]))
        return Pose((x, y, z), three(turns))


@dataclass(frozen=True, slots=True)
class Day:
    """One patient on one day. The same day comes in every arm: arms differ in what is done, not in luck."""

    study: StudyConfig
    seed: int
    patient: int
    fraction: int

    @property
    def name(self) -> str:
        """Of its streams of chance."""
        return f"study/{self.patient}/{self.fraction}"

    @property
    def first_frame(self) -> int:
        """Frames of this day are counted from here: their noise is no other day's."""
        return (self.patient * self.study.fractions + self.fraction) * 1_000_000

    def lies(self, attempt: int, at_s: float) -> HiddenPose:
        """Set up at a machine time. After the first image therapists know what is systematic: a repeated set-up has none of it."""
        asked = self.study.set_up
        ever = (0.0, 0.0, 0.0)
        error = SetUpError(asked.systematic_mm if attempt == 0 else ever, asked.random_mm,
                           asked.systematic_deg if attempt == 0 else ever, asked.random_deg, asked.limit_sigma)
        pose = error.drawn(self.seed, f"study/{self.patient}", self.fraction + 1_000_000 * attempt)
        return HiddenPose(pose, (self._drift(attempt),), set_up_at_s=at_s)

    def _drift(self, attempt: int) -> "Walk":
        asked = self.study.drift
        ever, today = normals(self.seed, f"study/{self.patient}/drift", 6), normals(self.seed, f"{self.name}/drift/{attempt}", 6)
        systematic = np.array([*asked.systematic_mm_per_min, *asked.systematic_deg_per_min])
        random = np.array([*asked.random_mm_per_min, *asked.random_deg_per_min])
        minutes = self.study.most_minutes
        steps = normals(self.seed, f"{self.name}/walk/{attempt}", 6 * minutes).reshape(minutes, 6)
        steps = steps * np.array([*asked.wander_mm, *asked.wander_deg]) + systematic * ever + random * today
        return Walk(tuple(tuple(map(float, corner)) for corner in np.cumsum(np.vstack([np.zeros(6), steps]), axis=0)))

    def imager_off_mm(self) -> Triple:
        """The imager's isocentre from the beam's, fixed frame: the patient stays on one machine."""
        return three(self.study.machine_errors.imager_mm * normals(self.seed, f"study/{self.patient}/imager", 3))

    def beam_off_mm(self) -> Triple:
        """What no image shows: the target from where it was planned to be in the beam, though its bones are in their place."""
        return three(self.study.machine_errors.chain_mm * normals(self.seed, f"study/{self.patient}/chain", 3))

    def couch_after(self, ordered: CouchPose, shift: int) -> CouchPose:
        """Where the couch comes to stand after its n-th shift of the day."""
        asked = self.study.machine_errors
        sigma = np.array([asked.couch_mm] * 3 + [asked.couch_deg] * 3)
        return CouchPose(*(float(v) for v in np.array(ordered.six) + sigma * normals(self.seed, f"{self.name}/couch/{shift}", 6)))


def three(values: Any) -> Triple:
    """Plain numbers."""
    x, y, z = (float(v) for v in values)
    return x, y, z
