"""Hold to run: nothing moves a patient, and no tube fires, unless somebody holds a bar or a switch, in the room or outside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from ..control.phases import Phase
from .session import Suite


@asynccontextmanager
async def holding(suite: Suite, what: Literal["bar", "exposure"], why: str) -> AsyncIterator[None]:
    """Somebody takes it, and lets go when all is done: after a moment, or at once when something has failed."""
    await suite.staff.act(f"hold_{what}", why=why)
    try:
        yield
    except BaseException:
        suite.staff.hands.do(f"release_{what}")
        raise
    await suite.staff.act(f"release_{what}")


@asynccontextmanager
async def bar_held(suite: Suite, why: str) -> AsyncIterator[None]:
    """Motion needs a held bar meanwhile; let go, and all of it stops."""
    linac = suite.linac
    async with holding(suite, "bar", why):
        linac.control.job["bar_needed"] = 1.0
        linac.enter(Phase.MOVE)
        try:
            yield
        finally:
            linac.enter(Phase.IDLE)
            linac.control.job["bar_needed"] = 0.0
