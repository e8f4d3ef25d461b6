"""What an alteration hands back: how to undo it, and when it was first to be noticed."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linac_ctl.app import Simulation

Settings = Mapping[str, float | str]


class Altered:
    """Called, it puts things back as far as that can be done. `cycle`: the first in which anybody could tell the difference."""

    def __init__(self, undo: Callable[[], object] | None = None, cycle: int | None = None) -> None:
        self.undo, self.cycle = undo, cycle

    def __call__(self) -> None:
        """Over; twice is once."""
        undo, self.undo = self.undo, None
        if undo is not None:
            undo()

    def mark(self, cycle: int) -> None:
        """It has had an effect; only the first one counts."""
        self.cycle = cycle if self.cycle is None else self.cycle


def next_cycle(sim: "Simulation") -> int:
    """In which something done now acts."""
    return sim.engine.cycle + 1


def done(sim: "Simulation", undo: Callable[[], object] | None = None) -> Altered:
    """Something that acts at once."""
    return Altered(undo, next_cycle(sim))
