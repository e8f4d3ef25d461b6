"""One fault of a running session: its actions, its rows in the tables, and how far it has come."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from device_models.faults.action import Act, Action, Line, Link, Process, Ramp, Wire, Write
from device_models.faults.fault import Fault

from .alterations.altered import Altered
from .evidence import Evidence


@dataclass(slots=True)
class Live:
    """Changes as the session goes on; `undo` puts parameters back, last one first."""

    fault: Fault
    actions: tuple[Action, ...]
    armed_cycle: int
    out: list[int] = field(default_factory=list)  # rows of disturbed wires, from the controller
    back: list[int] = field(default_factory=list)  # and to it
    undo: list[Callable[[], object]] = field(default_factory=list)
    altered: list[Altered] = field(default_factory=list)  # these say by themselves since when they act
    active: bool = False
    came: bool = False  # what it waits for, by an event
    times: int = 0
    injected_cycle: int | None = None
    began_cycle: int | None = None  # this time
    effective_cycle: int | None = None
    due_cycle: int | None = None
    cleared_cycle: int | None = None
    longest_cycles: int = 0  # that it was there at once

    def over(self, cycle: int) -> None:
        """It is gone from this cycle on, for now or for good."""
        self.active, self.cleared_cycle = False, cycle
        if self.began_cycle is not None:
            self.longest_cycles = max(self.longest_cycles, cycle - self.began_cycle - 1)  # it acts from the next on

    @property
    def what(self) -> str:
        """Mode, signal or parameter."""
        return self.fault.mode or self.fault.signal or self.fault.parameter or ""

    @property
    def changes_plant(self) -> bool:
        """Does it write to the machine itself? Then a twin tells when that shows."""
        return any(isinstance(action, Write | Ramp | Act) or moves(action) for action in self.actions)

    @property
    def devices(self) -> tuple[str, ...]:
        """Whose wires or parameters it touches."""
        paths = [action.path for action in self.actions if isinstance(action, Write | Ramp | Wire)]
        links = [action.device for action in self.actions if isinstance(action, Link | Line)]
        return tuple(sorted({*map(device, paths), *links}))

    @property
    def away_cycles(self) -> int:
        """A process that is away for so long by the fault's own nature; 0 = as long as the fault lasts."""
        return max([action.cycles for action in self.actions if isinstance(action, Process)], default=0)

    def acts_since(self, cycle: int) -> None:
        """The earliest counts, whoever noticed it."""
        self.effective_cycle = cycle if self.effective_cycle is None else min(cycle, self.effective_cycle)

    def counts_since(self, cycle: int) -> None:
        """As `acts_since`, and from here on it is more than may be."""
        self.acts_since(cycle)
        self.due_cycle = cycle if self.due_cycle is None else min(cycle, self.due_cycle)

    @property
    def over_cycle(self) -> int | None:
        """When the last of it went: it was cleared, or all that it is ended by itself."""
        ends = [one.over_cycle for one in self.altered if one.over_cycle is not None]
        itself = max(ends) if ends and len(ends) == len(self.actions) else None
        return min((cycle for cycle in (self.cleared_cycle, itself) if cycle is not None), default=None)

    def evidence(self) -> Evidence:
        """As it stands."""
        state: Any = "active" if self.active else "cleared" if self.cleared_cycle is not None else "waiting"
        refused = min((one.refused_cycle for one in self.altered if one.refused_cycle is not None), default=None)
        return Evidence(self.fault.id, self.what, state, self.armed_cycle, self.injected_cycle, self.effective_cycle,
                        self.over_cycle, self.times, self.due_cycle, refused, self.devices,
                        self.longest_cycles if self.times > 1 and not self.active else None)


def device(path: str) -> str:
    """Of plant.nodes[mlc].silent: mlc; of couch[vertical].setpoint: couch."""
    found = path.removeprefix("plant.").partition(".")[0]
    name, _, index = found.rstrip("]").partition("[")
    return index if name == "nodes" else name


def moves(action: Action) -> bool:
    """A setpoint or a line that lies to the machine: what comes of it is seen in what the machine does."""
    if isinstance(action, Link):
        return action.way != "in"
    return isinstance(action, Wire) and action.path.endswith(".setpoint")
