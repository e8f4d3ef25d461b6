"""Step: two people agree on patient, plan, fraction and position."""

import asyncio
from dataclasses import dataclass, replace

from ..control.signals import Guard
from ..errors import RefusedError
from .session import Session, Suite


@dataclass(frozen=True, slots=True)
class Identify:
    """Two-person confirmation is a state, not a comment."""

    takes_s: float = 20.0
    people: int = 2

    async def run(self, suite: Suite, session: Session) -> Session:
        """-> session that names who identified."""
        if session.plan is None:
            raise RefusedError("identify: no plan is loaded; put the load step before it")
        linac, plan = suite.linac, session.plan
        await asyncio.sleep(self.takes_s)
        names = await suite.staff.confirm(f"patient {plan.patient_id or '(none)'}, plan {plan.label}", count=self.people)
        linac.guard(Guard.PATIENT_ID, len(set(names)) >= self.people)
        linac.guard(Guard.PATIENT_ORIENTATION, True)
        linac.guard(Guard.FRACTION, True)
        linac.guard(Guard.RECOVERY, True)
        if suite.resumed:
            linac.log(names[0], "confirm recovery", why="partial delivery resumed from its record")
        return replace(session, identified_by=names)
