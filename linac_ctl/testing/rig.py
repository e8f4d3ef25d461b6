"""The machine of a test: one session in virtual time, run as far as the test wants, and asked what is true."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from device_models.interface.image import AXIS_DEVICES, DT_S

from ..app import Simulation
from ..control.phases import Phase
from ..control.state import cycles
from ..errors import UsageError
from ..injection.evidence import Evidence
from ..injection.schedule import Schedule, load_schedule
from ..injection.schedule import said as in_a_file
from ..interlocks.panel import Panel, Trip
from ..live.intervention import clear, inject
from ..order import Order
from ..records.folder import RunFolder
from ..runtime.until import run_until
from .elsewhere import Elsewhere
from .injected import Injected, said
from .moment import Moment
from .orders import found
from .predicates import Predicate, Question, named
from .referee import Referee

BY_TEST = "test"


class Rig:
    """Powered up, nothing done yet. Verbs run the machine and return the moment that they reached; see `Moment`."""

    def __init__(self, order: Order, folder: RunFolder | None = None, faults: Schedule | None = None,
                 beside: Path = Path()) -> None:
        """Not armed for faults without a schedule. Files are looked for `beside` the test first."""
        self.order, self.folder, self.beside = order, folder, beside
        with no_chatter():
            self.sim: Simulation = Simulation(order, folder, faults=faults)
        self._elsewhere = Elsewhere()
        self.referee = Referee(self)
        self.sim.start()

    # --- time

    @property
    def cycle(self) -> int:
        """Cycles done."""
        return self.sim.engine.cycle

    @property
    def t_s(self) -> float:
        """Machine time."""
        return round(self.cycle * DT_S, 2)

    def now(self) -> Moment:
        """This instant."""
        return self._moment(self.cycle)

    def step(self, count: int = 1) -> Moment:
        """So many cycles of 10 ms, fewer if the session ends."""
        __tracebackhide__ = True
        before = self.cycle
        self._elsewhere.run(lambda: self.sim.step(count))
        return self._moment(before)

    def run_for(self, seconds: float) -> Moment:
        """So much machine time, less if the session ends."""
        return self.step(cycles(seconds))

    def finish(self) -> Moment:
        """To the end of the session, however it ends: see `error`."""
        before = self.cycle
        self._elsewhere.run(self.sim.run)
        return self._moment(before)

    def until(self, asked: Question, within_s: float | None = None) -> Moment:
        """On to the first cycle in which it is so; AssertionError if the session ends before, or after `within_s`."""
        __tracebackhide__ = True
        limit = self.order.longest_s if within_s is None else within_s
        return self._come(named(asked), cycles(limit), f"{limit:g} s")

    def expect(self, asked: Question, within_ms: float = 0.0, for_ms: float = 0.0) -> Moment:
        """It has to be so `within_ms` from now (0: now), and then to stay so `for_ms`. -> the moment in which it became so."""
        __tracebackhide__ = True
        question = named(asked)
        found = self._come(question, whole_cycles("within_ms", within_ms), f"{within_ms:g} ms")
        if for_ms:
            self._stay(question, whole_cycles("for_ms", for_ms), f"{for_ms:g} ms")
        return found

    def always(self, asked: Question, for_s: float) -> Moment:
        """It has to be so now and in every cycle of the time to come. -> its end; earlier if the session ends."""
        __tracebackhide__ = True
        return self._stay(named(asked), cycles(for_s), f"{for_s:g} s")

    def _come(self, asked: Predicate, limit: int, limit_text: str) -> Moment:
        __tracebackhide__ = True
        before = self.cycle
        if not self._watch(asked, limit):
            raise AssertionError(self._missed(asked, before, limit_text))
        return self._moment(before)

    def _stay(self, asked: Predicate, limit: int, limit_text: str) -> Moment:
        __tracebackhide__ = True
        before = self.cycle
        if self._watch(~asked, limit):
            raise AssertionError(f"{asked.name}: for {limit_text} from {before * DT_S:.2f} s on; no longer so after "
                                 f"{(self.cycle - before) * 10} ms, at {self._here(asked)}")
        return self._moment(before)

    def _watch(self, asked: Predicate, limit: int) -> bool:
        """Run until it is so, at most `limit` cycles; -> whether it is."""
        return self._elsewhere.run(lambda: run_until(self.sim, lambda: asked(self), limit))

    def _moment(self, before: int) -> Moment:
        return Moment(self.cycle, self.t_s, (self.cycle - before) * 10.0)

    def _missed(self, asked: Predicate, before: int, limit_text: str) -> str:
        end = f"the session ended first ({self.error or 'delivered'})" if self.sim.finished else "not so"
        return f"{asked.name}: within {limit_text} of {before * DT_S:.2f} s: {end}; now, at {self._here(asked)}"

    def _here(self, asked: Predicate) -> str:
        now = asked.says(self)
        return f"{self.t_s:.2f} s (cycle {self.cycle}){': ' if now else ''}{now}"

    # --- faults

    def inject(self, mode: str | None = None, /, **how: Any) -> Injected:
        """A mode of the catalogue with its settings, or signal=, behaviour=, ... or parameter=, value=; when= and lasts= as in
        a schedule, else now and for good."""
        fault = said(mode, how, [one.id for one in self.evidence()])
        return self._inject(fault)

    def inject_all(self, schedule: str | Path) -> tuple[Injected, ...]:
        """Every fault of a schedule file, each at its moment."""
        return tuple(self._inject(in_a_file(fault)) for fault in load_schedule(found(schedule, self.beside)).faults)

    def _inject(self, fault: dict[str, Any]) -> Injected:
        inject(fault, BY_TEST, "test").carry_out(self.sim)
        return Injected(self, fault["id"])

    def clear(self, name: str) -> Moment:
        """A fault goes away."""
        clear(name, BY_TEST, "test").carry_out(self.sim)
        return self.now()

    def evidence(self) -> tuple[Evidence, ...]:
        """What became of every fault so far; nothing in a machine that is not armed."""
        return () if self.sim.injector is None else self.sim.injector.evidence()

    # --- truth

    @property
    def mu(self) -> float:
        """True MU of the field in hand; 0.0 while there is none."""
        job = self.sim.control.job[0]
        return float(self.sim.plant.beam["true_mu"][0] + job["mu_offset"]) if job["slot"] >= 0 else 0.0

    @property
    def total_mu(self) -> float:
        """True MU since power-up, all beams and images."""
        return float(self.sim.plant.beam["true_total_mu"][0])

    @property
    def beam(self) -> int | None:
        """DICOM number of the field in hand."""
        number = int(self.sim.control.job["beam_number"][0])
        return None if number < 0 else number

    @property
    def rate_mu_per_s(self) -> float:
        """Dose of the last cycle, per second."""
        return float(self.sim.plant.beam["rate_mu_per_s"][0])

    @property
    def emits(self) -> bool:
        """Pulses leave the machine, or may in the next cycle."""
        source = self.sim.plant.beam[0]
        return bool(source["pulses_now"] > 0 or (source["on_cycles"] > 0 and source["on_cycles"] >= source["latency_cycles"]))

    @property
    def permit(self) -> int:
        """Of the controller, on the wire."""
        return int(self.sim.image.beam["permit"][0])

    @property
    def chain_closed(self) -> bool:
        """The safety channel lets the beam through, in truth."""
        return bool(self.sim.plant.safety["permit"][0] == 1.0)

    @property
    def fastest(self) -> float:
        """Speed of the fastest axis, mm or deg per s."""
        speeds = [np.abs(getattr(self.sim.plant, name)["velocity"]).max(initial=0.0) for name in AXIS_DEVICES]
        return float(max(speeds, default=0.0))

    @property
    def gantry_deg(self) -> float:
        """True angle, as the drive has it."""
        return float(self.sim.plant.gantry["position"][0])

    # --- what the controller made of it

    @property
    def panel(self) -> Panel:
        """Interlock rows in force."""
        return self.sim.linac.panel

    @property
    def phase(self) -> str:
        """Of the controller: idle, move, ready, beam or stopped."""
        return (Phase(int(self.sim.control.job["phase"][0])).name or "none").lower()

    def in_phase(self, name: str) -> bool:
        """UsageError for a phase that does not exist."""
        if name.upper() not in Phase.__members__:
            raise UsageError(f"phase {name!r}: there are {', '.join((p.name or '').lower() for p in Phase)}")
        return self.phase == name.lower()

    @property
    def trips(self) -> list[Trip]:
        """All rows that have tripped, in order."""
        return self.panel.history

    @property
    def first_out(self) -> list[str]:
        """Ids of the rows that were first to stop something, one for every stop."""
        return [trip.id for trip in self.trips if trip.first_out]

    @property
    def error(self) -> Exception | None:
        """What ended the session; None while it goes on, and when it was delivered."""
        return self.sim.error

    def said(self, words: str) -> list[Any]:
        """Events whose text holds these words."""
        return [event for event in self.sim.events if words in event.what or words in event.why]

    # --- the end

    @property
    def path(self) -> Path | None:
        """The run folder."""
        return self.folder.path if self.folder else None

    def close(self) -> None:
        """Let go of everything; the run folder keeps what was written."""
        self._elsewhere.close()
        self.sim.loop.close()
        if self.folder:
            self.folder.close()


@contextlib.contextmanager
def no_chatter() -> Iterator[None]:
    """The state machines' library warns of every verb that a class brings itself; pytest would show that with each failure."""
    log = logging.getLogger("transitions.core")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def whole_cycles(name: str, milliseconds: float) -> int:
    """Cycles of 10 ms; UsageError for less than nothing, or for parts of a cycle."""
    count = round(milliseconds / 10)
    if milliseconds < 0 or abs(count * 10 - milliseconds) > 1e-6:
        raise UsageError(f"{name}: {milliseconds:g} ms; give whole cycles of 10 ms")
    return count
