"""Between IEC 61217 (mm, deg) and the native scale of the trajectory log (cm, deg). Used nowhere else.

Gantry, collimator and couch rotation run the other way from 180; both jaws and both leaf banks are positive when open;
couch vertical 100 is the isocentre and grows downwards, lateral 100 is the middle.
"""

from typing import Any

from .trajectory_log import Axis

# axis: (offset in cm or deg, factor from mm or deg); native = offset + factor * IEC
NATIVE: dict[Axis, tuple[float, float]] = {
    Axis.COLLIMATOR: (180.0, -1.0),
    Axis.GANTRY: (180.0, -1.0),  # not reduced to 0..360: logs of overtravel run from -4.5 to 364.5
    Axis.Y1: (0.0, -0.1),
    Axis.Y2: (0.0, 0.1),
    Axis.X1: (0.0, -0.1),
    Axis.X2: (0.0, 0.1),
    Axis.COUCH_VRT: (100.0, -0.1),
    Axis.COUCH_LNG: (0.0, 0.1),
    Axis.COUCH_LAT: (100.0, 0.1),
    Axis.COUCH_RTN: (180.0, -1.0),
    Axis.COUCH_PITCH: (0.0, 1.0),
    Axis.COUCH_ROLL: (0.0, 1.0),
}
BANK_A, BANK_B = 0.1, -0.1  # leaves and carriages, cm from mm


def to_native(axis: Axis, iec: Any) -> Any:
    """mm or deg -> cm or deg; arrays welcome."""
    offset, factor = NATIVE[axis]
    return offset + factor * iec


def from_native(axis: Axis, native: Any) -> Any:
    """cm or deg -> mm or deg."""
    offset, factor = NATIVE[axis]
    return (native - offset) / factor
