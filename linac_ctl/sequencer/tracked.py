"""What was seen of the target in one radiograph that was taken while treating, or in one frame of fluoroscopy."""

from dataclasses import dataclass
from typing import Literal

from ..subsystems.kv_frames import KvFrame

Trigger = Literal["before", "mu", "angle", "time", "gate", "held", "fluoroscopy"]
Seen = Literal["inside", "outside", "not found"]


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """One view shows two of three directions: `off_mm` is along the panel's u and v, at the isocentre, seen less expected."""

    frame: KvFrame
    uid: str
    beam: int  # number of the beam in hand; -1 = none
    mu: float  # of it, chamber 1, at the exposure
    trigger: Trigger
    off_mm: tuple[float, float]  # NaN when the target was not found
    similarity: float
    seen: Seen  # against the protocol's limit
    couch_angle_deg: float  # of the plan
