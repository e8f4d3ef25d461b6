"""Step: load the plan and see that it, the machine and this session belong together."""

from dataclasses import dataclass, replace

from ..control.signals import Guard
from ..errors import RefusedError
from ..plan.check import require_deliverable
from ..plan.model import Beam
from . import approval
from .session import Session, Suite


@dataclass(frozen=True, slots=True)
class Load:
    """Refuses a plan that this machine cannot deliver, or that is not the one that was meant, before anything moves."""

    async def run(self, suite: Suite, session: Session) -> Session:
        """-> session with plan and the beams of its fraction."""
        linac, plan = suite.linac, suite.plan
        require_deliverable(plan, linac.config)
        beams = plan.fraction(suite.group)
        plan_same, configuration_same = suite.record.bytes_unchanged()
        strange, other, dose = stranger(suite), other_file(suite), wrong_dose(suite, beams)
        for guard, good in ((Guard.PLAN_BIND, not strange), (Guard.PLAN_FEASIBLE, True),
                            (Guard.PLAN_INTEGRITY, plan_same and not other), (Guard.CONFIG_INTEGRITY, configuration_same),
                            (Guard.PRESCRIPTION_RANGE, not dose), (Guard.RECORD, suite.record.can_go_on()),
                            (Guard.TRANSITION, True), (Guard.NOT_ABORTED, True),
                            (Guard.OVERRUN_STREAK, False), (Guard.CLOCK_STEP_S, False), (Guard.LATCHES_KNOWN, True)):
            linac.guard(guard, good)
        if strange:
            raise RefusedError(f"load: plan {plan.label!r} does not belong to the planning CT of this session: {strange}; choose "
                               f"the plan of the patient on the couch")
        if wrong := [text for text in (other, *dose) if text]:
            raise RefusedError(f"load: plan {plan.label!r} is not what is expected: {'; '.join(wrong)}; find out which of them is "
                               f"right before anything is given")
        skin = suite.imaging.protocol.intrafraction.surface if suite.imaging else None
        approval.begin(linac, needed=suite.imaging is not None, skin=skin)
        total = sum(beam.mu for beam in beams)
        what = f"{len(beams)} beams, {total:.2f} MU, {plan.label}"
        linac.log("sequencer", "load plan", why=f"sha256 {plan.sha256[:16]}", new=what)
        if suite.expected is None:
            linac.log("sequencer", "plan not compared", why="nobody but its file says what it has to be")
        return replace(session, plan=plan, beams=beams)


def other_file(suite: Suite) -> str:
    """Why this is not the file that was approved; empty when it is, or when nobody has said."""
    return "" if suite.expected is None else suite.expected.other_file(suite.plan)


def wrong_dose(suite: Suite, beams: tuple[Beam, ...]) -> tuple[str, ...]:
    """What is wrong with the MU: none at all, or not those that somebody else has calculated."""
    nothing = tuple(f"beam {beam.number} has {beam.mu:.2f} MU" for beam in beams if not beam.mu > 0)
    return nothing + (() if suite.expected is None else suite.expected.other_dose(suite.plan, suite.group))


def stranger(suite: Suite) -> str:
    """What keeps plan and planning CT apart; empty when they belong together, or when there is no CT to compare with."""
    if suite.imaging is None:
        return ""
    plan, ct = suite.plan, suite.imaging.planning
    pairs = (("patient", plan.patient_id, ct.patient_id),
             ("frame of reference", plan.frame_of_reference_uid, ct.frame_of_reference_uid),
             ("position", plan.patient_position or ct.patient_position, ct.patient_position))
    return "; ".join(f"{what} {mine!r}, of the CT {theirs!r}" for what, mine, theirs in pairs if mine != theirs)
