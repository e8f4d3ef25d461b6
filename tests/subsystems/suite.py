"""A linac of subsystems on the rig's obedient wires, in machine time: `Suite().run(coroutine)`."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from linac_ctl.control.phases import Event, Phase
from linac_ctl.runtime.simloop import SimLoop
from linac_ctl.subsystems.linac import Linac
from tests.control.rig import Rig, table

ROWS_FULL = int(Event.ROWS_FULL)


class Suite:
    """The rig as the loop's idle time. `at(cycle, what)` does something just before a cycle."""

    def __init__(self, name: str = "bench_small") -> None:
        self.rig = Rig(name)
        self.said: list[tuple[str, str]] = []
        self.linac = Linac(self.rig.machine.controller, table(), self.rig.control, self.rig.image, self.log)
        self.later: list[tuple[int, Callable[[], Any]]] = []
        self.rig.cycle()
        self.loop = SimLoop(self)
        self.loop.cycle = 0

    def log(self, who: str, what: str, **more: Any) -> None:
        self.said.append((who, what))

    @property
    def cycle(self) -> int:
        return int(self.rig.job["cycle"][0])

    def at(self, cycles: int, what: Callable[[], Any]) -> None:
        """So many cycles from now."""
        self.later.append((self.cycle + cycles, what))

    def advance(self, cycles: int) -> int:
        """As the engine does: until something happened."""
        for done in range(1, cycles + 1):
            for when, what in self.later:
                if when == self.cycle + 1:
                    what()
            self.rig.job["row"] = 0
            if (events := self.rig.cycle()) & ~ROWS_FULL:
                self.linac.on_event(events)
                return done
        return cycles

    def run(self, task: Coroutine[Any, Any, Any], within_s: float = 300.0) -> Any:
        """Its result, or what it raises."""
        return self.loop.run_until_complete(asyncio.wait_for(task, within_s))

    def close(self) -> None:
        self.loop.close()

    def move(self) -> "Suite":
        """Phase MOVE, with power."""
        self.linac.enter(Phase.MOVE)
        self.rig.cycle(2)
        return self
