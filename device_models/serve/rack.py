"""Devices that share one plant and one clock, stepped together; in lockstep a cycle waits until all of them have asked for it."""

from collections.abc import Callable
from typing import Any, Protocol

from ..interface.image import DT_S, Image

CYCLE_MS = round(DT_S * 1000)


class Stepped(Protocol):
    """A device, as a rack sees it. `waiting`: cycles that its client has asked for."""

    lockstep: bool
    waiting: int

    def before_step(self) -> None:
        """A cycle is about to pass."""

    def after_step(self) -> None:
        """It has passed."""


class Rack:
    """`image`: the wires of the far end. `step`: one cycle of the plant on them, given the cycle's number."""

    def __init__(self, image: Image, step: Callable[[int], Any]) -> None:
        self.image, self.step_plant = image, step
        self.devices: list[Stepped] = []
        self.cycle = 0  # the next one to be done
        self.lockstep = False

    @property
    def now_ms(self) -> int:
        """The clock of all devices in it: the cycle done last."""
        return max(self.cycle - 1, 0) * CYCLE_MS

    def stand_still(self, lockstep: bool) -> None:
        """The clock goes to zero and stands, or runs by itself again."""
        if lockstep and not self.lockstep:
            self.cycle = 0
        self.lockstep = lockstep or any(device.lockstep for device in self.devices)

    def serve(self) -> None:
        """Do every cycle that all devices in lockstep wait for."""
        while self.asked():
            self.step()

    def asked(self) -> bool:
        """Has everybody in lockstep asked for a cycle? Nobody is not everybody: then time runs by itself."""
        waiting = [device.waiting for device in self.devices if device.lockstep]
        return bool(waiting) and all(waiting)

    def step(self) -> None:
        """One cycle."""
        for device in self.devices:
            device.before_step()
        self.step_plant(self.cycle)
        self.cycle += 1
        for device in self.devices:
            device.after_step()
