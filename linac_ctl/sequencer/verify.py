"""Step: image and match again; below the verify limit the position is confirmed, else the couch shifts once more."""

from dataclasses import dataclass, replace

from ..errors import RefusedError
from .acquire import AcquireCbct, desk
from .acquire_pair import AcquirePair
from .approve import Approve
from .match import Match
from .protocol import Decision, Level, confirmed, size_of
from .session import Session, Suite
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
        limits = desk(suite).protocol.verify
        for left in range(limits.most_shifts, -1, -1):
            acquire = AcquirePair(self.image_s) if self.pair else AcquireCbct(self.image_s)
            session = await acquire.run(suite, session)
            session = await Match(self.match_s).run(suite, session)
            assert session.match is not None and session.decision is not None
            if confirmed(session.match, desk(suite).protocol):
                return replace(session, decision=desk(suite).judged(as_level(session.decision, Level.NO_SHIFT)))
            if left:
                session = replace(session, decision=desk(suite).judged(as_level(session.decision, Level.SHIFT_VERIFY)))
                session = await ShiftCouch().run(suite, await Approve(self.approve_s).run(suite, session))
        mm, deg = size_of(session.match) if session.match else (float("nan"), float("nan"))
        raise RefusedError(f"verify: still {mm:.2f} mm and {deg:.2f} deg off after {limits.most_shifts} shifts, limits "
                           f"{limits.residual_mm:g} mm and {limits.residual_deg:g} deg; set the patient up again in the room")


def as_level(decision: Decision, level: Level) -> Decision:
    """The same numbers, judged by the verify limit."""
    text = decision.text.rsplit(":", 1)[0]
    return Decision(level, decision.shift_mm, decision.turn_deg, f"{text}: {level.value}")
