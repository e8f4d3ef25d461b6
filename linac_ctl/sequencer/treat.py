"""Step: every beam of the fraction, one after the other: position, warm, arm, beam on; interrupted beams are resumed."""

import asyncio
import hashlib
import math
from dataclasses import dataclass

import numpy as np

from device_models.interface.image import DT_S, Couch

from ..config.machine import BeamLimits
from ..control.phases import Phase, Reaction
from ..control.signals import Guard, Signal
from ..errors import DeviceError, RefusedError
from ..plan.model import Beam
from ..plan.trajectory import Field, prepare
from ..subsystems.beam import Delivered
from ..subsystems.beam_states import BeamState
from ..subsystems.linac import Linac, Tripped
from . import approval
from .approval import Approval
from .approve import Approve
from .intrafraction import TargetLost, ready_to_look, watched
from .session import BeamOutcome, Session, Suite
from .verify import Verify

Stop = tuple[int, Exception]  # cycle, and what ended an attempt
NOTHING_LEFT_MU = 1e-6
AFTERWARDS_S = 0.1  # of record that still bears the number of the beam: the last dose comes in, the gantry coasts
SMALL_TURN_DEG = 1.0
BLOCKS_START = int(Reaction.PREVENT_START | Reaction.BEAM_OFF | Reaction.BEAM_HOLD)


class FieldLost(DeviceError):
    """A beam could not be completed in this session; what was delivered is in the session that comes with it."""

    exit_code = 1

    def __init__(self, message: str, session: Session) -> None:
        super().__init__(message)
        self.session = session


@dataclass(frozen=True, slots=True)
class Treat:
    """Delivers what is left of each beam. `auto_sequence`: one press of beam-on serves all coplanar beams."""

    auto_sequence: bool = True
    most_beams: int = 0  # of this step, in the plan's order; 0 = all that are left
    most_resumes: int = 3
    patience_s: float = 120.0
    pair: bool = False  # a target that was lost is looked for in a kV pair, not in a CBCT
    approve_s: float = 15.0  # and where it was found is looked at for so long

    async def run(self, suite: Suite, session: Session) -> Session:
        """-> session with one outcome per beam."""
        if not session.beams:
            raise RefusedError("treat: no plan is loaded; put the load step before it")
        before: Beam | None = None
        done = {outcome.number for outcome in session.outcomes if outcome.complete}
        left = [(slot, beam) for slot, beam in enumerate(session.beams) if beam.number not in done]
        for slot, beam in left[: self.most_beams or len(left)]:
            done_mu, complete = suite.record.delivered_before(beam.number)
            if complete or beam.mu - done_mu <= NOTHING_LEFT_MU:
                session = session.with_outcome(nothing_left(beam, done_mu))
                continue
            press = before is None or not self.auto_sequence or couch_differs(before, beam)
            session = await self._beam(suite, session, beam, slot, done_mu, press)
            before = beam
        await let_go(suite.linac)
        suite.linac.enter(Phase.IDLE)
        return session

    async def _beam(self, suite: Suite, session: Session, beam: Beam, slot: int, done_mu: float, press: bool) -> Session:
        """One beam with its interruptions."""
        linac, resumed = suite.linac, False
        stops: list[Stop] = []
        linac.panel.new_field()
        mu, last = done_mu, Delivered(done_mu, done_mu, 0.0)
        while True:
            try:
                last = await self._attempt(suite, session, beam, slot, mu, press or bool(stops), resumed)
                return session.with_outcome(outcome_of(beam, done_mu, last, True, len(stops)))
            except (Tripped, DeviceError, RefusedError) as stop:
                stops.append((linac.cycle, stop))
                if beam_was_armed(linac, slot):
                    last, resumed = linac.beam.delivered(), True
                    mu = max(last.mu_1, mu)  # the counters go on: the primary ends a field, interrupted or not
                session = session.with_outcome(outcome_of(beam, done_mu, last, False, len(stops)))
                session = await self._recover(suite, session, stops, beam, mu)
                if beam.mu - mu <= NOTHING_LEFT_MU:  # stopped in the very cycle in which the last MU came in
                    return session.with_outcome(outcome_of(beam, done_mu, last, True, len(stops)))

    def _lost(self, linac: Linac, stops: list[Stop], mu: float) -> str:
        """Why the field is over, empty if it may go on. Refused twice, and nothing was reset in between: waiting does not help."""
        stop = stops[-1][1]
        if isinstance(stop, TargetLost) and not stop.reposition:
            return "the protocol ends it here"
        if (isinstance(stop, Tripped) and stop.terminate) or (linac.beam.state is BeamState.TERMINATED and mu > 0.0):
            return "the field is terminated"
        refused = len(stops) > 1 and all(isinstance(s, RefusedError) for _, s in stops[-2:])
        if refused and not any(reset["cycle"] >= stops[-2][0] for reset in linac.panel.resets):
            return "not started"
        return f"interrupted {len(stops)} times" if len(stops) > self.most_resumes else ""

    async def _recover(self, suite: Suite, session: Session, stops: list[Stop], beam: Beam, mu: float) -> Session:
        """Clear what stopped the beam, or give the field up. A target that was lost is brought back where the protocol says so."""
        linac, stop = suite.linac, stops[-1][1]
        linac.log("sequencer", f"beam {beam.number} stopped", why=str(stop), new=f"{mu:.3f} of {beam.mu:.3f} MU")
        suite.staff.hear(f"stopped:{beam.number}")
        linac.enter(Phase.STOPPED)
        if why := self._lost(linac, stops, mu):
            await let_go(linac)
            raise FieldLost(f"beam {beam.number} {beam.name!r}: {mu:.2f} of {beam.mu:.2f} MU; {why}: {stop}", session) from stop
        if not linac.signal(Signal.DOOR) >= 1.0:  # nobody may reset a door that stands open
            await suite.staff.act("press_search")
            await suite.staff.act("close_door")
        if left := await suite.staff.clear(linac, self.patience_s):
            await let_go(linac)
            raise FieldLost(f"beam {beam.number} {beam.name!r}: {mu:.2f} of {beam.mu:.2f} MU; not cleared: {'; '.join(left)}",
                            session) from stop
        return await self._brought_back(suite, session, stop) if isinstance(stop, TargetLost) else session

    async def _brought_back(self, suite: Suite, session: Session, stop: TargetLost) -> Session:
        """The target is off: image, match, approve, shift and approve again. FieldLost when that does not help."""
        approval.revoke(suite.linac)
        suite.linac.enter(Phase.IDLE)
        try:
            return await Approve(self.approve_s).run(suite, await Verify(self.pair).run(suite, session))
        except (RefusedError, DeviceError) as failure:
            await let_go(suite.linac)
            raise FieldLost(f"{stop}; not brought back: {failure}", session) from stop

    async def _attempt(self, suite: Suite, session: Session, beam: Beam, slot: int, start_mu: float, press: bool,
                       resumed: bool) -> Delivered:
        """From wherever the machine stands to the last MU."""
        linac = suite.linac
        approval.check(suite, session, float(beam.couch[0][3]))
        field = prepare(beam, linac.config, start_mu)
        linac.guard(Guard.RESUME, start_mu <= beam.mu)
        linac.guard(Guard.RECORD, suite.record.can_go_on())
        await ready_to_look(suite)
        await position(linac, field, session.approval)
        await linac.beam.warm(beam.mode)
        await linac.beam.arm(field, slot=slot, time_limit_s=time_limit_s(field, linac.config.beam), session=suite.session_number,
                             prescription=prescription_number(field), resumed=resumed)
        if press:
            await suite.staff.confirm(f"beam-on {beam.number}")
        check_bytes(suite)
        approval.check(suite, session, float(beam.couch[0][3]))
        await ready(linac)
        linac.log("sequencer", f"beam {beam.number} on", why=f"{beam.mode}, {field.technique_text}", old=f"{start_mu:.3f} MU")
        suite.staff.hear(f"beam_on:{beam.number}")
        async with watched(suite, session, field):
            delivered = await linac.beam.deliver(longest_s(field))
        linac.log("sequencer", f"beam {beam.number} complete", new=f"{delivered.mu_1:.3f} MU, {delivered.mu_2:.3f} MU")
        return delivered


async def let_go(linac: Linac) -> None:
    """The field is over: gun and RF off, the counters belong to nobody any more."""
    await asyncio.sleep(AFTERWARDS_S)
    linac.beam.stand_down()


def check_bytes(suite: Suite) -> None:
    """Last thing before a beam: the files still say what was read."""
    plan_same, configuration_same = suite.record.bytes_unchanged()
    suite.linac.guard(Guard.PLAN_INTEGRITY, plan_same)
    suite.linac.guard(Guard.CONFIG_INTEGRITY, configuration_same)


def beam_was_armed(linac: Linac, slot: int) -> bool:
    """The counters belong to this field (they do from arming on)."""
    return int(linac.control.job["slot"][0]) == slot


def outcome_of(beam: Beam, start_mu: float, given: Delivered, complete: bool, interruptions: int) -> BeamOutcome:
    """What became of a beam so far."""
    return BeamOutcome(beam.number, beam.name, beam.mu, start_mu, given.mu_1, given.mu_2, given.beam_on_s, complete, interruptions)


def nothing_left(beam: Beam, done_mu: float) -> BeamOutcome:
    """A beam that an earlier partial delivery has completed."""
    return BeamOutcome(beam.number, beam.name, beam.mu, done_mu, done_mu, done_mu, 0.0, True, 0)


def couch_differs(a: Beam, b: Beam) -> bool:
    """Auto-sequence never turns the couch without somebody pressing the button."""
    return bool(np.nanmax(np.abs(a.couch[-1] - b.couch[0]), initial=0.0) > 1e-3)


def time_limit_s(field: Field, limits: BeamLimits) -> float:
    """The backup timer's limit, rounded up to 0.01 min as real machines do."""
    moving = bool((np.abs(np.diff(field.mu)) > 0).sum() > 1)
    factor = limits.timer_factor_dynamic if moving else limits.timer_factor_static
    minutes = max(factor * field.beam_on_s, limits.timer_floor_s) / 60.0
    return round(math.ceil(minutes * 100 - 1e-9) / 100 * 60.0, 3)


def longest_s(field: Field) -> float:
    """Machine time after which a delivery has failed, holds and motions without dose included."""
    return 60.0 + 3.0 * field.beam_on_s + 30.0 * float(field.move.sum())


def prescription_number(field: Field) -> int:
    """A number that changes with anything that is about to be delivered."""
    digest = hashlib.sha256()
    for table in (field.mu, *field.axes.values()):
        digest.update(np.ascontiguousarray(table).tobytes())
    return int.from_bytes(digest.digest()[:7], "big")


async def position(linac: Linac, field: Field, approved: Approval | None = None) -> None:
    """All beam-shaping axes and the couch to where the field starts; absolute goals. An approved position is the couch's."""
    if linac.beam.state in (BeamState.INTERRUPTED, BeamState.TERMINATED):
        linac.beam.trigger("reselect")
    linac.enter(Phase.MOVE)
    await asyncio.sleep(2 * DT_S)  # drive power is back and setpoints stand where the axes stand
    start = dict(field.start)
    if field.run_up:
        start["gantry"] = np.array([field.run_up.begin_deg])
    couch = couch_goal(linac, field.beam) if approved is None else np.array(approved.couch.six)
    await turn_couch(linac, couch)
    async with gathered() as moves:
        for name, goal in start.items():
            moves.create_task(getattr(linac, name).move_to(goal))
        moves.create_task(linac.couch.move_to(couch))


async def turn_couch(linac: Linac, goal: np.ndarray) -> None:
    """A couch turns only under a gantry that stands where no turn can meet it (the TGA RC-2014-RN-00614-1 lesson)."""
    rotation = int(Couch.ROTATION)
    if len(goal) <= rotation or abs(goal[rotation] - float(linac.image.couch["readback"][rotation])) <= SMALL_TURN_DEG:
        return
    await linac.gantry.move_to(np.array([linac.config.couch_turn_gantry_deg]))
    await linac.couch.move_to(goal)


def couch_goal(linac: Linac, beam: Beam) -> np.ndarray:
    """The beam's couch position; axes that the plan leaves open stay where they are aimed."""
    now = np.array(linac.control.couch["goal"])
    planned = beam.couch[0][: len(now)]
    return np.where(np.isnan(planned), now, planned)


class gathered:
    """A TaskGroup that raises its first error itself, so that callers can catch what it is."""

    def __init__(self) -> None:
        self.group = asyncio.TaskGroup()

    async def __aenter__(self) -> asyncio.TaskGroup:
        return await self.group.__aenter__()

    async def __aexit__(self, *exc: object) -> None:
        try:
            await self.group.__aexit__(*exc)  # type: ignore[arg-type]
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None


async def ready(linac: Linac) -> None:
    """All that prevents a start has gone; RefusedError names what is left."""
    for _ in range(100):
        if not linac.panel.explain(BLOCKS_START):
            return
        await asyncio.sleep(0.1)
    raise RefusedError("beam-on refused: " + "; ".join(linac.panel.explain(BLOCKS_START)))
