"""Two MV images from gantry angles of the beams that come next: where those can be given, the gantry can stand."""

from dataclasses import dataclass

import numpy as np

from ..errors import RefusedError
from ..plan.model import Beam
from .acquire import desk, forget, shown
from .imaging_field import mv_image, open_field
from .session import Session, Suite

LEAST_APART_DEG, BEST_APART_DEG = 30.0, 90.0


@dataclass(frozen=True, slots=True)
class AcquireMvPair:
    """Panel out, one imaging field from each angle; the kV arms stay where they are. Any approval so far ends here."""

    angles_deg: tuple[float, float]
    takes_s: float = 3.0  # until both are on the screen

    async def run(self, suite: Suite, session: Session) -> Session:
        """-> session with the images and without match and approval."""
        imaging = desk(suite)
        forget(suite)
        await imaging.mv.to_imaging_position()
        frames = [await mv_image(suite, imaging, open_field(suite, imaging, angle)) for angle in self.angles_deg]
        return await shown(suite, session, "mv_pair", tuple(frames), self.takes_s)


def angles_for(beams: tuple[Beam, ...], couch_angle_deg: float, within_deg: float) -> tuple[float, float]:
    """Two gantry angles, up to 90 deg apart, between which the beams at this couch angle move; RefusedError below 30 deg."""
    there = [beam.gantry_deg for beam in beams if abs(float(beam.couch[0][3]) - couch_angle_deg) <= within_deg]
    low, high = float(np.min(np.concatenate(there))), float(np.max(np.concatenate(there)))
    middle, half = (low + high) / 2.0, min(high - low, BEST_APART_DEG) / 2.0
    if not 2.0 * half >= LEAST_APART_DEG:
        raise RefusedError(f"MV pair: the beams at couch {couch_angle_deg:g} deg span {2.0 * half:.0f} deg of the gantry, depth "
                           f"needs {LEAST_APART_DEG:g} deg; choose after_turn.image: pair or cbct")
    return middle - half, middle + half
