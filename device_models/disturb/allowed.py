"""How far off the machine may be: a fault that grows is due from where it is beyond this, not from where it shows at all.

Figures of the catalogue's reference machine, with beam: gantry 0.5 deg at rest and 1.0 deg in an arc, collimator 0.5 deg, jaws
1 mm, leaves 2 mm, couch 1.0 mm and 0.5 deg. Of a sensor against truth: gantry 0.5 deg, leaves 1 mm, couch 2 mm. Counters of dose:
1 MU or 5 %. What has no figure here may not be different at all.
"""

from typing import Any

import numpy as np

from ..interface.image import AXIS_DEVICES, Couch, Image
from .noise_floor import STAMPED

ANYTHING = np.inf  # judged by something else
TURNING_DEG_PER_S = 0.1  # a gantry that is under way may be twice as far off
SMALLEST_MU, SHARE = 1.0, 0.05
CLEARANCE_MM = 10.0  # half of what automatic motion keeps; 0.6 deg of the gantry
PLACES = {"gantry": 0.5, "collimator": 0.5, "jaws": 1.0, "mlc": 2.0, "carriages": 2.0, "couch": 1.0, "kv_arms": 2.0, "mv_arm": 2.0}
READINGS = PLACES | {"mlc": 1.0, "couch": 2.0}
COUCH_DEG = 0.5
COUNTERS = (("beam", "mu_1"), ("beam", "mu_2"), ("safety", "mu_backup"))


def of_device(figures: dict[str, float], name: str, n: int) -> Any:
    """(n,) f8, mm or deg."""
    found = np.full(n, figures[name])
    if name == "couch":
        found[int(Couch.ROTATION):] = COUCH_DEG
    return found


def of_devices(figures: dict[str, float], image: Image) -> tuple[Any, ...]:
    """In the order of AXIS_DEVICES."""
    return tuple(of_device(figures, name, len(getattr(image, name))) for name in AXIS_DEVICES)


def bounds(image: Image) -> tuple[Any, ...]:
    """Part of the image -> (n words,) f8: what a wire may be off; 0.0 = nothing, below zero = a share, but a MU at least."""
    found = []
    for name, part in zip(image._fields, image):
        bound = np.zeros(part.shape, part.dtype)
        if name in AXIS_DEVICES:
            bound["readback"] = bound["readback_2"] = of_device(READINGS, name, len(part))
            bound["setpoint"] = ANYTHING  # it is the place that comes of it that counts
        for field in [field for device, field in COUNTERS if device == name]:
            bound[field] = -SHARE
        if name == "room":
            bound["clearance_mm"] = CLEARANCE_MM
        if name in STAMPED:
            for field in STAMPED[name]:
                bound[field] = np.float64(ANYTHING).view(np.int64)  # as a word of whole numbers
        found.append(bound.reshape(-1).view(np.float64))
    return tuple(found)
