"""What the kV imager is asked for and what it answers: exposures out, pixels and metadata in. Plain values of the wire."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Triple = tuple[float, float, float]
Six = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Technique:
    """One exposure: tube and panel."""

    kv: float
    ma: float
    ms: float
    binning: int


@dataclass(frozen=True, slots=True, eq=False)
class KvFrame:
    """One radiograph as the imager delivers it; places from readbacks along u, v, w of the source angle, mm."""

    pixels: npt.NDArray[np.uint16]  # (rows, columns), row 0 at the lowest Y
    number: int  # counted since power-up
    time_s: float  # machine time
    gantry_deg: float
    source_angle_deg: float
    source_mm: Triple
    panel_mm: Triple
    couch: Six  # lateral longitudinal vertical mm, rotation pitch roll deg
    pitch_mm: float  # of a delivered pixel, at the panel
    air_counts: float  # without anything in the beam
    kv: float
    mas: float


class Exposures(Protocol):
    """The far end: a tube with its generator, and a panel."""

    def expose(self, technique: Technique) -> None:
        """One exposure now; RefusedError when the generator says no."""

    def read(self) -> tuple[KvFrame, ...]:
        """All frames since the last look, in order of time."""

    def discard(self) -> None:
        """Forget exposures that were not read: the run that asked for them has failed."""
