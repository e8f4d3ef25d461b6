"""Advances the cycles: the only caller of compiled code, the only one who tells others that something happened."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from device_models.interface.compiled import pinned
from device_models.interface.image import AXIS_DEVICES, Image
from device_models.referee.columns import TRACE_FULL
from device_models.referee.judging.recording import Recording

from ..control.phases import Event
from ..control.signals import FIRST_GUARD, NO_PORTS, Guard
from ..control.state import Control
from .block import answer, conclude, run_block, speak
from .block import step as step_

ROWS_FULL = int(Event.ROWS_FULL)
HOUSEKEEPING = ROWS_FULL | TRACE_FULL  # buffers to be changed; nothing that anybody waits for


class Ports(Protocol):
    """Bytes in place of wires: asked twice per cycle, in lockstep."""

    def send(self, image: Image, cycle: int) -> None:
        """What the controller says in this cycle goes out."""

    def receive(self, image: Image, cycle: int) -> None:
        """What the devices have said comes in."""


class Blocks(Protocol):
    """Blocks of cycles by somebody else."""

    woke: bool  # somebody has something to do before the next cycle

    def block(self, cycles: int) -> tuple[int, int]:
        """-> (cycles done, Event bits); more cycles than asked for where the controller was not there to stop."""


class Engine:
    """Owns the cycle counter. `on_event` hears of trips, watches, holds; `more_rows` supplies an empty row buffer.

    `keep_trace` False: what the referee's witness writes down is not kept, so nobody can judge this run.
    """

    def __init__(self, control: Control, image: Image, plant: Any, *, max_block: int = 20_000,
                 on_event: Callable[[int], None] = lambda events: None,
                 more_rows: Callable[[Any], Any] = lambda full: full, keep_trace: bool = True) -> None:
        self.control, self.image, self.plant, self.max_block = control, image, plant, max_block
        self.recording = Recording(len(image.mlc), keep_trace)
        self.trace = self.recording.trace
        self.ports: Ports | None = None
        self.step: Callable[[int], Any] = self._step_plant
        self.on_event, self.more_rows = on_event, more_rows
        self.abort_wanted = False
        self.disturbed: Blocks | None = None  # advances the cycles in a run with faults
        self._run = pinned(run_block, control, image, plant, self.trace, 1)
        for guard, fine in NO_PORTS.items():
            self.set_guard(guard, fine)

    def connect(self, ports: Ports, step: Callable[[int], Any] | None = None) -> None:
        """Bytes cross between the parts of every cycle from now on. `step`: steps the machine in place of our own call."""
        self.ports, self.step = ports, step or self._step_plant
        for guard in NO_PORTS:
            self.set_guard(guard, float("nan"))
        self._speak = pinned(speak, self.control, self.image, self.plant, self.trace)
        self._step = pinned(step_, self.plant, self.image, 1)
        self._conclude = pinned(conclude, self.control, self.image, self.plant, self.trace)

    def _step_plant(self, cycle: int) -> None:
        self.step_on(self.image, cycle)

    def step_on(self, image: Image, cycle: int) -> None:
        """One cycle of the machine, on these wires; after `connect`."""
        self._step(self.plant, image, np.int64(cycle))

    @property
    def cycle(self) -> int:
        """Cycles done."""
        return int(self.control.job["cycle"][0])

    def power_up(self) -> None:
        """Let the machine speak once before anything is asked of it; setpoints then stand where the axes stand."""
        if self.ports is None:
            answer(self.control, self.image, self.plant, self.trace)
        else:
            self._exchange(self.ports)
        for name in AXIS_DEVICES:
            wires, aims = getattr(self.image, name), getattr(self.control, name)
            wires["setpoint"] = aims["goal"] = wires["readback"]
            aims["seen"], aims["seen_2"] = wires["readback"], wires["readback_2"]
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
                if events & TRACE_FULL:
                    self.trace = self.recording.next_chunk()
                if events & ~HOUSEKEEPING:
                    self.on_event(events)
                    break
            if self.disturbed is not None and self.disturbed.woke:
                break
        return done

    def set_guard(self, guard: Guard, value: float) -> None:
        """Answers that only the event side can give; 1.0 = established."""
        self.control.signals[FIRST_GUARD + int(guard)] = value

    def _block(self, cycles: int) -> tuple[int, int]:
        if self.disturbed is not None:
            return self.disturbed.block(cycles)
        if self.ports is None:
            n, events = self._run(self.control, self.image, self.plant, self.trace, np.int64(cycles))
            return int(n), int(events)
        self._speak(self.control, self.image, self.plant, self.trace)
        return 1, self._exchange(self.ports)

    def _exchange(self, ports: Ports) -> int:
        """Everything after the controller has spoken; -> Event bits."""
        cycle = self.cycle
        ports.send(self.image, cycle)
        self.step(cycle)
        ports.receive(self.image, cycle)
        return int(self._conclude(self.control, self.image, self.plant, self.trace))

    def empty_rows(self) -> None:
        """Hand the full row buffer over and take an empty one; ValueError for one that the compiled cycle could not write."""
        now, rows = self.control.rows, self.more_rows(self.control.rows)
        if not (rows.dtype == now.dtype and rows.shape[1:] == now.shape[1:] and len(rows) and rows.flags.c_contiguous):
            raise ValueError(f"row buffer: {rows.dtype} {rows.shape} does not fit; needed: {now.dtype} (n, {now.shape[1]}), n > 0")
        self.control = self.control._replace(rows=rows)
        self.control.job["row"] = 0
