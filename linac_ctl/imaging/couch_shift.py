"""From a match to absolute couch targets at any couch angle.

The patient rides on the table top. If a point planned at p (fixed frame, at this couch angle) is seen at r = E p, then the
table top, now at A, must go to E⁻¹ A. That is a rotation AND the translation it costs at the real pivot; targets follow from
the couch position at the time of the image, so giving the same order twice moves nothing the second time.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from linac_ctl.errors import RefusedError

from .couch import CouchMechanics, CouchPosition, Triple, angles_of, tilt_of, wrapped
from .pose import Pose, rotation

ISOCENTRE = (0.0, 0.0, 0.0)
GRID_DIGITS = 3  # 1 um, 0.001 deg


class CouchAxes(Enum):
    """What the couch may use for a correction."""

    TRANSLATIONS = 3
    WITH_ROTATION = 4
    ALL = 6


@dataclass(frozen=True, slots=True)
class ShiftLimits:
    """Machine and protocol numbers, from configuration."""

    tilt_deg: float  # pitch and roll reach this far to both sides
    remote_mm: float  # farther than this someone must enter the room
    remote_deg: float
    stale_mm: float  # the couch moved more than this since the image: image again
    stale_deg: float


@dataclass(frozen=True, slots=True)
class CouchOrder:
    """Where the couch shall go, from where the image was taken, and what error will be left."""

    taken_at: CouchPosition
    targets: CouchPosition
    left: Pose  # of E, about the isocentre: zero for a couch with six axes

    @property
    def shift(self) -> tuple[float, float, float, float, float, float]:
        """Target less position at the image: lateral longitudinal vertical mm, rotation pitch roll deg."""
        a, b = self.targets.six, self.taken_at.six
        moved = (*(x - y for x, y in zip(a[:3], b[:3])), *(wrapped(x - y) for x, y in zip(a[3:], b[3:])))
        return tuple(round(v, GRID_DIGITS) + 0.0 for v in moved)  # type: ignore[return-value]


def couch_order(
    error: Pose, taken_at: CouchPosition, axes: CouchAxes, mechanics: CouchMechanics, limits: ShiftLimits,
    target_mm: Triple = ISOCENTRE,
) -> CouchOrder:
    """Targets that undo `error` (fixed frame, see above). A couch that cannot turn as needed still brings `target_mm`, the
    planned place of the target in the fixed frame, exactly home. RefusedError beyond any limit."""
    top = mechanics.table_top(taken_at)
    turned = _turned(error.inverse().after(top), taken_at, axes)
    _check_tilt(turned, limits)
    on_table = top.inverse().apply(error.apply(np.array(target_mm)))
    q, tilt = np.array(mechanics.pivot_mm), tilt_of(turned)
    home = rotation(0.0, 0.0, turned.rotation_deg).T @ np.array(target_mm)
    t = np.array(mechanics.reference_mm) + home - q - tilt @ (on_table - q)
    targets = CouchPosition(*(round(float(v), GRID_DIGITS) + 0.0 for v in (*t, *turned.six[3:])))
    left = mechanics.table_top(targets).after(top.inverse()).after(error)
    order = CouchOrder(taken_at, targets, left)
    _check_remote(order, limits)
    return order


def _turned(wanted: Pose, taken_at: CouchPosition, axes: CouchAxes) -> CouchPosition:
    """The rotations of the target position; translations are still open."""
    turn, pitch, roll = angles_of(wanted.matrix)
    if axes is CouchAxes.TRANSLATIONS:
        turn = taken_at.rotation_deg
    if axes is not CouchAxes.ALL:
        pitch, roll = taken_at.pitch_deg, taken_at.roll_deg
    near = taken_at.rotation_deg + wrapped(turn - taken_at.rotation_deg)  # never the long way round
    return CouchPosition(0.0, 0.0, 0.0, *(round(v, GRID_DIGITS) + 0.0 for v in (near, pitch, roll)))


def _check_tilt(turned: CouchPosition, limits: ShiftLimits) -> None:
    for name, deg in (("pitch", turned.pitch_deg), ("roll", turned.roll_deg)):
        if not abs(deg) <= limits.tilt_deg:
            raise RefusedError(
                f"couch shift: {name} of {deg:.2f} deg is beyond ±{limits.tilt_deg:g} deg; set the patient up again"
            )


def _check_remote(order: CouchOrder, limits: ShiftLimits) -> None:
    mm, deg = order.targets.away(order.taken_at)
    if not mm <= limits.remote_mm:
        raise RefusedError(
            f"couch shift: {mm:.1f} mm > {limits.remote_mm:g} mm, the limit of a remote move; set the patient up again in the room"
        )
    if not deg <= limits.remote_deg:
        raise RefusedError(
            f"couch shift: a turn of {deg:.2f} deg > {limits.remote_deg:g} deg, the limit of a remote move; "
            "set the patient up again in the room"
        )


def check_not_moved(order: CouchOrder, now: CouchPosition, limits: ShiftLimits) -> None:
    """RefusedError when the couch is no longer where the image was taken: moved by hand, or the shift was already applied."""
    at_target = _within(now, order.targets, limits)
    if _within(now, order.taken_at, limits):
        return
    if at_target:
        raise RefusedError("couch shift: the couch already stands at the targets of this match; a shift is applied once")
    check_where_taken("couch shift", order.taken_at, now, limits)


def check_where_taken(what: str, taken_at: CouchPosition, now: CouchPosition, limits: ShiftLimits) -> None:
    """RefusedError when the couch does not stand where an image was taken that is to be used now."""
    if _within(now, taken_at, limits):
        return
    mm, deg = now.away(taken_at)
    raise RefusedError(f"{what}: the couch moved {mm:.2f} mm, {deg:.2f} deg since the image (limits {limits.stale_mm:g} mm, "
                       f"{limits.stale_deg:g} deg); image again")


def _within(a: CouchPosition, b: CouchPosition, limits: ShiftLimits) -> bool:
    mm, deg = a.away(b)
    return mm <= limits.stale_mm and deg <= limits.stale_deg


def planned_pose(couch_angle_deg: float) -> Pose:
    """Where the plan puts the patient at a couch angle: turned about the isocentre, from fixed axes at couch 0."""
    return Pose(ISOCENTRE, (0.0, 0.0, couch_angle_deg))


def setup_error(seen: Pose, couch_angle_deg: float) -> Pose:
    """E of a matched pose (r = R p + t, p at couch 0), as seen in the fixed frame at this couch angle."""
    return seen.after(planned_pose(couch_angle_deg).inverse())


def error_from_table_axes(offset: Pose, couch_angle_deg: float) -> Pose:
    """E in the fixed frame of an offset given along the axes of the turned table top."""
    turn = planned_pose(couch_angle_deg)
    return turn.after(offset).after(turn.inverse())
