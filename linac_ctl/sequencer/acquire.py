"""Step: a cone-beam CT of the patient, from the console, with the exposure switch held."""

import asyncio
from dataclasses import dataclass, replace

from ..control.signals import Guard
from ..errors import RefusedError
from ..plan.make.uids import uid
from . import approval
from .images import Imaging
from .session import Session, Suite


@dataclass(frozen=True, slots=True)
class AcquireCbct:
    """Arms out, gantry round, volume ready for the match. Any approval so far ends here: the images are newer."""

    takes_s: float = 10.0  # from the last frame to a volume on the screen

    async def run(self, suite: Suite, session: Session) -> Session:
        """-> session with the images and without match and approval."""
        linac, imaging = suite.linac, desk(suite)
        approval.revoke(linac)
        linac.guard(Guard.IMG_QUALITY, False)
        linac.guard(Guard.IMAGE_BIND, False)
        await imaging.kv.to_imaging_position()
        scan = imaging.scan
        await suite.staff.act("hold_exposure", why="CBCT")
        try:
            frames = await imaging.kv.cbct(scan.start_deg, scan.stop_deg, scan.frames, imaging.technique)
        finally:
            await suite.staff.act("release_exposure")
        await asyncio.sleep(self.takes_s)
        name = uid("cbct", str(suite.session_number), str(len(imaging.images)))
        images = imaging.taken("cbct", frames, (name,), planned_angle_deg(session), round(frames[-1].time_s * 100))
        linac.guard(Guard.IMG_QUALITY, True)
        linac.guard(Guard.IMAGE_BIND, True)
        turn = f"{frames[0].gantry_deg:.1f} to {frames[-1].gantry_deg:.1f} deg"
        linac.log("kv_imager", f"CBCT {len(imaging.images)}: {len(frames)} frames", why=turn, new=name)
        return replace(session, images=images, match=None, decision=None, approval=None)


def desk(suite: Suite) -> Imaging:
    """The imaging of this session; RefusedError when there is none."""
    if suite.imaging is None:
        raise RefusedError("imaging: this session has no imager, patient and protocol; name `patient` and `protocol` in its file")
    return suite.imaging


def planned_angle_deg(session: Session) -> float:
    """Couch angle of the next beam that is not complete."""
    done = {outcome.number for outcome in session.outcomes if outcome.complete}
    left = [beam for beam in session.beams if beam.number not in done] or list(session.beams)
    if not left:
        raise RefusedError("imaging: no plan is loaded; put the load step before it")
    return float(left[0].couch[0][3])
