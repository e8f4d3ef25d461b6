"""Everything that disturbs a run, as arrays for the cycle."""

from typing import Any, NamedTuple

import numpy as np

from ..interface.image import records
from .moment import new_moments
from .ramp import new_ramps
from .wire import new_wires

STATE = np.dtype([
    ("alive", "i8"),  # 1 = the controller's process runs; 0 = it is frozen or dead, the machine goes on
    ("acts", "i8"),  # 1 = a wire is read differently for the first time in this cycle
    ("skip_row", "i8"),  # interlock row that is not evaluated; -1 = none
])


class Disturbance(NamedTuple):
    """Tables of faults; an empty one disturbs nothing."""

    state: Any  # STATE (1,)
    out: Any  # WIRE (n,): from the controller to the machine
    back: Any  # WIRE (n,): from the machine to the controller
    rings: Any  # (n,) f8: the past of disturbed wires
    ramps: Any  # RAMP (n,)
    moments: Any  # MOMENT (n,)


def new_disturbance(out: int = 0, back: int = 0, rings: int = 0, ramps: int = 0, moments: int = 0) -> Disturbance:
    """Nothing happens yet."""
    return Disturbance(records(1, STATE, alive=1, skip_row=-1), new_wires(out), new_wires(back), np.zeros(max(rings, 1)),
                       new_ramps(ramps), new_moments(moments))
