"""Step: an MV image and a kV image from one gantry angle, 90 deg apart: nothing has to turn."""

from dataclasses import dataclass

import numpy as np

from ..control.phases import Phase
from ..subsystems.kv_frames import KvFrame
from .acquire import desk, exposed, forget, shown
from .imaging_field import mv_image, open_field
from .session import Session, Suite


@dataclass(frozen=True, slots=True)
class AcquireMvKv:
    """Both panels out, one kV exposure, one imaging field of a few MU. Any approval so far ends here."""

    takes_s: float = 3.0  # until both are on the screen

    async def run(self, suite: Suite, session: Session) -> Session:
        """-> session with the images and without match and approval."""
        imaging = desk(suite)
        angle, technique = imaging.mv_rules.gantry_deg, imaging.technique_at(imaging.pair.binning)
        forget(suite)
        await imaging.mv.to_imaging_position()

        async def verb() -> tuple[KvFrame, ...]:
            await turned_gantry(suite, angle)
            return (await imaging.kv.single(technique),)

        kv = await exposed(suite, "mv_kv", verb)
        mv = await mv_image(suite, imaging, open_field(suite, imaging, angle))
        return await shown(suite, session, "mv_kv", (*kv, mv), self.takes_s)


async def turned_gantry(suite: Suite, angle_deg: float) -> None:
    """The gantry stands at the angle."""
    suite.linac.enter(Phase.MOVE)
    try:
        await suite.linac.gantry.move_to(np.array([angle_deg]))
    finally:
        suite.linac.enter(Phase.IDLE)
