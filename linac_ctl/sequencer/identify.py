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
        """-> session that names who identified. RefusedError when this fraction is on record as given."""
        if session.plan is None:
            raise RefusedError("identify: no plan is loaded; put the load step before it")
        linac, plan = suite.linac, session.plan
        await asyncio.sleep(self.takes_s)
        names = await suite.staff.confirm(f"patient {plan.patient_id or '(none)'}, plan {plan.label}", count=self.people)
        linac.guard(Guard.PATIENT_ID, len(set(names)) >= self.people)
        linac.guard(Guard.PATIENT_ORIENTATION, True)
        linac.guard(Guard.FRACTION, not (wrong := record_against(suite, session)))
        if wrong:
            raise RefusedError(f"identify: {wrong}")
        linac.guard(Guard.RECOVERY, True)
        if suite.resumed:
            linac.log(names[0], "confirm recovery", why="partial delivery resumed from its record")
        return replace(session, identified_by=names)


def record_against(suite: Suite, session: Session) -> str:
    """Why the record does not allow this fraction; empty when it does."""
    given = [suite.record.delivered_before(beam.number) for beam in session.beams]
    if not given or not all(complete for _, complete in given):
        return ""
    return (f"{sum(mu for mu, _ in given):.2f} MU of this fraction are on record as given, every beam is complete; look at the "
            f"record, and choose the next fraction")
