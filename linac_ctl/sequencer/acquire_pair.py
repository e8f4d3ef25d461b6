"""Step: two radiographs from different sides, from the console, with the exposure switch held."""

from dataclasses import dataclass
from functools import partial

from .acquire import acquired, desk
from .session import Session, Suite


@dataclass(frozen=True, slots=True)
class AcquirePair:
    """Arms out, gantry to both angles of the protocol, one frame at each. Any approval so far ends here."""

    takes_s: float = 3.0  # until both are on the screen

    async def run(self, suite: Suite, session: Session) -> Session:
        """-> session with the images and without match and approval."""
        imaging = desk(suite)
        pair = imaging.pair
        verb = partial(imaging.kv.pair, pair.angles_deg, imaging.technique_at(pair.binning))
        return await acquired(suite, session, "pair", verb, self.takes_s)
