"""How much each ray of a scan counts: every line through the patient must count once, however often it was measured.

Full circle, centred panel: every line is seen twice (weight 1/2). Full circle, panel shifted aside (half fan): lines near
the axis twice, the others once (weight after G. Wang, Med Phys 2002). Half circle plus fan (short scan): D. L. Parker,
Med Phys 1982, with the overscan shared evenly when the scan is longer than it must be.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linac_ctl.errors import RefusedError

from .geometry import Frames

Floats = NDArray[np.float64]
FULL_DEG = 360.0


@dataclass(frozen=True, slots=True, eq=False)
class ScanWeights:
    """`ray` (n, columns): weight of every detector column; it holds the angular step in radians too."""

    kind: str  # "full" | "half_fan" | "short"
    ray: Floats


@dataclass(frozen=True, slots=True)
class ScanLimits:
    """What a scan must have to be reconstructed."""

    least_frames: int = 40  # 45 still match to 0.2 mm, 30 do not
    widest_gap_deg: float = 9.0


USUAL_SCAN = ScanLimits()


def scan_weights(frames: Frames, limits: ScanLimits = USUAL_SCAN) -> tuple[Frames, NDArray[np.intp], ScanWeights]:
    """(frames used, in order of angle; their indices; their weights). Frames beyond one full circle are left out."""
    order, angle = _in_order(frames, limits)
    step, full = _steps(angle, limits)
    used = frames.pick(order)
    gamma = fan_angles(used)
    if full:
        kind, ray = _circle(gamma)
    else:
        kind, ray = "short", short_scan(np.radians(angle - angle[0]), gamma, math.radians(angle[-1] - angle[0]))
    return used, order, ScanWeights(kind, ray * step[:, None])


def _in_order(frames: Frames, limits: ScanLimits) -> tuple[NDArray[np.intp], Floats]:
    if len(frames) < limits.least_frames:
        raise RefusedError(f"CBCT: {len(frames)} projections, {limits.least_frames} are the least; acquire the scan again")
    angle = _continued(frames.angle_deg, limits)
    order = np.argsort(angle, kind="stable")
    angle = angle[order]
    within = angle < angle[0] + FULL_DEG - 1e-6
    return order[within], angle[within]


def _continued(angle: Floats, limits: ScanLimits) -> Floats:
    """Angles without the jump of 360 deg that some scales have; those of overtravel (-4.5 .. 364.5) stay."""
    if np.diff(np.sort(angle)).max() <= limits.widest_gap_deg:
        return angle
    out: Floats = np.degrees(np.unwrap(np.radians(angle)))  # a jump from frame to frame, in the order they were taken
    return out


def _steps(angle: Floats, limits: ScanLimits) -> tuple[Floats, bool]:
    """Radians that each frame stands for, and whether the circle is closed."""
    gaps = np.diff(angle)
    closing = FULL_DEG - (angle[-1] - angle[0])
    full = bool(closing <= limits.widest_gap_deg)
    worst = int(np.argmax(gaps))
    if gaps[worst] > limits.widest_gap_deg:
        raise RefusedError(
            f"CBCT: no projection between {angle[worst]:.1f} and {angle[worst + 1]:.1f} deg ({gaps[worst]:.1f} deg, limit "
            f"{limits.widest_gap_deg:g}); frames are missing, acquire the scan again"
        )
    before = np.concatenate([[closing if full else 0.0], gaps])
    after = np.concatenate([gaps, [closing if full else 0.0]])
    return np.radians((before + after) / 2), full


def fan_angles(frames: Frames) -> Floats:
    """(n, columns) radians between each column's ray and the line from source through the axis, positive along u."""
    table = frames.table()
    u = table[:, 5:6] + np.arange(frames.panel.columns) * frames.panel.pitch_u_mm
    ray = np.arctan2(u - table[:, 2:3], table[:, 4:5] - table[:, 7:8])
    axis = np.arctan2(-table[:, 2:3], table[:, 4:5])
    out: Floats = ray - axis
    return out


def _circle(gamma: Floats) -> tuple[str, Floats]:
    low, high = float(gamma[:, 0].max()), float(gamma[:, -1].min())
    if low >= 0 or high <= 0:
        raise RefusedError("CBCT: the panel does not see the axis of rotation; bring the detector arm to its place")
    if abs(low + high) <= 0.2 * max(-low, high):
        return "full", np.full_like(gamma, 0.5)
    return "half_fan", half_fan(gamma, min(-low, high))


def half_fan(gamma: Floats, overlap: float) -> Floats:
    """1 where only one of two opposite rays is on the panel, 0 .. 1 smoothly where both are (|gamma| <= overlap)."""
    side = np.sign(gamma.sum(1, keepdims=True))  # the long side of the fan
    part = np.clip(np.tan(gamma) / math.tan(overlap), -1.0, 1.0) * side
    out: Floats = 0.5 * (1.0 + np.sin(np.pi / 2 * part))
    return out


def short_scan(beta: Floats, gamma: Floats, span: float) -> Floats:
    """Weights that add up to 1 over the two measurements of a line; beta from 0 to span, all in radians."""
    extra = (span - math.pi) / 2
    widest = float(np.abs(gamma).max())
    if extra < widest - math.radians(0.5):
        raise RefusedError(
            f"CBCT: a scan of {math.degrees(span):.1f} deg is short of 180 deg and the fan, "
            f"{math.degrees(math.pi + 2 * widest):.1f} deg; turn further, or narrow the blades"
        )
    extra = max(extra, widest + 1e-6)
    b = beta[:, None] + 0.0 * gamma
    # a line seen at (beta, gamma) is seen again at (beta + 180 deg - 2 gamma, -gamma)
    rising = np.sin(np.pi / 4 * b / (extra + gamma)) ** 2
    falling = np.sin(np.pi / 4 * (math.pi + 2 * extra - b) / (extra - gamma)) ** 2
    out = np.where(b <= 2 * (extra + gamma), rising, 1.0)
    out = np.where(b >= math.pi + 2 * gamma, falling, out)
    return np.where((b < 0) | (b > math.pi + 2 * extra), 0.0, out)
