"""An approval is a token: of one patient, plan, match and couch position, by people who are still here. No token, no beam.

The scan cycle watches what can change between two looks (couch, age of the images); what is compared here is looked at before
every beam. Whatever ends an approval ends it for good: only a new one helps.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from device_models.interface.image import DT_S

from ..control.measure_patient import ENDED_BY_SKIN
from ..control.signals import FIRST_GUARD, Guard
from ..errors import RefusedError
from ..subsystems.linac import Linac
from ..subsystems.mv_frames import Frame

if TYPE_CHECKING:
    from ..imaging.couch import CouchPosition
    from ..imaging.match import Match
    from .protocol import ShiftConfig, SurfaceConfig
    from .session import Session, Suite

OF_IMAGES = (
    Guard.POSITION_APPROVED, Guard.APPROVAL_BIND, Guard.IMAGE_BIND, Guard.SHIFT_RANGE, Guard.REG_QUALITY, Guard.IMG_QUALITY,
)


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved which match, and where the couch must stand for it."""

    match: "Match"
    couch: "CouchPosition"
    people: tuple[str, ...]
    image_cycle: int
    cycle: int  # when it was given


def begin(linac: Linac, needed: bool, skin: "SurfaceConfig | None" = None) -> None:
    """At the start of a session: nothing is known of the position, or nothing has to be. `skin`: what the monitor may show."""
    job = linac.control.job
    job["token_needed"], job["surface_watched"] = float(needed), float(skin is not None)
    if skin is not None:
        job["surface_limit_mm"], job["surface_patience_s"], job["surface_out"] = skin.limit_mm, skin.patience_s, 0
        job["surface_excursion_mm"] = skin.excursion_mm
    for guard in OF_IMAGES:
        linac.guard(guard, not needed)
    revoke(linac)


def revoke(linac: Linac) -> None:
    """Nobody vouches for the position any more; where no approval is needed, nothing changes."""
    job = linac.control.job
    if job["token_needed"][0] != 0.0:
        linac.guard(Guard.POSITION_APPROVED, False)
        linac.guard(Guard.APPROVAL_BIND, False)
    job["token_cycle"], job["token_couch"], job["surface_reference_mm"] = -1, np.nan, np.nan


def watch(linac: Linac, frames: Sequence[Frame]) -> None:
    """From the latest frames on the cycle remembers how far the couch has been from where it stood for them."""
    job = linac.control.job
    job["image_couch"][0, :] = np.mean([frame.couch for frame in frames], axis=0)
    job["image_moved_mm"] = job["image_moved_deg"] = 0.0


def stood_still(linac: Linac, limits: "ShiftConfig") -> None:
    """RefusedError when the couch has been elsewhere since the images, though it may be back: nobody knows what lies on it now."""
    mm, deg = (float(linac.control.job[name][0]) for name in ("image_moved_mm", "image_moved_deg"))
    if not (mm <= limits.moved_mm and deg <= limits.moved_deg):
        raise RefusedError(f"approval: the couch has been {mm:.2f} mm, {deg:.2f} deg from where it stood for the images (limits "
                           f"{limits.moved_mm:g} mm, {limits.moved_deg:g} deg); image again")


def arm(linac: Linac, approval: Approval) -> None:
    """From the next cycle on couch, clock and skin are watched."""
    job = linac.control.job
    job["surface_reference_mm"][0, :] = linac.image.room["surface_mm"][0]
    job["token_couch"][0, :] = approval.couch.six
    job["token_cycle"] = approval.image_cycle
    linac.guard(Guard.POSITION_APPROVED, True)
    linac.guard(Guard.APPROVAL_BIND, True)


@contextmanager
def not_needed(linac: Linac) -> Iterator[None]:
    """While an imaging field is armed: it is given so that a position can be approved. However it ends, all is as before."""
    job, guards = linac.control.job, [FIRST_GUARD + int(guard) for guard in OF_IMAGES]
    before, answers = float(job["token_needed"][0]), linac.control.signals[guards].copy()
    job["token_needed"] = 0.0
    linac.control.signals[guards] = 1.0
    try:
        yield
    finally:
        job["token_needed"] = before
        linac.control.signals[guards] = answers


def objections(suite: "Suite", session: "Session", angle_deg: float) -> tuple[list[str], list[str]]:
    """(what is wrong with the binding of the approval, of the images), for a beam at this couch angle."""
    approval, plan = session.approval, suite.plan
    if approval is None or suite.imaging is None:
        return ["there is none"], ["there are none"]
    binding, limits = approval.match.binding, suite.imaging.protocol.shift
    staff, uids = [name for name, _ in suite.staff.people], session.images.uids if session.images else ()
    turned = abs(angle_deg - binding.couch_angle_deg)
    of_approval = [why for why, wrong in (
        ("another plan is loaded", binding.plan_uid != plan.sop_instance_uid),
        ("another patient is here", binding.patient_id != plan.patient_id),
        ("a newer match has been made", session.match is not approval.match),
        (f"{', '.join(approval.people)} are not all on duty any more", not set(approval.people) <= set(staff)),
        (f"the beam turns the couch by {turned:.1f} deg, image again after the turn", not turned <= limits.stale_deg),
    ) if wrong]
    of_images = [] if binding.image_uids == uids else ["newer images have been taken"]
    return of_approval, of_images


def foreign(suite: "Suite", session: "Session") -> list[str]:
    """What the match of a session belongs to, and is not here: patient, plan, reference CT, images."""
    match, plan, imaging = session.match, suite.plan, suite.imaging
    if match is None or imaging is None:
        return ["there is no match"]
    binding, planning = match.binding, imaging.planning
    uids = session.images.uids if session.images else ()
    return [why for why, wrong in (
        ("another plan is open than was loaded", session.plan is not plan),
        ("it was made for another plan", binding.plan_uid != plan.sop_instance_uid),
        ("it is of another patient", not binding.patient_id == plan.patient_id == planning.patient_id),
        ("it was made with another planning CT", binding.reference_uid != planning.series_uid),
        ("it was made from other images than the latest", binding.image_uids != uids),
    ) if wrong]


def check(suite: "Suite", session: "Session", angle_deg: float) -> None:
    """Before every beam: RefusedError says why nobody vouches for the position; the interlocks say so from then on."""
    if suite.imaging is None:
        return
    linac = suite.linac
    of_approval, of_images = objections(suite, session, angle_deg)
    linac.guard(Guard.APPROVAL_BIND, not of_approval)
    linac.guard(Guard.IMAGE_BIND, not of_images)
    if (taken := int(linac.control.job["token_cycle"][0])) < 0:
        limit_mm = float(linac.control.job["surface_excursion_mm"][0])
        of_approval.append(f"the skin moved by more than {limit_mm:g} mm since" if taken == ENDED_BY_SKIN else "none is in force")
    age_s = (linac.cycle - int(linac.control.job["token_cycle"][0])) * DT_S
    if not of_approval and not age_s <= (limit_s := suite.imaging.protocol.approval.age_s):
        of_images.append(f"they are {age_s:.0f} s old > {limit_s:g} s")
    if why := [*(f"approval: {text}" for text in of_approval), *(f"images: {text}" for text in of_images)]:
        linac.guard(Guard.POSITION_APPROVED, False)
        raise RefusedError(f"position not approved: {'; '.join(why)}; image, match and approve again")
