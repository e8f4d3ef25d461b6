"""The couch turns for the next beam: the approved place turned with it, then images again. A turn moves patients."""

import numpy as np

from device_models.interface.image import Couch

from ..plan.model import Beam
from ..subsystems.kv_imager import KvState
from . import approval
from .acquire import AcquireCbct, desk
from .acquire_mv_pair import AcquireMvPair, angles_for
from .acquire_pair import AcquirePair
from .approval import Approval
from .approve import Approve
from .held import bar_held
from .protocol import AfterTurnConfig
from .readiness import turn_couch
from .session import Session, Step, Suite
from .verify import settled

IMAGE_S, MATCH_S, APPROVE_S = 3.0, 15.0, 10.0  # looking at a position that was right a minute ago [S]
GRID_DIGITS = 3


async def turned(suite: Suite, session: Session, beam: Beam) -> Session:
    """As it is, unless this beam needs another couch angle than the approved one and the protocol says how to look again."""
    given, angle = session.approval, float(beam.couch[0][3])
    if suite.imaging is None or given is None or (rules := desk(suite).protocol.after_turn) is None:
        return session
    if abs(angle - given.match.binding.couch_angle_deg) <= desk(suite).protocol.shift.stale_deg:
        return session
    await _turn(suite, given, angle)
    acquire = _acquire(rules, session, angle, desk(suite).protocol.shift.stale_deg)
    session = await settled(suite, session, acquire, rules, MATCH_S, APPROVE_S)
    return await Approve(APPROVE_S).run(suite, session)


async def _turn(suite: Suite, given: Approval, angle_deg: float) -> None:
    """No approval on the way, no arms where the couch sweeps, the gantry where no turn can meet it."""
    linac, imaging = suite.linac, desk(suite)
    goal = turned_place(given, angle_deg)
    approval.revoke(linac)
    await suite.staff.confirm(f"couch to {angle_deg:g} deg")
    if imaging.kv.state is not KvState.RETRACTED:
        await imaging.kv.retract()
    async with bar_held(suite, "turn the couch from the console"):
        await turn_couch(linac, goal)
        await linac.couch.move_to(goal)
    linac.log("sequencer", "couch turned", why="next beam of the plan", old=f"{given.couch.rotation_deg:.3f} deg",
              new=f"{goal[int(Couch.ROTATION)]:.3f} deg")


def turned_place(given: Approval, angle_deg: float) -> np.ndarray:
    """(6,) the scales that turn the approved position about the isocentre: table-top scales turn with the couch, so one changes."""
    place = np.array(given.couch.six)
    turn = angle_deg - given.match.binding.couch_angle_deg
    place[int(Couch.ROTATION)] = round(place[int(Couch.ROTATION)] + turn, GRID_DIGITS)
    return place


def _acquire(rules: AfterTurnConfig, session: Session, angle_deg: float, same_deg: float) -> Step:
    """The images that the protocol wants here."""
    if rules.image == "mv_pair":
        return AcquireMvPair(angles_for(session.beams, angle_deg, same_deg), IMAGE_S)
    return AcquirePair(IMAGE_S) if rules.image == "pair" else AcquireCbct(IMAGE_S)
