"""Looks at a running session some times per second and puts what it sees into the pipe. Reads only; 0.2 ms a look."""

import time
from dataclasses import asdict, replace
from enum import Enum
from typing import Any, Protocol

import numpy as np

from device_models.interface.image import DT_S

from ..records.jsonio import plain
from .frames import EVENT, INTERLOCK, STATE, Stamp, numbers_frame, words_frame
from .layout import Layout
from .topics import INTERLOCKS, SESSION
from .wires import PHASES, axes_of, sources

CYCLE_NS = round(DT_S * 1e9)


class Sink(Protocol):
    """A pipe, or what stands for one."""

    lost_numbers: int
    lost_words: int

    def put_numbers(self, frame: bytes) -> None:
        """A snapshot."""

    def put_words(self, frame: bytes) -> None:
        """Something that should not be lost."""


class Snapshot:
    """Everything that the outside may know of one session. `look` is an observer of the loop."""

    def __init__(self, sim: Any, sink: Sink, *, machine: str, session: str, code_version: str, period_s: float) -> None:
        self.sim, self.sink, self.session = sim, sink, session
        found = sources(sim)
        self.layout = Layout(machine, session, sim.order.name, code_version, period_s, axes_of(sim), tuple(one for one, _ in found))
        self.numbers = np.zeros(self.layout.numbers, "<f8")
        self._arrays, self._states = self._places(found)
        self.seq = self._events_sent = self._trips_sent = 0
        self._gap_ns, self._last_ns = round(period_s * 0.9e9), 0
        self._step = ""  # the one begun last
        self._hot: dict[str, Any] = {}  # rows in force at the last look
        self._rows_before = b""
        self._session_before: dict[str, Any] = {}

    def _places(self, found: Any) -> tuple[list[tuple[slice, Any]], list[tuple[int, Any, dict[Enum, float]]]]:
        """Where each array and each state machine goes in the row of numbers."""
        arrays: list[tuple[slice, Any]] = []
        states: list[tuple[int, Any, dict[Enum, float]]] = []
        at = 0
        for one, source in found:
            if isinstance(source, np.ndarray):
                arrays.append((slice(at, at + one.numbers), source))
            else:
                states.append((at, source, codes_of(type(source.state))))
            at += one.numbers
        return arrays, states

    def look(self) -> None:
        """Called every so many cycles; a run that is faster than real time is looked at once per period of wall time."""
        now_ns = time.monotonic_ns()
        if now_ns - self._last_ns >= self._gap_ns:
            self._last_ns = now_ns
            self.tell(now_ns)

    def tell(self, now_ns: int | None = None) -> None:
        """Everything new since the last time, and a snapshot."""
        self._tell_events()
        self._tell_interlocks()
        self._tell_session()
        self._tell_numbers(time.monotonic_ns() if now_ns is None else now_ns)

    def _now(self) -> dict[str, Any]:
        return {"t": self.sim.loop.now_ns, "w": time.time_ns(), "session": self.session}

    def _tell_numbers(self, now_ns: int) -> None:
        for place, array in self._arrays:
            self.numbers[place] = array
        for at, owner, codes in self._states:
            self.numbers[at] = codes[owner.state]
        self.seq += 1
        pace = self.sim.loop.pace
        stamp = Stamp(self.sim.loop.now_ns, time.time_ns(), now_ns, self.seq, self.sink.lost_numbers, self.sink.lost_words,
                      pace.overruns, pace.skipped)
        self.sink.put_numbers(numbers_frame(stamp, self.numbers.tobytes()))

    def _tell_events(self) -> None:
        events = self.sim.events
        for seq in range(self._events_sent, len(events)):
            data = self._now() | plain(asdict(events[seq])) | {"t": events[seq].cycle * CYCLE_NS, "seq": seq}
            self.sink.put_words(words_frame(EVENT, data))
            if events[seq].who == "sequencer" and events[seq].what.startswith("step "):
                self._step = events[seq].what.removeprefix("step ")
        self._events_sent = len(events)

    def _tell_interlocks(self) -> None:
        """Rows that tripped since the last look, even for an instant; rows that cleared; and all that are in force."""
        panel, rows = self.sim.linac.panel, self.sim.control.interlocks
        for trip in panel.history[self._trips_sent:]:
            self._tell_row("tripped", trip)
        self._trips_sent = len(panel.history)
        marks = rows["tripped"].tobytes() + rows["tripped_copy"].tobytes() + rows["escalated"].tobytes()
        if marks == self._rows_before:
            return
        self._rows_before = marks
        first = {trip.id: trip.first_out for trip in panel.history}
        hot = {trip.id: replace(trip, first_out=first.get(trip.id, False)) for trip in panel.active()}
        for name in self._hot:
            if name not in hot:
                self._tell_row("cleared", self._hot[name])
        self._hot = hot
        self._tell_state(INTERLOCKS, {"active": [row(trip) for trip in hot.values()]})

    def _tell_row(self, change: str, trip: Any) -> None:
        self.sink.put_words(words_frame(INTERLOCK, plain({**self._now(), "change": change, **row(trip)})))

    def _tell_session(self) -> None:
        """What the sequencer is doing."""
        sim = self.sim
        phase = int(sim.control.job["phase"][0])
        data = {"name": sim.order.name, "phase": PHASES[max(phase.bit_length() - 1, 0)], "step": self._step,
                "speed": sim.loop.pace.speed, "ended": "" if sim.error is None else str(sim.error)}
        if data != self._session_before:
            self._session_before = data
            self._tell_state(SESSION, data)

    def _tell_state(self, subsystem: str, data: dict[str, Any]) -> None:
        self.sink.put_words(words_frame(STATE, {"subsystem": subsystem, "data": plain({**self._now(), **data})}))


def codes_of(states: type[Enum]) -> dict[Enum, float]:
    """Number of each state, as `wires.names` lists them."""
    return {state: float(i) for i, state in enumerate(states)}


def row(trip: Any) -> dict[str, Any]:
    """One row of the interlock table, for people and for scripts."""
    return {"id": trip.id, "name": trip.name, "stop": trip.stop, "first_out": trip.first_out, "signal": trip.signal,
            "value": trip.value, "fine": trip.fine, "latched": trip.latched, "reset_role": trip.reset_role,
            "tripped_t": trip.cycle * CYCLE_NS, "text": trip.text}
