"""What an imager tells of a frame, as the record that its wire carries."""

from typing import Any

from ..interface.wire.frames import frame_record
from .frame import Frame


def told_record(frame: Frame) -> Any:
    """FRAME (1,); air counts of an MV frame are those of 1 MU: how many there were is for the machine to count."""
    seen = frame.metadata
    return frame_record(number=seen.number, time_s=seen.time_s, gantry_deg=seen.gantry_deg, source_mm=seen.source_mm,
                        panel_mm=seen.panel_mm, couch=seen.couch.six, pitch_mm=seen.pitch_mm,
                        air_counts=seen.air_counts / (seen.mu if seen.kind == "MV" else 1.0), kv=seen.kv, mas=seen.mas,
                        rows=seen.rows, columns=seen.columns)
