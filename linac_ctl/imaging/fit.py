"""What a matcher returns, how good it is, and when it is refused. Every matcher, ours or not, gives a `Fit`."""

from dataclasses import dataclass, field
from typing import Protocol

from .pose import Pose, turn_deg
from .volume import Volume

TRANSLATIONS = (0, 1, 2)
ALL_SIX = (0, 1, 2, 3, 4, 5)
FREE = {3: TRANSLATIONS, 4: (0, 1, 2, 5), 6: ALL_SIX}  # degrees of freedom -> which of x y z, turns about X Y Z


@dataclass(frozen=True, slots=True)
class Fit:
    """Where the patient is: a point planned at p (fixed frame, mm) is at r = R p + t."""

    pose: Pose
    dof: int  # 3: x y z; 4: and the turn about Z; 6
    method: str
    similarity: float  # -1 .. 1: correlation at the pose; of a pair, that of the worse view
    inside: float  # 0 .. 1: share of the compared points that both images show
    rival: float  # -1 .. 1: similarity of the best other place that the search ended in; -1: none was found
    iterations: int
    converged: bool
    residual: float = 0.0  # root mean square of what the pose does not explain: 1/mm (volumes), line integral (pairs), mm (markers)
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """When a fit counts. Protocol data may override every number."""

    similarity: float = 0.80
    inside: float = 0.70
    lead: float = 0.02  # ahead of the best rival
    reach_mm: float = 25.0  # capture range: beyond it the neighbouring vertebra wins
    reach_deg: float = 6.0


class VolumeMatcher(Protocol):
    """Anything that finds the patient in a CBCT."""

    def __call__(self, image: Volume, start: Pose = ...) -> Fit:
        """The pose of the patient in `image`, attenuation in 1/mm."""
        ...


USUAL = QualityLimits()


def complaints(fit: Fit, limits: QualityLimits = USUAL) -> tuple[str, ...]:
    """Why a fit must not be used; empty: it may."""
    turn = turn_deg(fit.pose.matrix)
    checks = (
        (fit.converged, f"the search had not come to rest after {fit.iterations} iterations"),
        (fit.similarity >= limits.similarity, f"similarity {fit.similarity:.3f} < {limits.similarity:g}"),
        (fit.inside >= limits.inside, f"{fit.inside:.0%} of the clip box is in both images < {limits.inside:.0%}"),
        (
            fit.similarity - fit.rival >= limits.lead,
            f"another place fits as well: similarity {fit.rival:.3f} against {fit.similarity:.3f} (lead < {limits.lead:g})",
        ),
        (fit.pose.shift_mm <= limits.reach_mm, f"shift {fit.pose.shift_mm:.1f} mm > capture range {limits.reach_mm:g} mm"),
        (turn <= limits.reach_deg, f"turn {turn:.1f} deg > capture range {limits.reach_deg:g} deg"),
    )
    return tuple(text for good, text in checks if not good)
