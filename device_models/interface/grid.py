"""The grid of all numbers that a device could say over a wire: whole um, millidegrees, ms, and so on (interface.wire.fields).

rint(x per) / per is the double nearest to the decimal, whichever way the integer came: in process, or as digits over a port.
`+ 0.0` makes -0.0 a plain zero, the only one that a wire knows.
"""

import numpy as np

from .compiled import inlined

PER = 1000.0  # most of them: um per mm, millidegrees per degree, 0.001 MU, ms
MICRO = 1_000_000.0


@inlined
def on_grid(x):
    """x in thousandths; NaN stays NaN."""
    return np.rint(x * PER) / PER + 0.0


@inlined
def on_micro(x):
    """x in millionths; NaN stays NaN."""
    return np.rint(x * MICRO) / MICRO + 0.0
