"""Step: last person out, search button, door closed, key on."""

import asyncio
from dataclasses import dataclass

from .session import Session, Suite


@dataclass(frozen=True, slots=True)
class ClearRoom:
    """Acts in the order that the room's logic asks for."""

    takes_s: float = 15.0

    async def run(self, suite: Suite, session: Session) -> Session:
        """Leaves the room closed and the console enabled."""
        await suite.staff.act("press_search", why="nobody but the patient is in the room")
        await asyncio.sleep(self.takes_s)
        await suite.staff.act("close_door")
        await suite.staff.act("key_on")
        return session
