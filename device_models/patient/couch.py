"""From the couch to the patient: the table top as a rigid body in the fixed frame, IEC 61217, at any couch angle.

A point x of the table top (patient's axes, origin at the isocentre when the table top stands at `reference`) is found at

    r = c + Rz(rotation) [ T - T0 + q + Rx(pitch) Ry(roll) (x - q) - c ]

with T the table-top position and T0 the reference, both in the turned system as the couch scales show them; q the pivot of
pitch and roll, fixed to the table top (x of the reference); c the point about which the couch really turns (0: the isocentre).
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from device_models.interface.volume import Pose, pose_of, rotation

STILL = (0.0, 0.0, 0.0)
Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class CouchPose:
    """Scales of the couch, IEC 61217: table-top translations in mm, rotations in deg."""

    lateral_mm: float = 0.0
    longitudinal_mm: float = 0.0
    vertical_mm: float = 0.0
    rotation_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, self.six)):
            raise ValueError(f"couch pose: {self.six}; every axis needs a finite number")

    @property
    def six(self) -> tuple[float, float, float, float, float, float]:
        """Rows of `device_models.interface.image.Couch`."""
        return self.lateral_mm, self.longitudinal_mm, self.vertical_mm, self.rotation_deg, self.pitch_deg, self.roll_deg

    @property
    def t_mm(self) -> Triple:
        """Table-top translation."""
        return self.lateral_mm, self.longitudinal_mm, self.vertical_mm


@dataclass(frozen=True, slots=True)
class TableTop:
    """What is mechanically true of a couch. All zero: a stiff table that turns and tilts about the isocentre."""

    pivot_mm: Triple = STILL  # centre of pitch and roll, fixed to the table top, given with the couch at its reference
    axis_mm: tuple[float, float] = (0.0, 0.0)  # X, Y: where the axis of couch rotation really stands
    droop_mm_per_m: float = 0.0  # how much lower the isocentre's point lies for each metre drawn towards the gantry
    droop_deg_per_m: float = 0.0  # and how much its head end is lower: a negative pitch

    def pose(self, now: CouchPose, reference: CouchPose) -> Pose:
        """The table top in the fixed frame; identity at the reference without rotations and droop."""
        return table_pose(self, now, reference)


@lru_cache(maxsize=1024)  # a couch at rest is asked for the same ten times a second
def table_pose(top: TableTop, now: CouchPose, reference: CouchPose) -> Pose:
    """See `TableTop.pose`."""
    moved = np.array(now.t_mm) - np.array(reference.t_mm)
    out_m = 1e-3 * moved[1]
    moved[2] -= top.droop_mm_per_m * out_m
    tilt = rotation(now.pitch_deg - top.droop_deg_per_m * out_m, 0.0, 0.0) @ rotation(0.0, now.roll_deg, 0.0)
    turn = rotation(0.0, 0.0, now.rotation_deg)
    pivot, axis = np.array(top.pivot_mm), np.array([*top.axis_mm, 0.0])
    return pose_of(turn @ tilt, axis + turn @ (moved + pivot - tilt @ pivot - axis))


def planned_pose(couch_angle_deg: float) -> Pose:
    """Where the patient ought to be at a couch angle: turned about the isocentre, nothing else."""
    return Pose(STILL, (0.0, 0.0, couch_angle_deg))
