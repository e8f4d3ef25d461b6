"""The collision computer: smallest distance between gantry, imager arms, couch and patient, from the second encoders.

It works from wires, as a real one does, so that a device behind a port takes part. Angles use a table of sines that is
computed once and rounded, because sin differs in its last bits between processors. Distances are the largest of the
distances along each body's own directions: never more than the true distance, negative inside.
"""

import math
from functools import cache
from typing import Any

import numpy as np

from .config import BodyConfig
from .interface.compiled import compiled
from .interface.image import Couch, records

TABLE_STEPS = 3600  # entries per turn
LATERAL, LONGITUDINAL, VERTICAL = int(Couch.LATERAL), int(Couch.LONGITUDINAL), int(Couch.VERTICAL)
ROTATION, PITCH, ROLL = int(Couch.ROTATION), int(Couch.PITCH), int(Couch.ROLL)
ALONG = (1.0, 0.75, 0.5, 0.25, 0.0, -0.25, -0.5, -0.75, -1.0)  # envelope samples along the couch, shares of its half

COLLISION = np.dtype([
    ("clearance_mm", "f8"), ("left", "i8"),
    # parameters
    ("head_near_mm", "f8"), ("head_radius_mm", "f8"),
    ("source_half_mm", "f8"), ("housing_mm", "f8"), ("detector_half_mm", "f8"), ("mv_half_mm", "f8"),
    ("couch_points", "i8"),  # the first so many envelope points are the couch, the rest the patient
    ("every_cycles", "i8"),
    # where faults write
    ("obstruction_mm", "f8"),  # 1e4; something else stands this close to a moving part
])


@compiled
def reading(wires, i, absent):
    """Second encoder of axis i, or `absent` where the machine has no such axis."""
    return wires[i].readback_2 if i < wires.size else absent


@compiled
def sine(table, angle_deg):
    """sin by linear interpolation; |angle| up to 720 deg; error below 4e-7."""
    at = (angle_deg + 720.0) * (TABLE_STEPS / 360.0)
    whole = int(at)
    share = at - whole
    i = whole % TABLE_STEPS
    return table[i] + share * (table[i + 1] - table[i])


@compiled
def beyond(depth, across, across_2, half):
    """Distance to a square column that begins at depth 0 (positive before it) and is 2 `half` wide."""
    return max(depth, abs(across) - half, abs(across_2) - half)


@compiled
def nearest(bodies, x, y, z, kv_arms, mv_arm):
    """Smallest distance of one point (mm, in the gantry's frame) to head, kV source, kV detector, MV detector."""
    best = max(bodies.head_near_mm - z, np.sqrt(x * x + y * y) - bodies.head_radius_mm)
    if kv_arms.size == 4:
        lateral, longitudinal = kv_arms[2].readback_2, kv_arms[3].readback_2
        face = kv_arms[0].readback_2 - bodies.housing_mm
        best = min(best, beyond(face - x, z, y - longitudinal, bodies.source_half_mm))
        best = min(best, beyond(x - kv_arms[1].readback_2, z - lateral, y - longitudinal, bodies.detector_half_mm))
    if mv_arm.size == 3:
        lateral, longitudinal = mv_arm[1].readback_2, mv_arm[2].readback_2
        best = min(best, beyond(z - mv_arm[0].readback_2, x - lateral, y - longitudinal, bodies.mv_half_mm))
    return best


@compiled
def smallest(bodies, envelope, points, pose, kv_arms, mv_arm):
    """Smallest distance over the first `points` envelope points; pose as `look` makes it."""
    best = bodies.obstruction_mm
    sin_g, cos_g, sin_s, cos_s, pitch, roll, dx, dy, dz = pose
    for i in range(points):
        px, py = envelope[i, 0] + dx, envelope[i, 1] + dy
        pz = envelope[i, 2] + dz + pitch * envelope[i, 1] - roll * envelope[i, 0]
        x, y = px * cos_s - py * sin_s, px * sin_s + py * cos_s
        best = min(best, nearest(bodies, x * cos_g - pz * sin_g, y, x * sin_g + pz * cos_g, kv_arms, mv_arm))
    return best


@compiled
def look(bodies, envelope, table, gantry, couch, kv_arms, mv_arm, patient):
    """Clearance in mm with the axes where their second encoders say; NaN when one of them says nothing."""
    angle, turned = gantry[0].readback_2, reading(couch, ROTATION, 0.0)
    shift = reading(couch, LATERAL, 0.0), reading(couch, LONGITUDINAL, 0.0), reading(couch, VERTICAL, 0.0)
    tilt = reading(couch, PITCH, 0.0), reading(couch, ROLL, 0.0)
    total = shift[0] + shift[1] + shift[2] + tilt[0] + tilt[1]
    for i in range(kv_arms.size):
        total += kv_arms[i].readback_2
    for i in range(mv_arm.size):
        total += mv_arm[i].readback_2
    if not (abs(angle) <= 360.0 and abs(turned) <= 360.0 and abs(total) < 1e6):
        return np.nan
    pose = (sine(table, angle), sine(table, angle + 90.0), sine(table, turned), sine(table, turned + 90.0),
            sine(table, tilt[0]), sine(table, tilt[1]), shift[0], shift[1], shift[2])
    points = (envelope.shape[0] if patient else bodies.couch_points) if couch.size > 0 else 0
    return smallest(bodies, envelope, points, pose, kv_arms, mv_arm)


@compiled
def step_collision(bodies, envelope, table, image, patient):
    """Look again every so many cycles, and at once after an answer that was no number. -> clearance in mm."""
    bodies.left -= 1
    if bodies.left <= 0:
        bodies.clearance_mm = look(
            bodies, envelope, table, image.gantry, image.couch, image.kv_arms, image.mv_arm, patient)
        bodies.left = bodies.every_cycles if bodies.clearance_mm == bodies.clearance_mm else 0
    return bodies.clearance_mm


@cache
def _sines() -> tuple[float, ...]:
    return tuple(round(math.sin(math.radians(i * 360.0 / TABLE_STEPS)), 9) for i in range(TABLE_STEPS + 1))


def new_sine_table() -> Any:
    """(3601,) sines of 0.0, 0.1, ... 360.0 deg, rounded to 1e-9."""
    return np.array(_sines())


def new_envelope(config: BodyConfig) -> Any:
    """(n, 3) mm: couch edges, then the patient's surface, as they lie when the target is at the isocentre.

    The target is the middle of the patient; couch and patient end together at the head (+y for head first supine).
    """
    half_patient = config.patient_length_mm / 2
    top, bottom = -config.patient_height_mm / 2, -config.patient_height_mm / 2 - config.couch_thickness_mm
    middle, half_couch = half_patient - config.couch_length_mm / 2, config.couch_length_mm / 2
    edges = [(side * config.couch_half_width_mm, height) for side in (-1, 1) for height in (top, bottom)]
    points = [(x, middle + share * half_couch, z) for share in ALONG for x, z in edges]
    ring = [(math.sin(math.radians(a)), math.cos(math.radians(a))) for a in range(0, 360, 45)]
    surface = [(round(s * config.patient_half_width_mm, 6), round(c * config.patient_height_mm / 2, 6)) for s, c in ring]
    points += [(x, share * half_patient, z) for share in ALONG for x, z in surface]
    return np.array(points)


def new_collision(config: BodyConfig) -> Any:
    """COLLISION (1,)."""
    return records(
        1, COLLISION, clearance_mm=float("nan"), head_near_mm=config.head_near_mm, head_radius_mm=config.head_radius_mm,
        source_half_mm=config.kv_source_half_width_mm, housing_mm=config.kv_source_housing_mm,
        detector_half_mm=config.kv_detector_half_width_mm, mv_half_mm=config.mv_detector_half_width_mm,
        couch_points=4 * len(ALONG), every_cycles=config.every_cycles, obstruction_mm=1e4,
    )
