"""Step: the couch takes the patient to where the plan wants him, by the approved match; absolute targets."""

import asyncio
from dataclasses import dataclass, replace

import numpy as np

from ..errors import RefusedError
from . import approval
from .acquire import desk
from .approval import Approval
from .approve import stands
from .held import bar_held
from .images import Shift
from .protocol import Level
from .session import Session, Suite

SAME = 1e-6  # mm and deg: both are whole thousandths
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
        await self._move(suite, session, given)
        if decision.level is Level.SHIFT:
            approval.arm(linac, given)
            return session
        return replace(session, match=None, decision=None, approval=None)

    async def _move(self, suite: Suite, session: Session, given: Approval) -> None:
        linac, imaging, match = suite.linac, desk(suite), session.match
        assert match is not None
        order = imaging.order(match)
        as_approved(order.targets.six, given.couch.six)
        imaging.still_there(order, stands(suite))
        async with bar_held(suite, "shift the couch from the console"):
            await linac.couch.move_to(np.array(order.targets.six))  # absolute: a repeated order moves nothing
            await asyncio.sleep(AT_REST_S)
        achieved = tuple(float(v) for v in linac.image.couch["readback"])
        imaging.shifts.append(Shift(linac.time_s, order.targets.six, achieved, order.shift))  # type: ignore[arg-type]
        linac.log("sequencer", "couch shifted", why="approved match", old=numbers(order.taken_at.six), new=numbers(achieved))


def as_approved(ordered: tuple[float, ...], approved: tuple[float, ...]) -> None:
    """RefusedError when the couch is about to be sent to another place than people have approved."""
    off = [abs(a - b) for a, b in zip(ordered, approved, strict=True)]
    if not max(off) <= SAME:
        raise RefusedError(f"couch shift: ordered to {numbers(ordered)}, approved was {numbers(approved)} (lateral longitudinal "
                           f"vertical mm, rotation pitch roll deg); nothing has moved, image, match and approve again")


def numbers(six: tuple[float, ...]) -> str:
    """For the log."""
    return ", ".join(f"{v:.3f}" for v in six)
