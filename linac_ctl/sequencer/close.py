"""Step: the session is over: key off, door open, the record stored before anything else changes."""

from dataclasses import dataclass

from .session import Session, Suite


@dataclass(frozen=True, slots=True)
class Close:
    """Leaves the machine as it was found."""

    async def run(self, suite: Suite, session: Session) -> Session:
        """Console off, door open."""
        suite.linac.log("sequencer", "close session", new=f"{sum(o.complete for o in session.outcomes)} beams complete")
        await suite.staff.act("key_off")
        await suite.staff.act("open_door")
        await suite.staff.act("patient_off_couch")
        return session
