"""What became of a fault: asked for, injected, effective, cleared. A fault that never acted proves nothing."""

from dataclasses import dataclass
from typing import Literal

State = Literal["waiting", "active", "cleared"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Cycles of one fault of a run; None = not happened. `effective` counts from the first time it was injected.

    `due`: from here on truth or a wire is off by more than it may be, so that somebody has to notice.
    """

    id: str
    what: str  # mode, signal or parameter
    state: State
    armed_cycle: int
    injected_cycle: int | None
    effective_cycle: int | None
    cleared_cycle: int | None
    times: int  # injected so often
    due_cycle: int | None = None
    refused_cycle: int | None = None  # an act of people that the machine has said no to
    devices: tuple[str, ...] = ()  # whose wires or parameters it touches; empty = none, or not of a device
    longest_cycles: int | None = None  # of one that came again and again: that it was there at once

    @property
    def activated(self) -> bool:
        """Truth or a wire was different because of it."""
        return self.effective_cycle is not None
