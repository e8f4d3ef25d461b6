"""A match: six numbers, what they were measured on, and when. Nothing moves without one, and it belongs to one place in time."""

from dataclasses import dataclass, replace

from linac_ctl.errors import RefusedError

from .couch import CouchPosition
from .couch_shift import setup_error
from .fit import USUAL, Fit, QualityLimits, complaints
from .pose import Pose, Six, of_six, rounded, six


@dataclass(frozen=True, slots=True)
class Binding:
    """What a match belongs to; an approval of it dies when any of these changes."""

    patient_id: str
    plan_uid: str
    image_uids: tuple[str, ...]  # the CBCT series, or the radiographs
    reference_uid: str  # planning CT series
    frame_of_reference_uid: str
    couch: CouchPosition  # while the images were taken
    couch_angle_deg: float  # the plan's, for which the patient was compared
    acquired_s: float  # machine time of the last frame


@dataclass(frozen=True, slots=True)
class Match:
    """`error`: a point planned at p is at r = R p + t (IEC 61217 fixed frame, mm from the isocentre, R = Rz Ry Rx about the
    isocentre): x y z mm, turns about X Y Z in deg, on the grid of 1 um and 0.001 deg."""

    binding: Binding
    error: Six
    dof: int
    method: str
    similarity: float
    rival: float
    residual: float
    complaints: tuple[str, ...]  # empty: may be approved

    @property
    def pose(self) -> Pose:
        """`error` as a pose."""
        return of_six(self.error)

    @property
    def good(self) -> bool:
        """No complaint."""
        return not self.complaints


def match_of(fit: Fit, binding: Binding, limits: QualityLimits = USUAL) -> Match:
    """The record of a fit. A poor one is kept, with its complaints: people want to see why, and `approvable` refuses it."""
    error = rounded(setup_error(fit.pose, binding.couch_angle_deg))
    wrong = complaints(replace(fit, pose=error), limits)  # reach counts from the planned place at this couch angle
    return Match(
        binding, six(error), fit.dof, fit.method, round(fit.similarity, 4), round(fit.rival, 4), round(fit.residual, 6), wrong
    )


def approvable(match: Match) -> Match:
    """The match, or RefusedError with all that is wrong with it."""
    if match.complaints:
        raise RefusedError(
            f"match ({match.method}, {match.dof} DoF) refused: {'; '.join(match.complaints)}; "
            "check clip box and set-up, then image again"
        )
    return match
