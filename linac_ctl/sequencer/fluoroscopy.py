"""Step: a few seconds of kV frames from one side, and how far the target moves in them."""

from dataclasses import dataclass, replace

import numpy as np

from ..errors import RefusedError
from ..plan.make.uids import uid
from ..subsystems.kv_frames import KvFrame
from . import approval
from .acquire import desk, planned_angle_deg
from .held import holding
from .images import Imaging
from .matching import locate
from .protocol import FluoroscopyConfig
from .session import Session, Suite
from .tracked import Tracked


@dataclass(frozen=True, slots=True)
class Fluoroscopy:
    """Shows the range of motion; a target that moves more than the protocol treats ends here. Any approval so far ends too."""

    similarity: float = 0.5  # lowest correlation at which the target counts as found

    async def run(self, suite: Suite, session: Session) -> Session:
        """-> session without match and approval: what was seen is newer."""
        linac, imaging = suite.linac, desk(suite)
        if (rules := imaging.protocol.fluoroscopy) is None:
            raise RefusedError(f"protocol {imaging.protocol.name}: no fluoroscopy; add `fluoroscopy` to it, or remove the step")
        approval.revoke(linac)
        await imaging.kv.to_imaging_position()
        async with holding(suite, "exposure", "fluoroscopy"):
            technique = imaging.technique_at(rules.binning)
            frames = await imaging.kv.fluoroscopy(rules.gantry_deg, rules.seconds, rules.every_s, technique)
        way = self._way(suite, session, imaging, rules, frames)
        linac.log("kv_imager", f"fluoroscopy: {len(frames)} frames", why=f"gantry {rules.gantry_deg:g} deg, {rules.seconds:g} s",
                  new=f"target moves by {way[0]:.2f}, {way[1]:.2f} mm across and along the panel")
        if not max(way) <= rules.most_mm:
            raise RefusedError(f"fluoroscopy: the target moves by {max(way):.1f} mm, limit {rules.most_mm:g} mm; treat gated, "
                               f"or call the physicist")
        return replace(session, match=None, decision=None, approval=None)

    def _way(self, suite: Suite, session: Session, imaging: Imaging, rules: FluoroscopyConfig,
             frames: tuple[KvFrame, ...]) -> tuple[float, float]:
        """Largest less smallest offset, mm along u and v; RefusedError when the target is in fewer than half of the frames."""
        angle, count = planned_angle_deg(session), len(imaging.tracked)
        offs = []
        for k, frame in enumerate(frames):
            found = locate(imaging, frame, angle, self.similarity)
            name = uid("fluoroscopy", str(suite.session_number), str(count + k))
            imaging.tracked.append(Tracked(frame, name, -1, 0.0, "fluoroscopy", found.off_mm, found.similarity,
                                           "inside" if found.good else "not found", angle))
            offs += [found.off_mm] if found.good else []
        if 2 * len(offs) < len(frames):
            raise RefusedError(f"fluoroscopy: the target was found in {len(offs)} of {len(frames)} frames; look at tube and panel")
        low, high = np.min(offs, axis=0), np.max(offs, axis=0)
        return float(high[0] - low[0]), float(high[1] - low[1])

