"""Step: two people agree on patient, plan, fraction and position."""

import asyncio
from dataclasses import dataclass, replace

from ..control.signals import Guard
from ..errors import RefusedError
from .session import Session, Suite

LOST_S = 0.15  # of the highest rate: from the last word of a dead controller to the end of the beam, and as much again
LEAST_LOST_MU, SAME_MU = 1.0, 0.05


@dataclass(frozen=True, slots=True)
class Identify:
    """Two-person confirmation is a state, not a comment."""

    takes_s: float = 20.0
    people: int = 2

    async def run(self, suite: Suite, session: Session) -> Session:
        """-> session that names who identified. RefusedError when this fraction is on record as given."""
        if session.plan is None:
            raise RefusedError("identify: no plan is loaded; put the load step before it")
        linac, plan = suite.linac, session.plan
        await asyncio.sleep(self.takes_s)
        names = await suite.staff.confirm(f"patient {plan.patient_id or '(none)'}, plan {plan.label}", count=self.people)
        linac.guard(Guard.PATIENT_ID, len(set(names)) >= self.people)
        linac.guard(Guard.PATIENT_ORIENTATION, True)
        linac.guard(Guard.FRACTION, not (wrong := record_against(suite, session)))
        if wrong:
            raise RefusedError(f"identify: {wrong}")
        linac.guard(Guard.RECOVERY, not (lost := counters_against_record(suite, session)))
        if lost:
            raise RefusedError(f"identify: {lost}")
        if suite.resumed:
            linac.log(names[0], "confirm recovery", why="partial delivery resumed from its record")
        return replace(session, identified_by=names)


def record_against(suite: Suite, session: Session) -> str:
    """Why the record does not allow this fraction; empty when it does."""
    given = [suite.record.delivered_before(beam.number) for beam in session.beams]
    if not given or not all(complete for _, complete in given):
        return ""
    return (f"{sum(mu for mu, _ in given):.2f} MU of this fraction are on record as given, every beam is complete; look at the "
            f"record, and choose the next fraction")


def counters_against_record(suite: Suite, session: Session) -> str:
    """Why what the other channel has counted forbids to go on; empty when the record has it, or has it now.

    Its count of the last field outlives the controller: a record that is behind by what may flow while a controller dies is
    set right, one that is further behind is not to be believed.
    """
    counted_mu = float(suite.linac.image.safety["mu_backup"][0])
    if not suite.resumed or not counted_mu > SAME_MU:
        return ""  # the count is of somebody else's field; or nothing since the field was armed, or since the machine has power
    given = [(beam.number, *suite.record.delivered_before(beam.number)) for beam in session.beams]
    number, mu = next(((number, mu) for number, mu, complete in given if not complete), (0, 0.0))
    ended_mu = [mu for _, mu, complete in given if complete][-1:]
    if mu == 0.0 and ended_mu and abs(counted_mu - ended_mu[0]) <= most_lost_mu(suite):
        return ""  # the last field that was armed is complete
    if not number or abs(counted_mu - mu) > most_lost_mu(suite):
        return (f"the safety channel has counted {counted_mu:.2f} MU of the last field, and {mu:.2f} MU are on record; limit: "
                f"{most_lost_mu(suite):.2f} MU apart; find out what was given before anything else is")
    if counted_mu > mu + SAME_MU:
        suite.record.counted(number, counted_mu)
        suite.linac.log("sequencer", f"record of beam {number} set right", why="the safety channel has counted more",
                        old=f"{mu:.3f} MU", new=f"{counted_mu:.3f} MU")
    return ""


def most_lost_mu(suite: Suite) -> float:
    """What may flow while a controller dies, at the machine's highest rate."""
    rates = [mode.max_dose_rate_mu_per_min / 60.0 for mode in suite.linac.config.beam.modes.values()]
    return max(LEAST_LOST_MU, LOST_S * max(rates))
