"""Step: the patient is set up in the room; arms and couch go to their places while a motion-enable bar is held."""

import asyncio
from dataclasses import dataclass

import numpy as np

from .held import bar_held
from .readiness import gathered
from .session import Session, Suite


@dataclass(frozen=True, slots=True)
class SetUp:
    """Staff are in the room: nothing moves unless somebody holds a bar."""

    takes_s: float = 120.0

    async def run(self, suite: Suite, session: Session) -> Session:
        """Couch to the plan's first position (zero where the plan leaves it open), arms to their parked places."""
        await suite.staff.act("patient_on_couch")
        async with bar_held(suite, "move the machine with staff in the room"):
            await self._move(suite, session)
        await asyncio.sleep(self.takes_s)
        return session

    async def _move(self, suite: Suite, session: Session) -> None:
        linac = suite.linac
        couch = np.nan_to_num(session.beams[0].couch[0]) if session.beams else np.zeros(6)
        async with gathered(linac) as moves:
            moves.create_task(linac.couch.move_to(couch[: len(linac.control.couch)]))
            for name in ("kv_arms", "mv_arm"):
                if (place := linac.config.parked_mm.get(name)) is not None:
                    moves.create_task(getattr(linac, name).move_to(np.array(place)))
