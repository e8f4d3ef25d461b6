"""Composition root: builds machine, controller, loop, staff and record, once, by hand, and runs a session on them."""

import asyncio
import hashlib
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transitions import MachineError

from device_models.hands import Hands
from device_models.interface.image import DT_S, new_image
from device_models.plant import new_plant
from device_models.referee.columns import JUDGED

from . import image_guidance as guidance
from .control.phases import Phase
from .control.signals import Guard
from .control.state import columns, cycles, new_control
from .errors import Aborted, ControllerGone, DeviceError, LinacError, RecordError, RefereeError, RefusedError
from .interlocks.table import compile_parameters, compile_table
from .judged import in_line, inhibiting, verdicts
from .links.imager import LOOK_S
from .order import Order
from .plan.trajectory import prepare
from .recorder import Recorder
from .records.events import Event
from .records.folder import RunFolder
from .records.rows import Rows
from .runtime.engine import Engine
from .runtime.pace import Clock
from .runtime.quiet import undisturbed
from .runtime.simloop import SimLoop
from .sequencer.session import Session, Suite
from .sequencer.staff import Staff, latched_before
from .sequencer.treat import FieldLost
from .subsystems.linac import Linac

if TYPE_CHECKING:
    from device_models.referee.judging.recording import Recording
    from device_models.referee.judging.verdict import Verdicts

    from .hardware import Hardware
    from .imager_link import Prepared
    from .injection.injector import Injector
    from .injection.schedule import Schedule
    from .links.tapes import Tapes
    from .target_log import TargetLog

HANDLERS = 4  # parts of the event side that hear of a cycle: trips, waits, holds, the beam
SETTLE_S = 1.0  # recorded after the last step, so that the record shows how everything came to rest


class Simulation:
    """One session on one virtual machine. Without a folder nothing touches the disk (campaigns, tests)."""

    def __init__(self, order: Order, folder: RunFolder | None = None, *, speed: float | None = None, max_block: int = 20_000,
                 partials: dict[int, tuple[float, bool]] | None = None, imaged_mu: float = 0.0,
                 latches: dict[str, Any] | None = None, realtime_interlock: bool = False, clock: Clock | None = None,
                 prepared: "Prepared | None" = None, hardware: "Hardware | None" = None,
                 faults: "Schedule | None" = None) -> None:
        order, self.changed_at_load = (order, frozenset()) if faults is None else altered_by(order, faults)
        self.order, self.realtime_interlock = order, realtime_interlock
        machine = order.machine.controller
        self.columns = columns(machine)
        self.record = Recorder(order, self.columns, folder, partials or {}, lambda: self.linac.guard(Guard.RECORD, False))
        self.image = new_image(machine.sizes())
        self.hardware = hardware or self._new_hardware(None if faults is None else order.seed)
        self.plant = new_plant(order.machine.plant, order.seed, self.hardware.outside if self.hardware else ())
        self.control = new_control(machine, compile_table(order.table), compile_parameters(order.table, machine),
                                   points=points_needed(order), rows=self.record.new_rows(), journal=self.record.new_journal())
        self.engine = Engine(self.control, self.image, self.plant, max_block=max_block, more_rows=self.record.more_rows)
        self.loop = SimLoop(self.engine, speed=speed, clock=clock, on_overrun=self._overrun)
        self.whole: asyncio.Task[None] | None = None
        self.linac: Linac = Linac(machine, order.table, self.control, self.image, self.log)
        self.engine.on_event = self._on_event
        self.engine.trace.state["inhibits"] = inhibiting(order)
        self.imager = None if order.imaging is None else guidance.new_imager(self, prepared)
        hands = self.imager.hands if self.imager else Hands(self.plant, self.stop_pressed)
        self.staff = Staff(order.people, order.reaction_s, order.script, hands, self.log)
        self.residuals: dict[int, tuple[float, tuple[float, ...]]] = {}
        self.target: TargetLog | None = None  # kept where there is a folder to write it to
        self.suite = Suite(self.linac, self.staff, self.record, order.plan, order.group, session_number(order), bool(partials),
                           guidance.new_imaging(self), order.expected)
        if self.suite.imaging is not None and imaged_mu > 0.0:
            guidance.carry_over(self.suite, imaged_mu)
        self.latches = latches
        self.session = Session()
        self.main: asyncio.Task[None] | None = None
        self.error: LinacError | None = None
        self.stuck = self.left = False  # the session ran into its time limit; somebody left it early
        self.injector = None if faults is None else self._new_injector(faults)
        self.tap_files: dict[str, str] = {}
        self._true_mu: dict[int, float] = {}
        self._counted_mu = 0.0
        self._leave_at_s: float | None = None
        self.observers: list[tuple[float, Callable[[], None]]] = [] if self.imager is None else guidance.lookers(self, self.imager)

    # --- faults, in runs that are armed for them

    def _new_injector(self, faults: "Schedule") -> "Injector":
        from .injection.injector import Injector

        return Injector(self, faults)

    # --- subsystems behind bytes, in sessions that have them

    def _new_hardware(self, faulty: int | None) -> "Hardware | None":
        if all(url.scheme == "sim" for url in self.order.links.values()):
            return None
        from .hardware import Hardware

        return Hardware(self.order.links, self.order.machine.controller, self.order.imaging is not None, faulty)

    def _join(self, hardware: "Hardware") -> None:
        """Devices in place of wires; one whose clock runs by itself makes this run one in real time."""
        hardware.join(self.engine, self.order.seed)
        for line in hardware.imagers:
            line.tell = partial(self.log, line.unit.name)
            self.observers.append((LOOK_S, line.look))
        if self.record.folder and hardware.outside:
            self._keep(hardware.tapes, self.record.folder.path)
        if not hardware.lockstep and self.loop.pace.speed is None:
            self.loop.pace.set_speed(1.0)
        self.realtime_interlock = self.realtime_interlock or (not hardware.lockstep and self.loop.pace.speed == 1.0)

    def _keep(self, tapes: "Tapes", path: Path) -> None:
        """What went over the lines, with the record."""
        tapes.tell = lambda why: self.log("record", why)
        self.tap_files = tapes.open(path)
        self.observers.append((tapes.every_s, tapes.look))

    # --- running

    def start(self) -> None:
        """Power up and hand over to the session; no time passes yet."""
        self.linac.guard(Guard.NOT_ABORTED, True)
        self.linac.guard(Guard.RECOVERY, not self.suite.resumed)
        if self.hardware:
            self._join(self.hardware)
        self.engine.power_up()
        if self.hardware:
            self.hardware.attach(self.loop)
        if self.latches:
            self.linac.panel.restore(self.latches)
        self.whole = self.loop.create_task(self._whole())

    def run(self) -> Session:
        """The whole workflow, or what is left of it; never raises for what a session may run into: see `error`."""
        if self.whole is None:
            self.start()
        assert self.whole is not None
        with undisturbed(self.loop.pace.speed is not None):
            self.loop.pace.rest()
            try:
                self.loop.run_until_complete(self.whole)
            except ControllerGone as gone:
                self.error = gone
        return self.session

    def step(self, cycles: int = 1) -> None:
        """Let so many cycles pass, fewer if the session ends, then pause. Bits are those of a run in one go."""
        if self.whole is None:
            self.start()
        assert self.whole is not None
        if self.whole.done():
            return
        self.whole.add_done_callback(self._stop_loop)
        self.loop.run_cycles(cycles)
        self.whole.remove_done_callback(self._stop_loop)
        if self.whole.done():
            self.whole.result()

    def run_for(self, seconds: float) -> None:
        """As `step`, in machine time."""
        self.step(cycles(seconds))

    @property
    def finished(self) -> bool:
        """Nothing more will happen: the session has ended, and everything has come to rest."""
        return self.whole is not None and self.whole.done()

    def set_speed(self, speed: float | None) -> None:
        """From the next cycle on; None is as fast as it goes. Changes no bits."""
        self.loop.pace.set_speed(speed)

    def _stop_loop(self, done: asyncio.Task[None]) -> None:
        self.loop.stop()

    async def _whole(self) -> None:
        self.main = self.loop.create_task(self._main())
        try:
            await self.main
        except asyncio.CancelledError:
            if self.error is None:  # none of those who may have asked for it
                self.error = DeviceError("session: the task that leads it was cancelled, and nobody had asked for that; beam off, "
                                         "motion stopped; look at the event log, then resume from the record")
                await self.linac.lost()
        await self._come_to_rest()

    async def _main(self) -> None:
        self.staff.start()
        if self._leave_at_s is not None:
            self.loop.call_at(self._leave_at_s, self._leave)
        for every_s, look in self.observers:
            self.loop.observe(cycles(every_s), look)
        try:
            self._refuse_latched()
            async with asyncio.timeout(self.order.longest_s):
                for step in self.order.steps:
                    self.log("sequencer", f"step {type(step).__name__}")
                    self.session = await step.run(self.suite, self.session)
        except FieldLost as lost:
            self.session = lost.session
            self._end(lost)
        except LinacError as error:
            self._end(error)
        except TimeoutError:
            self._end(self._out_of_time())
        except MachineError as error:  # a verb that a subsystem does not know in its state
            await self.linac.lost()
            self._end(DeviceError(f"session: {error}; everything is at rest; look at the event log, then resume from the record"))
        except BaseExceptionGroup as errors:
            if not isinstance(errors.exceptions[0], LinacError):
                raise
            self._end(errors.exceptions[0])

    def _out_of_time(self) -> DeviceError:
        """The session's time limit is over; or something of ours has ended a wait before its time."""
        at_s, longest_s = self.engine.cycle * DT_S, self.order.longest_s
        self.stuck = at_s >= longest_s
        if self.stuck:
            return DeviceError(f"session: not over after {longest_s:g} s of machine time; see time_limit_s")
        return DeviceError(f"session: a wait was broken off after {at_s:g} s, long before the time limit of {longest_s:g} s; "
                           "look at the event log, then resume from the record")

    def _end(self, error: LinacError) -> None:
        """What the session ended with. A record that was lost is the cause of whatever came of it."""
        cause = RecordError(f"{self.record.error}; {error}") if self.record.error else error
        self.error = self.error or cause

    def _refuse_latched(self) -> None:
        """What an earlier run left latched is for a person to reset, not for the staff of this run."""
        if self.latches:
            raise RefusedError(latched_before(self.latches, "RUN"))

    async def _come_to_rest(self) -> None:
        """Beam off for good, a second more of record, latches kept."""
        if self.error is not None:
            self.log("sequencer", "session ended", why=str(self.error))
            self.linac.beam.stand_down()
            self.linac.enter(Phase.IDLE)
        await asyncio.sleep(SETTLE_S)
        try:
            self.record.keep_latches(self.linac.panel.latches())
        except RecordError as error:
            self._end(error)

    def abort(self) -> None:
        """Somebody wants it all to stop: beam off in the next cycle, then the session ends. Safe from a signal handler."""
        self.engine.abort_wanted = True

    def stop_pressed(self) -> None:
        """The operator's stop: latched until a person resets it."""
        self.linac.guard(Guard.NOT_ABORTED, False)

    def _leave(self) -> None:
        self.left = True
        self.error = self.error or RefusedError(f"stopped as asked after {self._leave_at_s:g} s of machine time")
        if self.main is not None:
            self.main.cancel()

    def stop_after(self, seconds: float) -> None:
        """Leave the session after so much machine time, with a record that can be resumed."""
        self._leave_at_s = seconds

    def _count_truth(self) -> None:
        """Book the dose since the last look on the beam in hand; the number changes only between beams."""
        total = float(self.plant.beam["true_total_mu"][0])
        if (number := int(self.control.job["beam_number"][0])) >= 0:
            self._true_mu[number] = self._true_mu.get(number, 0.0) + total - self._counted_mu
            self._counted_mu = total

    def _on_event(self, events: int) -> None:
        self._count_truth()
        self._tell(events)
        if events & JUDGED:
            self._judged()
        if self.main is not None and self.error is None and self.linac.panel.stands("ABORT"):
            self.error = Aborted("aborted by the operator: beam off, motion stopped")
            self.main.cancel()

    def _tell(self, events: int) -> None:
        """The event side hears what the cycle has done. A part of it that raises must not leave the others deaf: once more, without
        beam, as often as it has parts; what raises even then is broken for good, and ends the process."""
        for _ in range(HANDLERS):
            try:
                return self.linac.on_event(events)
            except Exception as error:
                self.linac.guard(Guard.TASK_ALIVE, False)
                self.loop.call_later(2 * DT_S, self.linac.guard, Guard.TASK_ALIVE, True)
                self.log("controller", "a handler failed", why=f"{type(error).__name__}: {error}; beam off, motion stopped")
        self.linac.on_event(events)

    def _judged(self) -> None:
        """The referee has seen in this very cycle what must never be: nothing goes on after that, unless it was told to watch."""
        why = in_line(self.engine.trace.state[0])
        if self.order.referee == "watch":
            self.log("referee", "noted a violation, and only watches", why=why)
            return
        self.log("referee", "stopped the run", why=why)
        self.error = RefereeError(why)
        self.abort()
        if self.main is not None:
            self.main.cancel()

    def _overrun(self, streak: int) -> None:
        if self.realtime_interlock:
            self.linac.guard(Guard.OVERRUN_STREAK, float(streak))
            self.linac.guard(Guard.CLOCK_STEP_S, self.loop.pace.last_late_us * 1e-6 if streak else 0.0)

    # --- the record

    @property
    def events(self) -> list[Event]:
        """Everything that was logged, in order."""
        return self.record.events

    def log(self, who: str, what: str, *, why: str = "", role: str = "", old: Any = None, new: Any = None) -> None:
        """One event: who did what, why, old and new value."""
        self._count_truth()  # before anybody lets go of the beam in hand
        guidance.note_residual(self, what)
        cycle = self.engine.cycle
        self.record.write(Event(cycle, round(cycle * DT_S, 2), who, what, role, why, old, new))
        if self.injector is not None:  # last, so that what comes of an event stands behind it
            self.injector.heard(who, what)

    def keep_rows(self) -> None:
        """From now on, in memory; without a folder they are overwritten when their chunk is full."""
        self.record.kept = []

    def rows(self) -> Rows:
        """Every row so far, of a run that keeps them; with a folder, before `finish`."""
        return self.record.rows(self.engine.control.rows[:int(self.control.job["row"][0])])

    def count_rows(self) -> None:
        """Into the digest, all that is recorded by now: whoever goes on from here need not do it."""
        self.record.count_rows(self.engine.control.rows[:int(self.control.job["row"][0])])

    def finish(self) -> str:
        """Close the row files; -> digest over rows, events and the last state."""
        if self.hardware:
            self.hardware.close()
        used = int(self.control.job["row"][0])
        ended = (*self.image, *parts_of(self.plant), self.control.job, self.control.signals, self.control.interlocks)
        return self.record.finish(self.engine.control.rows[:used], ended)

    @property
    def trace(self) -> "Recording":
        """What the referee's witness has written down so far."""
        return self.engine.recording

    def verdicts(self) -> "Verdicts":
        """The referee's, on the run so far: plant truth and wires against every property of its catalogue."""
        return verdicts(self)

    def true_mu(self) -> dict[int, float]:
        """Plant truth per beam of the fraction: for the result, never for the controller."""
        self._count_truth()
        return dict(self._true_mu)


def altered_by(order: Order, faults: "Schedule") -> tuple[Order, frozenset[str]]:
    """The order as it is read with these faults, and whose faults made a difference; LinacError where it is noticed."""
    from .injection.loading import altered_at_load

    return altered_at_load(order, faults)


def parts_of(plant: Any) -> list[Any]:
    """All arrays of a nested NamedTuple, in order."""
    found: list[Any] = []
    for part in plant:
        found += parts_of(part) if isinstance(part, tuple) else [part]
    return found


@lru_cache(maxsize=4)
def points_needed(order: Order) -> int:
    """Control points of the longest field, carriage moves included; at least two. Looked at once for all runs of an order."""
    from .plan.check import require_deliverable

    require_deliverable(order.plan, order.machine.controller)
    return max([2, *(prepare(beam, order.machine.controller).points for beam in order.plan.fraction(order.group))]) + 8


def session_number(order: Order) -> int:
    """A number for this session, the same in every run of the same order."""
    text = f"{order.name}/{order.seed}/{order.plan.sha256}/{order.configuration_sha256}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
