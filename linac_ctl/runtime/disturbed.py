"""Advances the cycles of a run with faults, in place of the engine's own call."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from device_models.disturb.disturbance import Disturbance
from device_models.disturb.moment import DUE
from device_models.disturb.twin import Twin, differs, shadow
from device_models.disturb.words import Word, Words
from device_models.interface.compiled import pinned

from ..errors import ControllerGone
from .block import step
from .disturbed_block import conclude_disturbed, run_beside, run_disturbed, speak_disturbed

if TYPE_CHECKING:
    from .engine import Engine

AFTERLIFE_CYCLES = 200  # of a machine whose controller is dead: what it does by itself belongs to the record


class Disturbed:
    """`on_due` begins and ends faults between two cycles; `twins` are watched cycle by cycle until their fault acts."""

    def __init__(self, engine: "Engine", words: Words, disturbance: Disturbance, on_due: Callable[[], None],
                 on_effective: Callable[[str, int, bool], None]) -> None:
        self.engine, self.words, self.disturbance = engine, words, disturbance
        self.on_due, self.on_effective = on_due, on_effective
        self.twins: dict[str, Twin] = {}
        self.ramps: dict[int, tuple[str, Word]] = {}  # row of a ramp under way: whose it is, and what it moves
        self.watch: dict[str, list[Callable[[], bool]]] = {}  # faults of real lines: has it acted?
        self.dead = False  # no end is known
        self.done = 0  # cycles of the block under way
        self.woke = False  # a fault began or ended: coroutines that it woke have their turn before the next cycle
        e = engine
        shared = (e.control, e.image, e.plant, e.trace, disturbance, words.floats, words.wholes)
        self._run, self._speak = pinned(run_disturbed, *shared, 1), pinned(speak_disturbed, *shared)
        self._conclude, self._step = pinned(conclude_disturbed, *shared), pinned(step, e.plant, e.image, 1)
        self.beside = beside = Twin(e.plant, e.image).beside  # that nobody steps
        self._run_beside = pinned(run_beside, *shared, beside, 1)
        self._shadow, self._differs = pinned(shadow, beside, e.plant, disturbance.out, 1), pinned(differs, beside, e.plant)

    def block(self, cycles: int) -> tuple[int, int]:
        """As the engine's, but a frozen controller does not come back before its time."""
        self.done = 0
        n, events = self._some(cycles)
        alone = 0
        while self.disturbance.state["alive"][0] == 0 and not events:
            self._bury(alone)
            more, events = self._some(1)
            n, alone = n + more, alone + more
        return n, events

    def _bury(self, alone: int) -> None:
        """ControllerGone once the machine has shown for long enough what it does without."""
        if self.dead and alone >= AFTERLIFE_CYCLES:
            raise ControllerGone("controller: its process is gone; the machine went on by itself for 2 s. Resume from the record")

    def _some(self, cycles: int) -> tuple[int, int]:
        if self.engine.ports is not None or len(self.twins) > 1 or (self.twins and self.ramps):
            n, events = self._cycle()
        else:
            n, events = self._beside(cycles) if self.twins else self._compiled(cycles)
        self.woke = bool(events & DUE)
        self.done += n
        if self.woke:
            self.on_due()
        return n, events & ~DUE

    def _compiled(self, cycles: int) -> tuple[int, int]:
        n, events = self._run(*self._shared(), np.int64(cycles))
        return int(n), int(events)

    def _beside(self, cycles: int) -> tuple[int, int]:
        """With one twin: nobody has to look on between the cycles."""
        ((name, twin),) = self.twins.items()
        n, events, acted = self._run_beside(*self._shared(), twin.beside, np.int64(cycles))
        if not acted:
            return int(n), int(events)
        self._apart(name, twin, self.engine.cycle)
        return int(n) + 1, int(self._conclude(*self._shared()))

    def _shared(self) -> tuple[Any, ...]:
        e = self.engine
        return e.control, e.image, e.plant, e.trace, self.disturbance, self.words.floats, self.words.wholes

    def _cycle(self) -> tuple[int, int]:
        """One cycle in parts, with twins beside it and bytes between, where there are any."""
        shared, ports, image = self._shared(), self.engine.ports, self.engine.image
        self._speak(*shared)
        cycle = self.engine.cycle
        self._hand_on()
        for twin in self.twins.values():
            self._shadow(twin.beside, self.engine.plant, self.disturbance.out, np.int64(cycle))
        if ports is None:
            self._step(self.engine.plant, image, np.int64(cycle))
        else:
            ports.send(image, cycle)
            self.engine.step(cycle)
        self._compare(cycle)
        if ports is not None:
            ports.receive(image, cycle)
            self._look(cycle)
        return 1, int(self._conclude(*shared))

    def _hand_on(self) -> None:
        """A twin is without its own fault only: what other faults move by and by moves there too."""
        for row, (owner, word) in list(self.ramps.items()):
            for name, twin in self.twins.items():
                if name != owner:
                    twin.write(word, self.words.get(word))
            if not self.disturbance.ramps["left"][row]:
                del self.ramps[row]

    def _compare(self, cycle: int) -> None:
        for name, twin in list(self.twins.items()):
            if self._differs(twin.beside, self.engine.plant):
                self._apart(name, twin, cycle)

    def _apart(self, name: str, twin: Twin, cycle: int) -> None:
        """Both machines have stepped, and are not the same: for the first time, or by more than they may be."""
        if not twin.acts:
            twin.go_on()
            self.on_effective(name, cycle, False)
            if not self._differs(twin.beside, self.engine.plant):
                return
        del self.twins[name]
        self.on_effective(name, cycle, True)

    def _look(self, cycle: int) -> None:
        for name in [name for name, lines in self.watch.items() if any(acted() for acted in lines)]:
            del self.watch[name]
            self.on_effective(name, cycle, True)
