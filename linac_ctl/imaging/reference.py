"""The matched reference: the planning CT seen by this scanner, through the same frames, scatter and reconstruction.

Registered to the raw CT, a CBCT is off by 0.3 mm because the two blur edges differently; registered to this, by 0.05 mm.
What we do not know of scatter are unknowns of the match: without them a width wrong by a third costs 1 mm.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .fdk import QUICK, Reconstruction, reconstruct
from .geometry import Frames
from .project_scan import project_scan
from .scatter import ScatterModel, with_scatter
from .volume import Volume, checked, halved, step_mm


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What a scan of this protocol is compared with, made once per plan and protocol."""

    volume: Volume  # attenuation as this scanner shows it, 1/mm
    modes: tuple[Volume, ...] = ()  # how it changes when scatter is not what we think: wider, stronger


WIDER, STRONGER = 1.5, 1.3


def matched_reference(
    ct: Volume, frames: Frames, how: Reconstruction = QUICK, scatter: ScatterModel | None = None,
    onto: Volume | None = None,
) -> Reference:
    """ct: attenuation in 1/mm on cubes, about the planned isocentre in the fixed frame; frames: the protocol's nominal ones."""
    frames = frames.binned(how.binning)
    seen = project_scan(_as_coarse_as_pixels(checked(ct, "planning CT"), frames), frames)
    unbinned = replace(how, binning=1)
    volume = reconstruct(with_scatter(seen, frames.panel, scatter), frames, unbinned, onto)
    if scatter is None or not scatter.primary_ratio:
        return Reference(volume)  # a mode that is nothing would leave the match without a solution
    others = (
        ScatterModel(scatter.primary_ratio, scatter.width_mm * WIDER),
        ScatterModel(scatter.primary_ratio * STRONGER, scatter.width_mm),
    )
    changed = [reconstruct(with_scatter(seen, frames.panel, other), frames, unbinned, onto) for other in others]
    return Reference(volume, tuple(volume.with_data(v.data - volume.data) for v in changed))


def _as_coarse_as_pixels(ct: Volume, frames: Frames) -> Volume:
    """Halved while its voxels stay within a pixel at the isocentre: finer ones would alias between the rays."""
    at_isocentre = frames.panel.pitch_u_mm * _demagnified(frames.source_mm, frames.panel_mm)
    while 2 * step_mm(ct) <= 1.05 * at_isocentre:
        ct = halved(ct)
    return ct


def _demagnified(source: NDArray[np.float64], panel: NDArray[np.float64]) -> float:
    return float(np.median(source[:, 2] / (source[:, 2] - panel[:, 2])))
