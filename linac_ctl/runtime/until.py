"""On to the first cycle in which something is so. Looking changes no bits: an observer only reads."""

from collections.abc import Callable
from typing import Protocol

from .simloop import SimLoop


class Session(Protocol):
    """A simulation, as far as this needs it."""

    loop: SimLoop

    def step(self, cycles: int = 1) -> None:
        """Let so many cycles pass, fewer if the session ends."""


def run_until(session: Session, asked: Callable[[], bool], limit: int) -> bool:
    """At most `limit` cycles; -> whether it is so. Everything due by then is done."""
    if limit > 0 and not asked():
        loop = session.loop

        def look() -> None:
            if asked():
                loop.pause()

        loop.observe(1, look)
        try:
            session.step(limit)
        finally:
            loop.forget(look)
    return asked()
