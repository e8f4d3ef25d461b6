"""Radiographs of the patient on those of the plan, as it ought to be and as the match says; fixed filter and window."""

import numpy as np
from numpy.typing import NDArray

from linac_ctl.imaging.drr import drr
from linac_ctl.imaging.geometry import View
from linac_ctl.imaging.pictures import Grey, beside, checkerboard, enlarged, red_cyan, titled, windowed
from linac_ctl.imaging.pose import Pose
from linac_ctl.imaging.register_single import magnified
from linac_ctl.imaging.smooth import without_slow_parts
from linac_ctl.imaging.volume import Volume

Image = NDArray[np.float32]
SLOW_MM, WINDOW = 30.0, (-2.5, 3.5)  # half width of what is filtered out at the panel; in standard deviations
HALF_MM = 85.0  # shown around the isocentre, in its plane
SIDE, FIELD = 384, 24  # pixels of the longer side, of a field of the checkerboard


def pair_overlays(ct: Volume, seen: list[Image], views: list[View], names: list[str], planned: Pose,
                  found: Pose) -> tuple[Grey, Grey]:
    """(before, after): upper row plan red and patient cyan, lower row in turn. `ct` 1/mm, `seen` (columns, rows) line integrals."""
    patient = [bones(image, view) for image, view in zip(seen, views)]
    sheets = []
    for pose in (planned, found):
        rows: list[list[Grey]] = [[], []]
        for name, image, view in zip(names, patient, views):
            plan = bones(drr(ct, view, pose), view)
            rows[0].append(titled(red_cyan(plan, image), f"{name}: plan red, patient cyan"))
            rows[1].append(titled(checkerboard(plan, image, FIELD), f"{name}: plan and patient in turn"))
        sheets.append(np.concatenate([beside(row) for row in rows]))
    return sheets[0], sheets[1]


def bones(image: Image, view: View) -> Grey:
    """A picture, +Y up, of what changes quickly around the isocentre: bones and their edges."""
    middle = view.project(np.zeros(3))
    half = HALF_MM * magnified(view, np.zeros(3)) / view.pitch_mm
    low, high = (np.clip(np.round(middle + side * half).astype(int), 0, image.shape) for side in (-1, 1))
    part = image[low[0] : high[0], low[1] : high[1]]
    quick = without_slow_parts(np.ascontiguousarray(part[None], np.float32), max(1, round(SLOW_MM / view.pitch_mm)))[0]
    spread = float(np.std(quick)) or 1.0
    grey = windowed((quick / spread).T[::-1], WINDOW)
    return enlarged(grey, max(1, SIDE // max(grey.shape)))
