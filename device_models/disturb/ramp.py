"""Parameters that go somewhere by and by."""

from typing import Any

import numpy as np

from ..interface.compiled import compiled
from ..interface.image import records

RAMP = np.dtype([("part", "i8"), ("word", "i8"), ("step", "f8"), ("left", "i8"), ("target", "f8")])


@compiled
def go_on(ramps, floats):
    """One cycle of every ramp."""
    for i in range(ramps.size):
        r = ramps[i]
        if r.left > 0:
            r.left -= 1
            floats[r.part][r.word] = r.target if r.left == 0 else floats[r.part][r.word] + r.step


def new_ramps(n: int) -> Any:
    """RAMP (n,), all done."""
    return records(n, RAMP)
