"""The beam's states, as data: what a treatment field goes through. Docs and tests read this table."""

from enum import Enum
from typing import Any


class BeamState(Enum):
    """Of the beam as the sequencer sees it; the permit itself is the cycle's business."""

    OFF = "off"
    WARMING = "warming"
    WARM = "warm"
    ARMED = "armed"
    ON = "on"
    HELD = "held"
    INTERRUPTED = "interrupted"
    TERMINATED = "terminated"


S = BeamState
BEAM_TABLE: list[list[Any]] = [
    # trigger, from, to
    ["warm_up", [S.OFF, S.INTERRUPTED], S.WARMING],
    ["be_warm", S.WARMING, S.WARM],
    ["be_armed", S.WARM, S.ARMED],
    ["start", S.ARMED, S.ON],
    ["hold", S.ON, S.HELD],
    ["release", S.HELD, S.ON],
    ["complete", [S.ON, S.HELD], S.WARM],
    ["interrupt", [S.WARMING, S.WARM, S.ARMED, S.ON, S.HELD], S.INTERRUPTED],
    ["terminate", [S.WARMING, S.WARM, S.ARMED, S.ON, S.HELD, S.INTERRUPTED], S.TERMINATED],
    ["reselect", [S.TERMINATED, S.INTERRUPTED, S.WARM, S.ARMED], S.OFF],
]
