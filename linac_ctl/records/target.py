"""Where the target really was, as a file: the truth of a simulated patient, which no controller reads.

`target.csv`, one line per sample: two seconds apart, half a second while dose leaves the machine. `target.json`: its outline.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linac_ctl.errors import RecordError
from linac_ctl.imaging.pose import Pose, rotation

from .jsonio import read_json, replace_file, write_json

SAMPLES, OUTLINE = "target.csv", "target.json"
COLUMNS = (
    "t_s", "beam", "beam_on", "true_mu", "x_mm", "y_mm", "z_mm", "turn_x_deg", "turn_y_deg", "turn_z_deg", "couch_lateral_mm",
    "couch_longitudinal_mm", "couch_vertical_mm", "couch_rotation_deg", "couch_pitch_deg", "couch_roll_deg",
)
WHAT = "planar contours, mm from the isocentre in the patient's axes (X left, Y to the head, Z anterior)"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class TargetOutline:
    """As planned. `lying` (3, 3): patient's axes -> fixed frame at couch 0."""

    name: str
    centre_mm: Floats  # (3,)
    contours_mm: tuple[Floats, ...]  # each (n, 3)
    lying: Floats


@dataclass(frozen=True, slots=True, eq=False)
class TargetTruth:
    """Samples (n, 16), columns as `COLUMNS`; a beam of -1 is none."""

    samples: Floats
    outline: TargetOutline

    def __getitem__(self, column: str) -> Floats:
        """(n,) by name."""
        out: Floats = self.samples[:, COLUMNS.index(column)]
        return out

    @property
    def off_mm(self) -> Floats:
        """(n, 3) mm: the target's centre from its planned place, patient's axes."""
        return self.samples[:, 4:7]

    @property
    def length_mm(self) -> Floats:
        """(n,) of it."""
        out: Floats = np.linalg.norm(self.off_mm, axis=1)
        return out

    @property
    def on(self) -> NDArray[np.bool_]:
        """(n,) dose leaves the machine."""
        return np.asarray(self["beam_on"] > 0.0)

    def error(self, k: int) -> Pose:
        """Of the whole patient in sample k, patient's axes, about the isocentre."""
        turns = [float(v) for v in self.samples[k, 7:10]]
        c = self.outline.centre_mm
        t = c + self.off_mm[k] - rotation(*turns) @ c
        return Pose((float(t[0]), float(t[1]), float(t[2])), (turns[0], turns[1], turns[2]))


def write_target(folder: Path, samples: Floats, outline: TargetOutline) -> dict[str, str]:
    """What -> path in the run folder."""
    lines = [",".join(COLUMNS), *(line(row) for row in samples.tolist())]
    replace_file(folder / SAMPLES, ("\n".join(lines) + "\n").encode())
    contours = [np.round(c, 3).tolist() for c in outline.contours_mm]
    write_json(folder / OUTLINE, {"name": outline.name, "what": WHAT, "centre_mm": np.round(outline.centre_mm, 4),
                                  "patient_to_fixed": outline.lying, "contours_mm": contours})
    return {"target_truth": SAMPLES, "target_outline": OUTLINE}


def line(row: list[float]) -> str:
    """To 0.1 um and 0.0001 deg."""
    return f"{row[0]:.2f},{row[1]:.0f},{row[2]:.0f},{row[3]:.4f}," + ",".join(f"{v + 0.0:.4f}" for v in row[4:])


def read_target(folder: Path) -> TargetTruth | None:
    """None for a run without a patient; RecordError for a damaged file."""
    if not (folder / SAMPLES).exists() or not (folder / OUTLINE).exists():
        return None
    return TargetTruth(_samples(folder / SAMPLES), _outline(folder / OUTLINE))


def _samples(path: Path) -> Floats:
    try:
        head, *rest = path.read_text(encoding="utf-8").split()
        samples = np.array([text.split(",") for text in rest], float).reshape(len(rest), len(COLUMNS))
    except (OSError, ValueError) as e:
        raise RecordError(f"{path}: cannot be read: {e}") from None
    if tuple(head.split(",")) != COLUMNS:
        raise RecordError(f"{path}: columns {head}; this program reads {','.join(COLUMNS)}")
    return samples


def _outline(path: Path) -> TargetOutline:
    data: Any = read_json(path)
    try:
        contours = tuple(np.array(c, float).reshape(-1, 3) for c in data["contours_mm"])
        return TargetOutline(str(data["name"]), np.array(data["centre_mm"], float), contours,
                             np.array(data["patient_to_fixed"], float).reshape(3, 3))
    except (KeyError, TypeError, ValueError) as e:
        raise RecordError(f"{path}: damaged: {e}") from None
