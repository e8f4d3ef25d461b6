"""Step: load the plan and see that it, the machine and this session belong together."""

from dataclasses import dataclass, replace

from ..control.signals import Guard
from ..errors import RefusedError
from ..plan.check import require_deliverable
from . import approval
from .session import Session, Suite


@dataclass(frozen=True, slots=True)
class Load:
    """Refuses a plan that this machine cannot deliver, before anything moves."""

    async def run(self, suite: Suite, session: Session) -> Session:
        """-> session with plan and the beams of its fraction."""
        linac, plan = suite.linac, suite.plan
        require_deliverable(plan, linac.config)
        beams = plan.fraction(suite.group)
        plan_same, configuration_same = suite.record.bytes_unchanged()
        strange = stranger(suite)
        for guard, good in ((Guard.PLAN_BIND, not strange), (Guard.PLAN_FEASIBLE, True), (Guard.PLAN_INTEGRITY, plan_same),
                            (Guard.CONFIG_INTEGRITY, configuration_same), (Guard.PRESCRIPTION_RANGE, all(b.mu > 0 for b in beams)),
                            (Guard.RECORD, suite.record.can_go_on()), (Guard.TRANSITION, True), (Guard.NOT_ABORTED, True),
                            (Guard.OVERRUN_STREAK, False), (Guard.CLOCK_STEP_S, False), (Guard.LATCHES_KNOWN, True)):
            linac.guard(guard, good)
        if strange:
            raise RefusedError(f"load: plan {plan.label!r} does not belong to the planning CT of this session: {strange}; choose "
                               f"the plan of the patient on the couch")
        skin = suite.imaging.protocol.intrafraction.surface if suite.imaging else None
        approval.begin(linac, needed=suite.imaging is not None, skin=skin)
        total = sum(beam.mu for beam in beams)
        what = f"{len(beams)} beams, {total:.2f} MU, {plan.label}"
        linac.log("sequencer", "load plan", why=f"sha256 {plan.sha256[:16]}", new=what)
        return replace(session, plan=plan, beams=beams)


def stranger(suite: Suite) -> str:
    """What keeps plan and planning CT apart; empty when they belong together, or when there is no CT to compare with."""
    if suite.imaging is None:
        return ""
    plan, ct = suite.plan, suite.imaging.planning
    pairs = (("patient", plan.patient_id, ct.patient_id),
             ("frame of reference", plan.frame_of_reference_uid, ct.frame_of_reference_uid),
             ("position", plan.patient_position or ct.patient_position, ct.patient_position))
    return "; ".join(f"{what} {mine!r}, of the CT {theirs!r}" for what, mine, theirs in pairs if mine != theirs)
