"""What an alteration hands back: how to undo it, when it was first to be noticed, and whether the machine refused it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linac_ctl.app import Simulation

Settings = Mapping[str, float | str]


class Altered:
    """Called, it puts things back as far as that can be done. `cycle`: the first in which anybody could tell the difference."""

    def __init__(self, undo: Callable[[], object] | None = None, cycle: int | None = None) -> None:
        self.undo, self.cycle = undo, cycle
        self.refused_cycle: int | None = None
        self.over_cycle: int | None = None  # where it ends by itself, as what people do with their hands does

    def __call__(self) -> None:
        """Over; twice is once."""
        undo, self.undo = self.undo, None
        if undo is not None:
            undo()

    def mark(self, cycle: int) -> None:
        """It has had an effect; only the first one counts."""
        self.cycle = cycle if self.cycle is None else self.cycle


    def refuse(self, cycle: int) -> None:
        """The machine has said no to it; only the first time counts."""
        self.refused_cycle = cycle if self.refused_cycle is None else self.refused_cycle


def next_cycle(sim: "Simulation") -> int:
    """In which something done now acts."""
    return sim.engine.cycle + 1


def done(sim: "Simulation", undo: Callable[[], object] | None = None) -> Altered:
    """Something that acts at once."""
    return Altered(undo, next_cycle(sim))
