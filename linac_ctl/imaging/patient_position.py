"""How the patient lies: from DICOM patient axes and from frame P to the fixed frame at couch 0.

Frame P (mm from the planned isocentre): X to the patient's left, Y superior, Z anterior. DICOM: x left, y posterior, z
superior. Only for head first supine are P and the fixed frame the same.
"""

import numpy as np
from numpy.typing import NDArray

from device_models.interface.volume import Volume
from linac_ctl.errors import RefusedError

Floats = NDArray[np.float64]
P_FROM_DICOM = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
TO_FIXED = {  # signs along X Y Z: half turns
    "HFS": (1, 1, 1),
    "FFS": (-1, -1, 1),
    "HFP": (-1, 1, -1),
    "FFP": (1, -1, -1),
}


def signs(position: str) -> tuple[int, int, int]:
    """Fixed axis = sign x axis of frame P; RefusedError for lying on the side, which this machine does not plan for."""
    if position not in TO_FIXED:
        raise RefusedError(f"patient position {position or 'unknown'}: known are {', '.join(TO_FIXED)}; check the planning CT")
    return TO_FIXED[position]


def fixed_from_dicom(position: str) -> Floats:
    """(3, 3): fixed - isocentre = M (DICOM point - DICOM isocentre)."""
    out: Floats = np.diag(np.array(signs(position), float)) @ P_FROM_DICOM
    return out


def in_fixed_frame(volume: Volume, position: str) -> Volume:
    """A volume of frame P as it lies in the fixed frame at couch 0: axes are mirrored in pairs, no voxel is resampled."""
    flip = signs(position)
    data = volume.data[:: flip[0], :: flip[2], :: flip[1]]
    ends = zip(flip, volume.origin_mm, volume.last_mm)
    x, y, z = (first if sign > 0 else -last for sign, first, last in ends)
    return Volume(np.ascontiguousarray(data), (x, y, z), volume.spacing_mm)
