"""What a fault does, as data. A mode of the catalogue is a function that returns a few of these."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..interface.stream.fault import LinkFault
from .behaviour import Behaviour

ProcessKind = Literal["kill", "freeze", "slow", "skip_check", "restart"]


@dataclass(frozen=True, slots=True)
class Write:
    """A parameter of the plant takes this value, and its own again when the fault is cleared."""

    path: str  # plant.mlc[17].moves
    value: float


@dataclass(frozen=True, slots=True)
class Ramp:
    """A parameter of the plant goes to this value in so many seconds, evenly, in steps of a cycle."""

    path: str
    value: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Wire:
    """A wire says something else than was put on it. A path without index means all of a device's."""

    path: str  # gantry.readback, couch[vertical].setpoint, nodes[mlc].sampled_cycle
    behaviour: Behaviour
    size: float = 0.0
    size_2: float = 0.0
    cycles: int = 0
    chance: float = 1.0
    other: str = ""  # SWAP: the wire whose value is taken


@dataclass(frozen=True, slots=True)
class Link:
    """All wires of one device in one direction, frame by frame: the same fate for all of them in a cycle."""

    device: str  # gantry, mlc, beam, room, safety, ...
    way: Literal["in", "out", "both"]
    behaviour: Behaviour
    cycles: int = 0
    chance: float = 1.0


@dataclass(frozen=True, slots=True)
class Memory:
    """A word of the controller's memory changes, once: to a value, or by one bit."""

    path: str  # control.job.phase, control.interlocks[GANTRY_POS].tripped, control.trajectory.mlc[3, 17]
    value: float | None = None
    flip_bit: int | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """The controller's process: killed, frozen for as long as the fault lasts, slowed by so many cycles."""

    kind: ProcessKind
    cycles: int = 0
    row: str = ""  # skip_check: the interlock that is not evaluated


@dataclass(frozen=True, slots=True)
class Act:
    """Something hands do in the room or at the console."""

    do: str  # open_door, press_estop, press_stop, ...
    undo: str = ""  # what they do when the fault is cleared


@dataclass(frozen=True, slots=True)
class Line:
    """A disturbance of a session's real line."""

    device: str
    fault: LinkFault


@dataclass(frozen=True, slots=True)
class Alter:
    """Something that is no wire and no parameter: a plan, a record, an image, a match, an entry at the console."""

    kind: str
    settings: Mapping[str, float | str] = field(default_factory=dict)


Action = Write | Ramp | Wire | Link | Memory | Process | Act | Line | Alter
