"""Step: where the patient is in the latest images, and what the protocol says to that."""

import asyncio
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..control.signals import Guard
from ..errors import LinacError, RefusedError
from ..plan.model import Plan
from .acquire import desk
from .images import ImageSet, Imaging
from .protocol import ActionLevels, Level, decide
from .session import Session, Suite

if TYPE_CHECKING:
    from ..imaging.match import Match as Found


@dataclass(frozen=True, slots=True)
class Match:
    """Automatic registration; a poor one, and an error beyond the shift levels, end here."""

    takes_s: float = 15.0

    async def run(self, suite: Suite, session: Session) -> Session:
        """-> session with match and decision."""
        if session.images is None:
            raise RefusedError("match: no images yet; put an acquire step before it")
        linac, imaging, plan = suite.linac, desk(suite), suite.plan
        linac.guard(Guard.REG_QUALITY, False)
        linac.guard(Guard.SHIFT_RANGE, False)
        await asyncio.sleep(self.takes_s)
        match = registered(imaging, session.images, plan)
        numbers = ", ".join(f"{v:.3f}" for v in match.error)
        linac.log("sequencer", "match", why=f"{match.method}, {match.dof} DoF, similarity {match.similarity:.3f}",
                  new=f"{numbers} (X Y Z mm, turns deg)")
        if not match.good:
            raise RefusedError(f"match refused: {'; '.join(match.complaints)}; check images, clip box and set-up, then image again")
        linac.guard(Guard.REG_QUALITY, True)
        decision = imaging.judged(decide(match, imaging.protocol))
        linac.log("sequencer", f"action level: {decision.level.value}", why=f"protocol {imaging.protocol.name}", new=decision.text)
        if decision.level in (Level.SET_UP, Level.CALL):
            raise RefusedError(too_far(decision.shift_mm, decision.turn_deg, decision.level, imaging.protocol.levels))
        if decision.moves:
            imaging.order(match)  # RefusedError: more than may be shifted with nobody in the room
        linac.guard(Guard.SHIFT_RANGE, True)
        return replace(session, match=match, decision=decision)


def registered(imaging: Imaging, images: ImageSet, plan: Plan) -> "Found":
    """The match; whatever else may come of a registration is a refusal, too: nobody waits for it, and nothing is shifted by it."""
    try:
        match = imaging.register(images, plan.sop_instance_uid, plan.patient_id)
    except LinacError:
        raise
    except Exception as failure:
        what = f"{type(failure).__name__}: {failure}"
        raise RefusedError(f"match refused: the registration failed ({what}); image again") from failure
    if not all(math.isfinite(v) for v in match.error):
        raise RefusedError(f"match refused: {match.error} are no numbers; image again")
    return match


def too_far(shift_mm: float, turn_deg: float, level: Level, levels: ActionLevels) -> str:
    """For people: how far, what the limit is, what to do."""
    mm, deg = levels.set_up_mm, levels.set_up_deg
    call = "call the physicist and the physician; nobody shifts this"
    what = "set the patient up again in the room" if level is Level.SET_UP else call
    return f"match: the patient is {shift_mm:.1f} mm and {turn_deg:.2f} deg off, beyond {mm:g} mm or {deg:g} deg; {what}"
