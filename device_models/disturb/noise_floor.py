"""How much a reading may differ by its own noise: what is no more than that is no effect of a fault.

The definition: a fault is effective from the first instant in which truth or a wire differs, by more than the noise, from the
same run without it. Two readings of one place have noise each, so their difference has 1.4 sigma: twelve sigma and one step of the
encoder come by chance once in 10^16 readings, and a run with a frozen leaf bank has 10^5 of them.
"""

from typing import Any

import numpy as np

from ..interface.image import AXIS_DEVICES, Image, Node

SIGMAS = 12.0
STAMPS = np.float64(1e12).view(np.int64)  # as a word of whole numbers
STAMPED = {"beam": ("said_cycle", "heard_cycle"), "nodes": ("said_cycle",)}
CLEARANCE_MM = 1.0  # worked out from second encoders: 0.003 deg of the gantry are 0.06 mm, and all axes have some


def floors(image: Image, plant: Any) -> tuple[Any, ...]:
    """Part of the image -> (n words,) f8: 0.0 where any difference is one."""
    found = []
    for name, part in zip(image._fields, image):
        floor = np.zeros(part.shape, part.dtype)
        if name in AXIS_DEVICES and len(drives := getattr(plant, name)):
            floor["readback"] = SIGMAS * drives["sigma"] + 1.0 / drives["per_lsb"]
            floor["readback_2"] = SIGMAS * drives["sigma_2"] + 1.0 / drives["per_lsb_2"]
        if name == "room":
            floor["clearance_mm"] = CLEARANCE_MM
        if name in STAMPED:
            for field in STAMPED[name]:
                floor[field] = STAMPS  # that a frame is old is no effect by itself: what it says, and what comes of it, is
        found.append(floor.reshape(-1).view(np.float64))
    return tuple(found)


def audible(noise: tuple[Any, ...], image: Image, own: frozenset[str]) -> tuple[Any, ...]:
    """The same for a fault that writes these words of the plant.

    An axis whose encoders both freeze, or whose readings are said again under a new stamp, trembles no more, which is more than
    noise: any difference is one.
    """
    if not any(path.endswith((".freeze_2", ".stale")) for path in own):
        return noise
    found = list(noise)
    for at, name in enumerate(image._fields):
        mute = muted(name, len(image[at]), own) if name in AXIS_DEVICES else []
        if mute:
            floor = found[at].copy().view(image[at].dtype)
            floor["readback"][mute] = floor["readback_2"][mute] = 0.0
            found[at] = floor.view(np.float64)
    return tuple(found)


def muted(device: str, axes: int, own: frozenset[str]) -> list[int]:
    """Axes of a device that tremble no more."""
    if f"plant.nodes[{int(Node[device.upper()])}].stale" in own:
        return list(range(axes))
    return [i for i in range(axes) if {f"plant.{device}[{i}].freeze", f"plant.{device}[{i}].freeze_2"} <= own]
