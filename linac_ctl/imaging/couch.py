"""The couch as the controller knows it: where a point of the table top is for given scales, IEC 61217.

A point x of the table top, in fixed coordinates while the couch stands at `reference_mm` without rotations, is at

    r = Rz(rotation) [ T - T0 + q + Rx(pitch) Ry(roll) (x - q) ]

T: translations, in the turned system; T0: `reference_mm`; q: `pivot_mm`, centre of pitch and roll, fixed to the table top.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linac_ctl.errors import RefusedError

from .pose import Pose, pose_of, rotation

Floats = NDArray[np.float64]
Triple = tuple[float, float, float]
ZERO = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class CouchPosition:
    """The six scales, in the order of `device_models.interface.image.Couch`."""

    lateral_mm: float = 0.0
    longitudinal_mm: float = 0.0
    vertical_mm: float = 0.0
    rotation_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, self.six)):
            raise RefusedError(f"couch position {self.six}: an axis has no number; is its readback missing?")

    @property
    def six(self) -> tuple[float, float, float, float, float, float]:
        """As a row of the process image."""
        return self.lateral_mm, self.longitudinal_mm, self.vertical_mm, self.rotation_deg, self.pitch_deg, self.roll_deg

    @property
    def t_mm(self) -> Triple:
        """Translations."""
        return self.lateral_mm, self.longitudinal_mm, self.vertical_mm

    def away(self, other: "CouchPosition") -> tuple[float, float]:
        """(mm, deg): length of the translation between two positions and the largest of the three turns."""
        turns = (wrapped(a - b) for a, b in zip(self.six[3:], other.six[3:]))
        return math.dist(self.t_mm, other.t_mm), max(map(abs, turns))


AT_ZERO = CouchPosition()


@dataclass(frozen=True, slots=True)
class CouchMechanics:
    """Where it pitches and rolls about. All zero: about the isocentre's point of the table top at scales of zero."""

    pivot_mm: Triple = ZERO
    reference_mm: Triple = ZERO

    def table_top(self, at: CouchPosition) -> Pose:
        """From table top to fixed frame."""
        tilt = tilt_of(at)
        turn = rotation(0.0, 0.0, at.rotation_deg)
        q = np.array(self.pivot_mm)
        moved = np.array(at.t_mm) - np.array(self.reference_mm)
        return pose_of(turn @ tilt, turn @ (moved + q - tilt @ q))


def tilt_of(at: CouchPosition) -> Floats:
    """(3, 3) Rx(pitch) Ry(roll): the roll axis rides on the pitch."""
    out: Floats = rotation(at.pitch_deg, 0.0, 0.0) @ rotation(0.0, at.roll_deg, 0.0)
    return out


def angles_of(matrix: Floats) -> tuple[float, float, float]:
    """(rotation, pitch, roll) in deg of Rz Rx Ry. Not the three turns of a `Pose`, whose order is Rz Ry Rx."""
    pitch = math.asin(min(1.0, max(-1.0, float(matrix[2, 1]))))
    roll = math.atan2(-matrix[2, 0], matrix[2, 2])
    turn = math.atan2(-matrix[0, 1], matrix[1, 1])
    return math.degrees(turn), math.degrees(pitch), math.degrees(roll)


def wrapped(deg: float) -> float:
    """The same angle within -180 .. 180: a difference across 0/360 is small."""
    return math.remainder(deg, 360.0)
