"""Where the patient is in port images: each view shows two of three directions; together they give a shift, as far as they go."""

from collections.abc import Sequence

import numpy as np

from .fit import Fit
from .pose import Pose, pose_of
from .register_pair import Radiograph
from .register_single import Floats, SingleMatcher, SingleSearch
from .scatter import ScatterModel
from .volume import Volume

FAR = SingleSearch(half_mm=60.0, slow_mm=45.0, reach_mm=25.0)  # an open field shows more than a small panel about the target
NEAR = SingleSearch(half_mm=40.0, slow_mm=20.0, reach_mm=6.0)
NAME, NO_RIVAL = "ports", -1.0
SEEN = 0.1  # of singular values: a direction that all views look along is not seen, and stays as planned


class PortMatcher:
    """Made once per plan: `ct` in 1/mm as the MV beam sees it."""

    def __init__(self, ct: Volume, scatter: ScatterModel | None = None, searches: Sequence[SingleSearch] = (FAR, NEAR)) -> None:
        self._levels = tuple(SingleMatcher(ct, scatter, search) for search in searches)

    def __call__(self, shots: Sequence[Radiograph], start: Pose, target_mm: Floats) -> Fit:
        """`start`: where the patient ought to be. Translations only; one that no view shows is zero. Not converged: not found."""
        axes = np.array([axis / np.linalg.norm(axis) for shot in shots for axis in (shot.view.du_mm, shot.view.dv_mm)])
        pose, similarity, rest = start, -1.0, 0.0
        for matcher in self._levels:
            views = [matcher(shot, pose, target_mm) for shot in shots]
            similarity = min(found.similarity if found.good else -1.0 for found in views)
            if similarity < 0.0:
                return Fit(start, 3, NAME, similarity, 1.0, NO_RIVAL, len(self._levels), False)
            off = np.array([mm for found in views for mm in found.off_mm])
            shift = np.linalg.pinv(axes, rcond=SEEN) @ off
            pose, rest = pose_of(pose.matrix, pose.t + shift), float(np.sqrt(np.mean((axes @ shift - off) ** 2)))
        return Fit(pose, 3, NAME, similarity, 1.0, NO_RIVAL, len(self._levels), True, rest)
