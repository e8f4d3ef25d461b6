"""Step: the arms of the kV imager go back to their parked place."""

from dataclasses import dataclass

from .acquire import desk
from .session import Session, Suite


@dataclass(frozen=True, slots=True)
class RetractImager:
    """May stand before treat, or at the end."""

    async def run(self, suite: Suite, session: Session) -> Session:
        """Leaves position and approval as they are."""
        await desk(suite).kv.retract()
        return session
