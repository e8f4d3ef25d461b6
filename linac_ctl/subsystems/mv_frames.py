"""What the MV imager is asked for and what it answers. The picture is made by a beam; the imager itself has none."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .kv_frames import KvFrame, Six, Triple

Jaws = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class MvFrame:
    """One portal image as the imager delivers it; places from readbacks along u, v, w of the gantry angle, mm."""

    pixels: npt.NDArray[np.uint16]  # (rows, columns), row 0 at the lowest Y
    number: int  # counted since power-up
    time_s: float  # machine time at the end of the exposure
    gantry_deg: float
    source_angle_deg: float  # the gantry's own
    source_mm: Triple
    panel_mm: Triple
    couch: Six  # lateral longitudinal vertical mm, rotation pitch roll deg
    pitch_mm: float  # of a delivered pixel, at the panel
    air_counts: float  # in the open field without anything in it, for the MU that chamber 1 counted
    mode: str
    mu: float  # by chamber 1
    jaws_mm: Jaws  # X1 X2 Y1 Y2 as read; infinite where the machine has no such jaw
    collimator_deg: float


Frame = KvFrame | MvFrame


class Portal(Protocol):
    """The far end: a panel under the patient that collects what comes through."""

    def start(self, mode: str, binning: int) -> None:
        """Collect from now on; RefusedError when the panel cannot."""

    def stop(self, mu: float) -> MvFrame:
        """The image of all that came since `start`; `mu` by the controller's chamber. RefusedError when nothing came."""

    def discard(self) -> None:
        """Forget what was collected: the beam that was to make an image has failed."""
