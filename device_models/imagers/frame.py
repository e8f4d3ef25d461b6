"""What crosses the wire: pixels, and what the controller gets told about them. And where the machine stood meanwhile."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from device_models.patient.couch import CouchPose

Counts = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Instant:
    """Where a machine stands at one time. One such value is the truth of the drives, another what their encoders say."""

    time_s: float
    gantry_deg: float
    couch: CouchPose
    # kV source vertical, detector vertical, detector lateral, longitudinal of both
    kv_arms_mm: tuple[float, float, float, float] = (1000.0, -500.0, 0.0, 0.0)
    mv_arm_mm: tuple[float, float, float] = (-500.0, 0.0, 0.0)  # detector vertical, lateral, longitudinal

    def __post_init__(self) -> None:
        numbers = (self.time_s, self.gantry_deg, *self.kv_arms_mm, *self.mv_arm_mm)
        if not np.isfinite(numbers).all():
            raise ValueError(f"imager: the machine's place {numbers} is not finite; an axis does not know where it is")


@dataclass(frozen=True, slots=True)
class Metadata:
    """As the controller gets it: readbacks and nominal figures, never the truth."""

    kind: str  # "kV" or "MV"
    number: int  # of the frame, counted by the imager since power-up
    time_s: float  # machine time at the middle of the exposure
    gantry_deg: float
    source_angle_deg: float  # gantry + 90 for kV
    source_mm: tuple[float, float, float]  # along u, v, w of the source angle, from the arms' readbacks
    panel_mm: tuple[float, float, float]  # centre of the panel, the same
    couch: CouchPose  # readbacks
    columns: int
    rows: int
    pitch_mm: float  # of a delivered pixel, at the panel
    binning: int
    range_name: str
    air_counts: float  # expected counts without anything in the beam: line integral = -log(pixels / air_counts)
    kv: float = 0.0
    mas: float = 0.0
    ms: float = 0.0
    mode: str = ""  # beam mode of an MV image
    mu: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One image. pixels[row, column], row 0 at the lowest Y (an RT Image begins with the highest), column 0 at the lowest u."""

    pixels: Counts  # (rows, columns), offset, gain and known bad pixels corrected by the panel
    metadata: Metadata

    def integrals(self) -> npt.NDArray[np.float32]:
        """(rows, columns) float32 line integrals, scatter and all; 0 counts give what half a count would."""
        counts = np.maximum(self.pixels.astype(np.float32), np.float32(0.5))
        found: npt.NDArray[np.float32] = np.log(np.float32(self.metadata.air_counts) / counts)
        return found
