"""What `IM` tells of a frame: one record, the same whole numbers on both sides, and for frames that never cross a line."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .fields import AXIS_PER, Value
from .values import hear_values, say_values

FRAME = np.dtype([
    ("number", "i8"),  # counted by the imager since power-up
    ("time_s", "f8"),  # machine time of the exposure
    ("gantry_deg", "f8"), ("source_mm", "f8", (3,)), ("panel_mm", "f8", (3,)),  # readbacks; along u, v, w of the source angle
    ("couch", "f8", (6,)),  # lateral longitudinal vertical mm, rotation pitch roll deg
    ("pitch_mm", "f8"),  # of a delivered pixel
    ("air_counts", "f8"),  # without anything in the beam; of an MV frame: for 1 MU
    ("kv", "f8"), ("mas", "f8"), ("rows", "i8"), ("columns", "i8"),
])
COUCH = (("lateral", "um"), ("longitudinal", "um"), ("vertical", "um"), ("rotation", "mdeg"), ("pitch", "mdeg"), ("roll", "mdeg"))
TELLS = (
    Value("n", "number", 1, "number"), Value("t", "ms", 1000, "time_s"), Value("gantry", "mdeg", AXIS_PER, "gantry_deg"),
    *(Value(f"source_{axis}", "um", AXIS_PER, "source_mm", i) for i, axis in enumerate("uvw")),
    *(Value(f"panel_{axis}", "um", AXIS_PER, "panel_mm", i) for i, axis in enumerate("uvw")),
    *(Value(f"couch_{axis}", unit, AXIS_PER, "couch", i) for i, (axis, unit) in enumerate(COUCH)),
    Value("pitch", "nm", 1_000_000, "pitch_mm"), Value("air", "count", 1, "air_counts"), Value("volt", "V", 1000, "kv"),
    Value("charge", "nAs", 1_000_000, "mas"), Value("rows", "count"), Value("columns", "count"),
)
LARGEST_SIDE = 8192  # pixels


def frame_record(**fields: Any) -> Any:
    """FRAME (1,)."""
    record = np.zeros(1, FRAME)
    for name, value in fields.items():
        record[name] = value
    return record


def say_frame(record: Any) -> str:
    """Arguments of the answer to `IM`."""
    return say_values(TELLS, record)


def hear_frame(args: Sequence[str]) -> Any:
    """-> FRAME (1,), or None if this is no metadata of a frame that could be."""
    record = np.zeros(1, FRAME)
    if not hear_values(TELLS, args, record):
        return None
    sides = int(record["rows"][0]), int(record["columns"][0])
    sane = all(0 < side <= LARGEST_SIDE for side in sides) and record["pitch_mm"][0] > 0.0 and record["air_counts"][0] > 0.0
    return record if sane and int(record["number"][0]) >= 0 else None
