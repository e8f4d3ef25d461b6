"""Composition root: builds machine, controller, loop, staff and record, once, by hand, and runs a session on them."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from transitions import MachineError

from device_models.hands import Hands
from device_models.interface.image import DT_S, new_image
from device_models.plant import new_plant
from device_models.referee.columns import JUDGED

from .control.journal import JOURNAL, SLOTS
from .control.phases import Phase
from .control.signals import Guard
from .control.state import columns, cycles, new_control
from .errors import Aborted, ControllerGone, DeviceError, LinacError, RecordError, RefereeError, RefusedError
from .interlocks.table import compile_parameters, compile_table
from .judged import in_line, inhibiting, verdicts
from .links.imager import LOOK_S
from .order import Order
from .plan.trajectory import prepare
from .records.digest import Digest
from .records.events import Event
from .records.folder import RunFolder
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
    from .imager_link import ImagerLink, Prepared
    from .injection.injector import Injector
    from .injection.schedule import Schedule
    from .links.tapes import Tapes
    from .sequencer.images import Imaging
    from .target_log import TargetLog

ROWS_PER_CHUNK = 4096
SPACE_FOR_A_BEAM = 40_000_000  # bytes: rows of about ten minutes
SETTLE_S = 1.0  # recorded after the last step, so that the record shows how everything came to rest


class Simulation:
    """One session on one virtual machine. Without a folder nothing touches the disk (campaigns, tests)."""

    def __init__(self, order: Order, folder: RunFolder | None = None, *, speed: float | None = None, max_block: int = 20_000,
                 partials: dict[int, tuple[float, bool]] | None = None, imaged_mu: float = 0.0,
                 latches: dict[str, Any] | None = None, realtime_interlock: bool = False, clock: Clock | None = None,
                 prepared: "Prepared | None" = None, hardware: "Hardware | None" = None,
                 faults: "Schedule | None" = None) -> None:
        order, self.changed_at_load = (order, frozenset()) if faults is None else altered_by(order, faults)
        self.order, self.folder, self.partials = order, folder, partials or {}
        self.earlier = dict(self.partials)  # of the run that this one resumes, whatever the record says meanwhile
        self.digest, self.full_rows, self.rows_lost = Digest(), 0, False
        self.events: list[Event] = []
        self.realtime_interlock = realtime_interlock
        machine = order.machine.controller
        self.columns = columns(machine)
        self.image = new_image(machine.sizes())
        self.hardware = hardware or self._new_hardware(None if faults is None else order.seed)
        self.plant = new_plant(order.machine.plant, order.seed, self.hardware.outside if self.hardware else ())
        journal = folder.journal.view(np.ndarray) if folder else np.zeros(SLOTS, JOURNAL)
        self.control = new_control(machine, compile_table(order.table), compile_parameters(order.table, machine),
                                   points=points_needed(order), rows=self._new_rows(), journal=journal)
        self.engine = Engine(self.control, self.image, self.plant, max_block=max_block, more_rows=self._more_rows)
        self.loop = SimLoop(self.engine, speed=speed, clock=clock,
                            on_overrun=self._overrun)
        self.whole: asyncio.Task[None] | None = None
        self.linac: Linac = Linac(machine, order.table, self.control, self.image, self.log)
        self.engine.on_event = self._on_event
        self.engine.trace.state["inhibits"] = inhibiting(order.table)
        self.imager = None if order.imaging is None else self._new_imager(prepared)
        hands = self.imager.hands if self.imager else Hands(self.plant, self._abort)
        self.staff = Staff(order.people, order.reaction_s, order.script, hands, self.log)
        self.residuals: dict[int, tuple[float, tuple[float, ...]]] = {}
        self.target: TargetLog | None = None  # kept where there is a folder to write it to
        self.suite = Suite(self.linac, self.staff, self, order.plan, order.group, session_number(order), bool(partials),
                           self._new_imaging(), order.expected)
        if self.suite.imaging is not None and imaged_mu > 0.0:
            self._carry_over(imaged_mu)
        self.latches = latches
        self.session = Session()
        self.main: asyncio.Task[None] | None = None
        self.error: LinacError | None = None
        self.stuck = self.left = False  # the session ran into its time limit; somebody left it early
        self.injector = None if faults is None else self._new_injector(faults)
        self.record_error: RecordError | None = None
        self.tap_files: dict[str, str] = {}
        self._true_mu: dict[int, float] = {}
        self._counted_mu = 0.0
        self._leave_at_s: float | None = None
        self.observers: list[tuple[float, Callable[[], None]]] = [] if self.imager is None else self._lookers(self.imager)

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
        if self.folder and hardware.outside:
            self._keep(hardware.tapes, self.folder.path)
        if not hardware.lockstep and self.loop.pace.speed is None:
            self.loop.pace.set_speed(1.0)
        self.realtime_interlock = self.realtime_interlock or (not hardware.lockstep and self.loop.pace.speed == 1.0)

    def _keep(self, tapes: "Tapes", path: Path) -> None:
        """What went over the lines, with the record."""
        tapes.tell = lambda why: self.log("record", why)
        self.tap_files = tapes.open(path)
        self.observers.append((tapes.every_s, tapes.look))

    # --- imaging, in sessions that have it: the modules are heavy, so others start without

    def _new_imager(self, prepared: "Prepared | None") -> "ImagerLink":
        from .imager_link import ImagerLink, ImagingHands, prepare

        order = self.order
        assert order.imaging is not None
        patient, beam = order.imaging.patient, order.plan.fraction(order.group)[0]
        return ImagerLink(prepared or order.imaging.room or prepare(patient, order.plan), patient, beam, self.plant, self.image,
                          ImagingHands(self.plant, self._abort), lambda: self.engine.cycle, self._left_alone_s, order.seed)

    def _lookers(self, room: "ImagerLink") -> list[tuple[float, Callable[[], None]]]:
        """Who looks at the patient all the time: the surface monitor, where the protocol uses it, and the record of the truth."""
        assert self.order.imaging is not None
        used = self.order.imaging.protocol.intrafraction.surface is not None
        return [*([(room.monitor.config.every_s, room.look_at_skin)] if used else []), *self._truth_kept(room)]

    def _truth_kept(self, room: "ImagerLink") -> list[tuple[float, Callable[[], None]]]:
        """For the report, where there will be one: read only, so the bits of a run do not depend on it."""
        if self.folder is None:
            return []
        from .target_log import EVERY_S, TargetLog

        self.target = TargetLog(room, self.control, self.order.plan.fraction(self.order.group))
        return [(EVERY_S, self.target.look)]

    def _new_imaging(self) -> "Imaging | None":
        order = self.order
        if self.imager is None or order.imaging is None or order.machine.controller.kv_imager is None:
            return None
        from .imager_ends import imagers
        from .mv_link import MvLink
        from .sequencer.images import Imaging
        from .subsystems.kv_imager import KvImager
        from .subsystems.mv_imager import MvImager

        machine = order.machine.controller
        exposures, portal = imagers(self.hardware, self.imager, MvLink(self.imager, machine) if machine.mv_imager else None)
        kv = KvImager(self.linac, order.machine.controller.kv_imager, exposures)
        mv = None if machine.mv_imager is None or portal is None else MvImager(self.linac, machine.mv_imager, portal)
        return Imaging(order.imaging.protocol, order.imaging.scan, kv, self.imager.prepared.planning, self.imager.reference.t_mm,
                       mv_imager=mv)

    def _carry_over(self, imaged_mu: float) -> None:
        """What an earlier run of this fraction gave for images counts against the protocol's limit, and stays on record."""
        from .sequencer.imaging_field import carry_over

        carry_over(self.suite, imaged_mu)

    def _left_alone_s(self) -> float:
        """When the last person left the room for the first time: from then on nobody corrects how the patient lies."""
        return next((event.t_s for event in self.events if event.what == "press_search"), self.engine.cycle * DT_S)

    def _note_residual(self, what: str) -> None:
        """Truth at every beam-on, for the result and never for the controller."""
        number = int(self.control.job["beam_number"][0])
        if self.imager is not None and number not in self.residuals and what == f"beam {number} on":
            beam = next(beam for beam in self.order.plan.fraction(self.order.group) if beam.number == number)
            self.residuals[number] = self.imager.residual(float(beam.couch[0][3]))

    # --- running

    def start(self) -> None:
        """Power up and hand over to the session; no time passes yet."""
        self.linac.guard(Guard.NOT_ABORTED, True)
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
            self.stuck = True
            self._end(DeviceError(f"session: not over after {self.order.longest_s:g} s of machine time; see time_limit_s"))
        except MachineError as error:  # a verb that a subsystem does not know in its state
            await self.linac.lost()
            self._end(DeviceError(f"session: {error}; everything is at rest; look at the event log, then resume from the record"))
        except BaseExceptionGroup as errors:
            if not isinstance(errors.exceptions[0], LinacError):
                raise
            self._end(errors.exceptions[0])

    def _end(self, error: LinacError) -> None:
        """What the session ended with. A record that was lost is the cause of whatever came of it."""
        cause = RecordError(f"{self.record_error}; {error}") if self.record_error else error
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
        if self.folder:
            try:
                self.folder.write_latches(self.linac.panel.latches())
            except RecordError as error:
                self._record_lost(error)
                self._end(error)

    def abort(self) -> None:
        """Somebody wants it all to stop: beam off in the next cycle, then the session ends. Safe from a signal handler."""
        self.engine.abort_wanted = True

    def _abort(self) -> None:
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
        self.linac.on_event(events)
        if events & JUDGED:
            self._judged()
        if self.main is not None and self.error is None and any(trip.id == "ABORT" for trip in self.linac.panel.active()):
            self.error = Aborted("aborted by the operator: beam off, motion stopped")
            self.main.cancel()

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

    def log(self, who: str, what: str, *, why: str = "", role: str = "", old: Any = None, new: Any = None) -> None:
        """One event: who did what, why, old and new value."""
        self._count_truth()  # before anybody lets go of the beam in hand
        self._note_residual(what)
        cycle = self.engine.cycle
        event = Event(cycle, round(cycle * DT_S, 2), who, what, role, why, old, new)
        self.events.append(event)
        self._write(event)
        if self.injector is not None:  # last, so that what comes of an event stands behind it
            self.injector.heard(who, what)

    def _write(self, event: Event) -> None:
        """To the digest, and to the folder if there is one."""
        if self.folder is None:
            self.digest.update(event.line())
            return
        try:
            self.digest.update(self.folder.append(event))
        except RecordError as error:
            self._record_lost(error)
        if self.folder.space_low and self.record_error is None:
            self._record_lost(RecordError(f"{self.folder.path}: disk full, the reserve is in use; free space, then resume"))

    def _record_lost(self, error: RecordError) -> None:
        """No record, no beam: an inhibit before it, an interrupt during it."""
        self.record_error = self.record_error or error
        self.linac.guard(Guard.RECORD, False)

    def _new_rows(self) -> Any:
        if self.folder is None:
            return np.zeros((ROWS_PER_CHUNK, len(self.columns)), np.float32)
        return np.asarray(self.folder.next_rows_chunk(ROWS_PER_CHUNK))

    def _more_rows(self, full: Any) -> Any:
        """A chunk is full: count it into the digest and give the cycle a new one."""
        self.digest.update(full)
        self.full_rows += 0 if self.rows_lost else len(full)
        if self.folder is None:
            return full
        try:
            return self._new_rows()
        except RecordError as error:
            self._record_lost(error)
            self.rows_lost = True  # from here on, and the interlock says so
            return np.zeros_like(full)

    def finish(self) -> str:
        """Close the row files; -> digest over rows, events and the last state."""
        used = int(self.control.job["row"][0])
        self.digest.update(np.ascontiguousarray(self.engine.control.rows[:used]))
        if self.hardware:
            self.hardware.close()
        for part in (*self.image, *parts_of(self.plant), self.control.job, self.control.signals, self.control.interlocks):
            self.digest.update(np.asarray(part).view(np.ndarray))
        if self.folder:
            self.folder.finish_rows(self.full_rows + (0 if self.rows_lost else used))
        return self.digest.text

    # --- Record, as the steps need it

    def can_go_on(self) -> bool:
        """True if the folder takes what the next beam will write."""
        if self.folder is None:
            return True
        from .records.space import probe_space

        try:
            probe_space(self.folder.path, SPACE_FOR_A_BEAM)
        except RecordError as error:
            self.record_error = error
            return False
        self.record_error = self.record_error if self.folder.space_low else None
        return not self.folder.space_low

    def delivered_before(self, beam_number: int) -> tuple[float, bool]:
        """(MU on record, complete) from the run that this one resumes."""
        return self.partials.get(beam_number, (0.0, False))

    def counted(self, beam_number: int, mu: float) -> None:
        """The machine has counted more of a beam than is on record: that is what was given."""
        self.partials = {**self.partials, beam_number: (mu, False)}

    def earlier_mu(self, beam_number: int) -> float:
        """MU of the run that this one resumes."""
        return self.earlier.get(beam_number, (0.0, False))[0]

    def bytes_unchanged(self) -> tuple[bool, bool]:
        """(plan file, configuration files) against what was read at the start."""
        order = self.order
        plan = hashlib.sha256(order.plan_path.read_bytes()).hexdigest() == order.plan.sha256 if order.plan_path.exists() else False
        return plan, all(os.path.exists(f) and hashlib.sha256(Path(f).read_bytes()).hexdigest() == sha for f, sha in order.files)

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


def points_needed(order: Order) -> int:
    """Control points of the longest field, carriage moves included; at least two."""
    from .plan.check import require_deliverable

    require_deliverable(order.plan, order.machine.controller)
    return max([2, *(prepare(beam, order.machine.controller).points for beam in order.plan.fraction(order.group))]) + 8


def session_number(order: Order) -> int:
    """A number for this session, the same in every run of the same order."""
    text = f"{order.name}/{order.seed}/{order.plan.sha256}/{order.configuration_sha256}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
