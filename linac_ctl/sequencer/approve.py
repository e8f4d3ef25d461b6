"""Step: people look at the match and approve it, each role of the protocol by a different person."""

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import RefusedError
from . import approval
from .acquire import desk
from .approval import Approval
from .session import Session, Suite

if TYPE_CHECKING:
    from ..imaging.couch import CouchPosition


@dataclass(frozen=True, slots=True)
class Approve:
    """No shift needed: the position counts as approved at once. A shift: the approval is for where it leads."""

    takes_s: float = 15.0

    async def run(self, suite: Suite, session: Session) -> Session:
        """-> session with an approval."""
        match, decision, images = session.match, session.decision, session.images
        if match is None or decision is None or images is None:
            raise RefusedError("approve: there is no match to approve; put a match step before it")
        imaging = desk(suite)
        await asyncio.sleep(self.takes_s)
        people = await suite.staff.agree(f"position: {decision.text}", imaging.protocol.approval.roles)
        if (stopped := suite.linac.stopped_by()) is not None and stopped.terminate:
            raise stopped  # a machine that has stopped for good may not stand where it did
        imaging.where_taken(match, stands(suite))
        approval.stood_still(suite.linac, imaging.protocol.shift)
        if wrong := approval.foreign(suite, session):
            raise RefusedError(f"approval: the match may not be used: {'; '.join(wrong)}; image and match again")
        couch = imaging.order(match).targets if decision.moves else match.binding.couch
        given = Approval(match, couch, people, images.cycle, suite.linac.cycle)
        imaging.approvals.append(given)
        if not decision.moves:
            approval.arm(suite.linac, given)
        suite.linac.log("sequencer", "position approved" if not decision.moves else "shift approved", why=", ".join(people),
                        new=", ".join(f"{v:.3f}" for v in couch.six))
        return replace(session, approval=given)


def stands(suite: Suite) -> "CouchPosition":
    """Where the couch says it is."""
    from ..imaging.couch import CouchPosition

    return CouchPosition(*map(float, suite.linac.image.couch["readback"]))
