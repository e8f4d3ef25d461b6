"""Virtual devices of a machine file, ready to be connected."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ..interface.wire.fields import AXIS_PER, UNITS, Unit
from .cyclic import sv
from .device import Device, Verbs
from .moves import AXES
from .rack import Rack
from .verbs import ARMING, COMMON

GENTLE = 0.25  # of the drive's acceleration: a device's own moves shall not overshoot
BEYOND = 1.0  # mm or deg past the end stops that may still be asked for: a reading at a stop is noisy


def limits_of(unit: Unit, drives: Any) -> list[tuple[int, int, int, int]]:
    """Low, high, speed and acceleration of every axis, whole um or mdeg. drives: DRIVE (n,)"""
    if not unit.axes:
        return []
    rows = zip(drives["low"] - BEYOND, drives["high"] + BEYOND, drives["v_max"], GENTLE * drives["a_max"])
    return [tuple(int(np.rint(value * AXIS_PER)) for value in row) for row in rows]  # type: ignore[misc]


def verbs_of(unit: Unit) -> Verbs:
    """What a device of this kind answers to."""
    return {**COMMON, "SV": sv, **(AXES if unit.axes else {}), **(ARMING if unit.radiates else {})}


def session_of(seed: int, name: str) -> Callable[[int], str]:
    """Another session number at every power-up, and the same ones in every run of this seed."""
    return lambda boot: hashlib.sha256(f"{seed}/{name}/session/{boot}".encode()).hexdigest()[:8].upper()


def new_device(name: str, rack: Rack, plant: Any, seed: int, say: Callable[[bytes], object], *, baud: int = 0) -> Device:
    """One unit of this plant."""
    unit = UNITS[name]
    drives = getattr(plant, name) if unit.axes else None
    return Device(unit, rack, limits_of(unit, drives), verbs_of(unit), serial=f"SIM-{name}-{seed}", session=session_of(seed, name),
                  say=say, baud=baud, silent=lambda: bool(plant.nodes["silent"][unit.node] > 0.5))
