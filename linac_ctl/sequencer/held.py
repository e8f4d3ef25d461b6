"""Hold to run: nothing moves a patient unless somebody holds a motion-enable bar, in the room or at the console."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..control.phases import Phase
from .session import Suite


@asynccontextmanager
async def bar_held(suite: Suite, why: str) -> AsyncIterator[None]:
    """Somebody takes a bar and lets go when all is done, or has failed; let go meanwhile, and all motion stops."""
    linac = suite.linac
    await suite.staff.act("hold_bar", why=why)
    linac.control.job["bar_needed"] = 1.0
    linac.enter(Phase.MOVE)
    try:
        yield
    finally:
        linac.enter(Phase.IDLE)
        await suite.staff.act("release_bar")
        linac.control.job["bar_needed"] = 0.0
