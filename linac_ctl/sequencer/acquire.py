"""Step: a cone-beam CT of the patient, from the console, with the exposure switch held."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from device_models.interface.image import DT_S

from ..control.signals import Guard
from ..errors import RefusedError
from ..plan.make.uids import uid
from ..subsystems.kv_frames import KvFrame
from ..subsystems.mv_frames import Frame
from . import approval
from .held import holding
from .images import Imaging
from .session import Session, Suite


@dataclass(frozen=True, slots=True)
class AcquireCbct:
    """Arms out, gantry round, volume ready for the match. Any approval so far ends here: the images are newer."""

    takes_s: float = 10.0  # from the last frame to a volume on the screen

    async def run(self, suite: Suite, session: Session) -> Session:
        """-> session with the images and without match and approval."""
        imaging = desk(suite)
        scan = imaging.scan
        verb = partial(imaging.kv.cbct, scan.start_deg, scan.stop_deg, scan.frames, imaging.technique)
        return await acquired(suite, session, "cbct", verb, self.takes_s, scan.lateral_mm or None)


Verb = Callable[[], Awaitable[tuple[KvFrame, ...]]]


async def acquired(suite: Suite, session: Session, kind: str, verb: Verb, takes_s: float,
                   lateral_mm: float | None = None) -> Session:
    """Images by a verb of the kV imager, with the exposure switch held; from here on they are the latest."""
    forget(suite)
    frames = await exposed(suite, kind, verb, lateral_mm)
    return await shown(suite, session, kind, frames, takes_s)


def forget(suite: Suite) -> None:
    """New images are coming: what was known of the position is over."""
    approval.revoke(suite.linac)
    suite.linac.guard(Guard.IMG_QUALITY, False)
    suite.linac.guard(Guard.IMAGE_BIND, False)


async def exposed(suite: Suite, why: str, verb: Verb, lateral_mm: float | None = None) -> tuple[KvFrame, ...]:
    """kV frames: arms out, somebody holds the switch meanwhile."""
    await desk(suite).kv.to_imaging_position(lateral_mm)
    async with holding(suite, "exposure", why):
        return await verb()


async def shown(suite: Suite, session: Session, kind: str, frames: tuple[Frame, ...], takes_s: float) -> Session:
    """On the screen, checked, and kept as the latest images."""
    linac, imaging = suite.linac, desk(suite)
    approval.watch(linac, frames)
    await asyncio.sleep(takes_s)
    count = len(imaging.images)
    names = tuple(uid(kind, str(suite.session_number), str(count), str(k)) for k in range(1 if kind == "cbct" else len(frames)))
    images = imaging.taken(kind, frames, names, planned_angle_deg(session), round(frames[-1].time_s / DT_S))
    linac.guard(Guard.IMG_QUALITY, True)
    linac.guard(Guard.IMAGE_BIND, True)
    turn = f"{frames[0].gantry_deg:.1f} to {frames[-1].gantry_deg:.1f} deg"
    linac.log("kv_imager" if images.kv_frames else "mv_imager", f"{kind} {count + 1}: {len(frames)} frames", why=turn, new=names[0])
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
