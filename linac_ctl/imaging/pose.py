"""What the controller does with poses (`device_models.interface.volume.Pose`): compare, round, turn a little."""

import math

import numpy as np
from numpy.typing import NDArray

from device_models.interface.volume import Pose, pose_of, rotation

Floats = NDArray[np.float64]
Six = tuple[float, float, float, float, float, float]
IDENTITY = Pose()
GRID = 1e-3  # 1 um, 0.001 deg: what enters the control cycle


def six(pose: Pose) -> Six:
    """x y z mm, then the turns about X Y Z in deg. Not a vector: never negate or add them."""
    return (*pose.t_mm, *pose.r_deg)


def of_six(numbers: Six) -> Pose:
    """The pose of x y z mm, rx ry rz deg."""
    x, y, z, rx, ry, rz = (float(v) for v in numbers)
    return Pose((x, y, z), (rx, ry, rz))


def rounded(pose: Pose) -> Pose:
    """On the grid of 1 um and 0.001 deg."""
    return of_six(tuple(round(round(v / GRID) * GRID, 3) + 0.0 for v in six(pose)))  # type: ignore[arg-type]


def turn_deg(matrix: Floats) -> float:
    """Angle of a rotation matrix, exact also when it is tiny (from the sine as well as the cosine)."""
    sine = math.hypot(*(matrix[i, j] - matrix[j, i] for i, j in ((2, 1), (0, 2), (1, 0)))) / 2
    return math.degrees(math.atan2(sine, (float(np.trace(matrix)) - 1) / 2))


def distance(a: Pose, b: Pose) -> tuple[float, float]:
    """How far two poses are apart: (mm at the isocentre, deg of the rotation between them)."""
    return float(np.linalg.norm(a.t - b.t)), turn_deg(a.matrix @ b.matrix.T)


def small_turn(w_rad: Floats) -> Floats:
    """(3, 3) rotation by |w| about w."""
    angle = float(np.linalg.norm(w_rad))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = w_rad / angle
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn: Floats = np.eye(3) + math.sin(angle) * k + (1 - math.cos(angle)) * (k @ k)
    return turn


def nearest_rotation(matrix: Floats) -> Floats:
    """The rotation next to a matrix that products have bent a little."""
    u, _, w = np.linalg.svd(matrix)
    out: Floats = u @ w
    return out


def matrix_4x4(pose: Pose) -> Floats:
    """(4, 4) homogeneous."""
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = pose.matrix, pose.t
    return out


def about(pose: Pose, point_mm: Floats) -> Pose:
    """The pose whose turn is that of `pose` and which carries `point_mm` where `pose` would carry the isocentre's point."""
    return pose_of(pose.matrix, pose.t + point_mm - pose.matrix @ point_mm)


__all__ = [
    "IDENTITY", "Pose", "about", "distance", "matrix_4x4", "nearest_rotation", "of_six", "pose_of", "rotation", "rounded", "six",
    "small_turn", "turn_deg",
]  # fmt: skip
