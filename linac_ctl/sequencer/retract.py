"""Step: the arms of the kV imager, and the MV panel if it is out, go back to their parked places."""

from dataclasses import dataclass

from ..subsystems.mv_imager import MvState
from .acquire import desk
from .session import Session, Suite


@dataclass(frozen=True, slots=True)
class RetractImager:
    """May stand before treat, or at the end."""

    async def run(self, suite: Suite, session: Session) -> Session:
        """Leaves position and approval as they are."""
        imaging = desk(suite)
        await imaging.kv.retract()
        if imaging.mv_imager is not None and imaging.mv_imager.state is not MvState.RETRACTED:
            await imaging.mv_imager.retract()
        return session
