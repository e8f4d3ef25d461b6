"""Step: the couch takes the patient to where the plan wants him, by the approved match; absolute targets."""

import asyncio
from dataclasses import dataclass, replace

import numpy as np

from ..control.phases import Phase
from ..errors import RefusedError
from . import approval
from .acquire import desk
from .approve import stands
from .images import Shift
from .protocol import Level
from .session import Session, Suite

AT_REST_S = 1.0  # from "within tolerance" to "at rest"


@dataclass(frozen=True, slots=True)
class ShiftCouch:
    """Moves nothing when nothing has to be shifted; a shift that has to be verified leaves the position unapproved."""

    async def run(self, suite: Suite, session: Session) -> Session:
        """-> session whose approval holds, or without one when the protocol asks for another image."""
        given, decision, linac = session.approval, session.decision, suite.linac
        if given is None or decision is None or given.match is not session.match:
            raise RefusedError("couch shift: no approved match; put match and approve before it")
        if not decision.moves:
            return session
        await self._move(suite, session)
        if decision.level is Level.SHIFT:
            approval.arm(linac, given)
            return session
        return replace(session, match=None, decision=None, approval=None)

    async def _move(self, suite: Suite, session: Session) -> None:
        linac, imaging, match = suite.linac, desk(suite), session.match
        assert match is not None
        order = imaging.order(match)
        imaging.still_there(order, stands(suite))
        linac.enter(Phase.MOVE)
        try:
            await linac.couch.move_to(np.array(order.targets.six))  # absolute: a repeated order moves nothing
            await asyncio.sleep(AT_REST_S)
        finally:
            linac.enter(Phase.IDLE)
        achieved = tuple(float(v) for v in linac.image.couch["readback"])
        imaging.shifts.append(Shift(linac.time_s, order.targets.six, achieved, order.shift))  # type: ignore[arg-type]
        linac.log("sequencer", "couch shifted", why="approved match", old=numbers(order.taken_at.six), new=numbers(achieved))


def numbers(six: tuple[float, ...]) -> str:
    """For the log."""
    return ", ".join(f"{v:.3f}" for v in six)
