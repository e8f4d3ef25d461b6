"""Step: image and match again; below the verify limit the position is confirmed, else the couch shifts once more."""

from dataclasses import dataclass, replace

from ..errors import RefusedError
from .acquire import AcquireCbct, desk
from .acquire_pair import AcquirePair
from .approve import Approve
from .match import Match
from .protocol import Decision, Level, VerifyConfig, size_of, within
from .session import Session, Step, Suite
from .shift import ShiftCouch


@dataclass(frozen=True, slots=True)
class Verify:
    """At most `most_shifts` of the protocol; then the patient has to be set up again. Ends with a match that asks for no shift."""

    pair: bool = False  # a kV pair in place of a CBCT
    image_s: float = 10.0  # from the last frame to what is compared, as the acquire steps take
    match_s: float = 15.0
    approve_s: float = 15.0

    async def run(self, suite: Suite, session: Session) -> Session:
        """-> session with a confirmed match, to be approved."""
        acquire = AcquirePair(self.image_s) if self.pair else AcquireCbct(self.image_s)
        return await settled(suite, session, acquire, desk(suite).protocol.verify, self.match_s, self.approve_s)


async def settled(suite: Suite, session: Session, acquire: Step, limits: VerifyConfig, match_s: float, approve_s: float) -> Session:
    """Image, match and shift until a match is below the limits; RefusedError after so many shifts."""
    for left in range(limits.most_shifts, -1, -1):
        session = await Match(match_s).run(suite, await acquire.run(suite, session))
        assert session.match is not None and session.decision is not None
        if within(session.match, limits):
            return replace(session, decision=desk(suite).judged(as_level(session.decision, Level.NO_SHIFT)))
        if left:
            session = replace(session, decision=desk(suite).judged(as_level(session.decision, Level.SHIFT_VERIFY)))
            session = await ShiftCouch().run(suite, await Approve(approve_s).run(suite, session))
    mm, deg = size_of(session.match) if session.match else (float("nan"), float("nan"))
    raise RefusedError(f"verify: still {mm:.2f} mm and {deg:.2f} deg off after {limits.most_shifts} shifts, limits "
                       f"{limits.residual_mm:g} mm and {limits.residual_deg:g} deg; set the patient up again in the room")


def as_level(decision: Decision, level: Level) -> Decision:
    """The same numbers, judged by the verify limit."""
    text = decision.text.rsplit(":", 1)[0]
    return Decision(level, decision.shift_mm, decision.turn_deg, f"{text}: {level.value}")
