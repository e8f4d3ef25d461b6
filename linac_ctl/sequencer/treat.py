"""Step: every beam of the fraction, one after the other: position, warm, arm, beam on; interrupted beams are resumed."""

from dataclasses import dataclass

import numpy as np

from ..control.phases import Phase
from ..control.signals import Guard, Signal
from ..errors import DeviceError, RefusedError
from ..plan.model import Beam
from ..plan.trajectory import prepare
from ..subsystems.beam import Delivered
from ..subsystems.beam_states import BeamState
from ..subsystems.linac import Linac, Tripped
from . import approval
from .approve import Approve
from .intrafraction import TargetLost, looked_aside, looked_first, ready_to_look, watched
from .readiness import check_bytes, check_plan, let_go, longest_s, position, prescription_number, ready, time_limit_s
from .session import BeamOutcome, Session, Suite
from .turn import turned
from .verify import Verify

Stop = tuple[int, Exception]  # cycle, and what ended an attempt
NOTHING_LEFT_MU = 1e-6


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
            session = await self._turned(suite, session, beam)
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

    async def _turned(self, suite: Suite, session: Session, beam: Beam) -> Session:
        """Couch and approval for this beam's couch angle. FieldLost, with the beams before it, when that fails."""
        try:
            return await turned(suite, session, beam)
        except (DeviceError, RefusedError) as stop:
            await let_go(suite.linac)
            what = f"beam {beam.number} {beam.name!r}: not started, the couch has to turn for it"
            raise FieldLost(f"{what}; {stop}", session) from stop

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
        await looked_aside(suite, session, field)
        await position(linac, field, session.approval)
        await linac.beam.warm(beam.mode)
        await linac.beam.arm(field, slot=slot, time_limit_s=time_limit_s(field, linac.config.beam), session=suite.session_number,
                             prescription=prescription_number(field), resumed=resumed)
        await looked_first(suite, session, field)
        if press:
            await suite.staff.confirm(f"beam-on {beam.number}")
        check_bytes(suite)
        check_plan(suite, session)
        approval.check(suite, session, float(beam.couch[0][3]))
        await ready(linac)
        still_armed(linac)
        linac.log("sequencer", f"beam {beam.number} on", why=f"{beam.mode}, {field.technique_text}", old=f"{start_mu:.3f} MU")
        suite.staff.hear(f"beam_on:{beam.number}")
        async with watched(suite, session, field):
            delivered = await linac.beam.deliver(longest_s(field))
        linac.log("sequencer", f"beam {beam.number} complete", new=f"{delivered.mu_1:.3f} MU, {delivered.mu_2:.3f} MU")
        return delivered


def still_armed(linac: Linac) -> None:
    """RefusedError if a trip has ended the arming while somebody was on the way to the button, though it is over by now."""
    if linac.beam.state is not BeamState.ARMED:
        trips = linac.panel.history
        why = f": {trips[-1].id} ended that" if trips else ""
        raise RefusedError(f"beam-on refused: beam {linac.beam.state.value}, armed no longer{why}; it is armed again")


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
