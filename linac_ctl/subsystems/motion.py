"""What every moving device has in common: the table is the design; only readbacks make a request "done"."""

from enum import Enum
from typing import Any

import numpy as np
from transitions import Machine

from ..config.machine import AxisConfig
from ..control.signals import Signal
from ..errors import DeviceError, RefusedError
from .conditions import Conditions


class State(Enum):
    """Of one moving device."""

    IDLE = "idle"
    MOVING = "moving"
    FAULTED = "faulted"


TABLE: list[list[Any]] = [
    # trigger, from, to
    ["start", State.IDLE, State.MOVING],
    ["arrive", State.MOVING, State.IDLE],
    ["fail", State.MOVING, State.FAULTED],
    ["reset", State.FAULTED, State.IDLE],
]


class Motion:
    """One device's axes. Goals are absolute, so a repeated request cannot move twice."""

    state: State

    def __init__(self, name: str, aims: Any, wires: Any, axes: tuple[AxisConfig, ...], away: Signal,
                 conditions: Conditions) -> None:
        self.name, self.aims, self.wires, self.axes, self.away, self.conditions = name, aims, wires, axes, away, conditions
        Machine(self, states=State, initial=State.IDLE, transitions=TABLE, auto_transitions=False)

    def check(self, goal: Any) -> None:
        """RefusedError unless there is one position per axis, each a number inside the axis's range."""
        if np.size(goal) != len(self.aims):
            raise RefusedError(f"{self.name}: {np.size(goal)} positions for {len(self.aims)} axes; nothing moved")
        self.check_range(goal)

    def check_range(self, goal: Any) -> None:
        """As `check`, for the positions themselves."""
        for i, value in enumerate(np.atleast_1d(goal)):
            axis = self.axes[i if len(self.axes) > i else -1]
            if not axis.low - 1e-6 <= value <= axis.high + 1e-6:
                raise RefusedError(f"{axis.name}: goal {value:.3f} {axis.unit} is outside {axis.low:g} .. {axis.high:g} "
                                   f"{axis.unit}; nothing moved")

    async def move_to(self, goal: Any) -> None:
        """Return once every readback is there and has settled; DeviceError if that takes too long."""
        if not len(self.aims):
            return
        self.check(goal)
        if self.state is State.FAULTED:
            self.trigger("reset")
        self.trigger("start")
        self.aims["goal"] = goal
        first = self.axes[0]
        try:
            await self.conditions.until(self.away, "<=", 1.0, first.settle_s, first.timeout_s)
        except TimeoutError:
            self._fail()
            raise DeviceError(f"{self.name}: not within {first.tolerance} {first.unit} of its goal after "
                              f"{first.timeout_s:g} s; look at the drive, then reset") from None
        except BaseException:  # tripped or cancelled
            self._fail()
            raise
        self.trigger("arrive")

    def _fail(self) -> None:
        """Nobody waits for the goal any more, so nothing goes on moving there: every setpoint comes to rest."""
        speed = self.aims["velocity"]
        self.aims["goal"] = self.wires["setpoint"] + speed * np.abs(speed) / (2.0 * self.aims["accel"])
        self.trigger("fail")

    def trigger(self, name: str) -> None:
        """MachineError unless the table has this transition."""
        getattr(self, name)()


class Leaves(Motion):
    """Both banks: bank B's range is bank A's, mirrored."""

    def check_range(self, goal: Any) -> None:
        """As Motion, bank by bank."""
        pairs = len(self.aims) // 2
        super().check_range(np.asarray(goal)[:pairs])
        super().check_range(-np.asarray(goal)[pairs:])
