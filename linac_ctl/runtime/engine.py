"""Advances the cycles: the only caller of compiled code, the only one who tells others that something happened."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from device_models.interface.compiled import pinned
from device_models.interface.image import AXIS_DEVICES, Image

from ..control.phases import Event
from ..control.signals import FIRST_GUARD, Guard
from ..control.state import Control
from .block import answer, run_block, speak

ROWS_FULL = int(Event.ROWS_FULL)


class Port(Protocol):
    """Bytes in place of a device's step; answers once per cycle, in lockstep."""

    def exchange(self, image: Image) -> None:
        """Setpoints of this cycle out, readbacks in."""


class Engine:
    """Owns the cycle counter. `on_event` hears of trips, watches, holds; `more_rows` supplies an empty row buffer."""

    def __init__(self, control: Control, image: Image, plant: Any, *, max_block: int = 20_000, ports: Sequence[Port] = (),
                 on_event: Callable[[int], None] = lambda events: None,
                 more_rows: Callable[[Any], Any] = lambda full: full) -> None:
        self.control, self.image, self.plant, self.ports, self.max_block = control, image, plant, tuple(ports), max_block
        self.on_event, self.more_rows = on_event, more_rows
        self.abort_wanted = False
        self._run = pinned(run_block, control, image, plant, 1)
        self._answer = pinned(answer, control, image, plant) if self.ports else answer
        self._speak = pinned(speak, control, image) if self.ports else speak

    @property
    def cycle(self) -> int:
        """Cycles done."""
        return int(self.control.job["cycle"][0])

    def power_up(self) -> None:
        """Let the machine speak once before anything is asked of it; setpoints then stand where the axes stand."""
        self._answer(self.control, self.image, self.plant)
        for name in AXIS_DEVICES:
            wires, aims = getattr(self.image, name), getattr(self.control, name)
            wires["setpoint"] = aims["goal"] = wires["readback"]
            aims["seen"] = wires["readback"]
        self.control.job["events"] = self.control.job["row"] = 0
        for field, rest in (("tripped", 0), ("tripped_copy", 1), ("bad_cycles", 0), ("holds", 0)):
            self.control.interlocks[field] = rest

    def advance(self, cycles: int) -> int:
        """Run up to `cycles`, fewer if something happened that a coroutine may wait for. -> cycles done."""
        done = 0
        while done < cycles:
            if self.abort_wanted:
                self.set_guard(Guard.NOT_ABORTED, 0.0)
            n, events = self._block(min(cycles - done, self.max_block))
            done += n
            if events:
                self.control.job["events"] = 0
                if events & ROWS_FULL:
                    self.empty_rows()
                if events & ~ROWS_FULL:
                    self.on_event(events)
                    break
        return done

    def set_guard(self, guard: Guard, value: float) -> None:
        """Answers that only the event side can give; 1.0 = established."""
        self.control.signals[FIRST_GUARD + int(guard)] = value

    def _block(self, cycles: int) -> tuple[int, int]:
        if not self.ports:
            n, events = self._run(self.control, self.image, self.plant, np.int64(cycles))
            return int(n), int(events)
        self._speak(self.control, self.image)
        for port in self.ports:
            port.exchange(self.image)
        return 1, int(self._answer(self.control, self.image, self.plant))

    def empty_rows(self) -> None:
        """Hand the full row buffer over and take an empty one; ValueError for one that the compiled cycle could not write."""
        now, rows = self.control.rows, self.more_rows(self.control.rows)
        if not (rows.dtype == now.dtype and rows.shape[1:] == now.shape[1:] and len(rows) and rows.flags.c_contiguous):
            raise ValueError(f"row buffer: {rows.dtype} {rows.shape} does not fit; needed: {now.dtype} (n, {now.shape[1]}), n > 0")
        self.control = self.control._replace(rows=rows)
        self.control.job["row"] = 0
