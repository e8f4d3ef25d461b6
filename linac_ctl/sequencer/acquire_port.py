"""Step: double exposures of the first fields of the plan: each field as it will be given, then an open field from the same side."""

from dataclasses import dataclass

import numpy as np

from ..errors import RefusedError
from ..plan.model import JAWS, Beam
from ..subsystems.mv_frames import MvFrame
from .acquire import desk, forget, shown
from .frame_numbers import integrals
from .images import Imaging
from .imaging_field import mv_image, open_field, shaped_field
from .protocol import PortConfig
from .session import Session, Suite


@dataclass(frozen=True, slots=True)
class Port:
    """What one double exposure says of the shape of its field."""

    beam: int
    edges: int
    mean_mm: float
    worst_mm: float
    worst_at: str


@dataclass(frozen=True, slots=True)
class AcquirePort:
    """Panel out, two imaging fields per port; a field that is not the planned one ends here. Any approval so far ends too."""

    takes_s: float = 5.0  # until all are on the screen

    async def run(self, suite: Suite, session: Session) -> Session:
        """-> session with the images and without match and approval."""
        imaging = desk(suite)
        rules, beams = imaging.port_rules, static_beams(session)[: imaging.port_rules.fields or None]
        forget(suite)
        await imaging.mv.to_imaging_position()
        frames: list[MvFrame] = []
        for beam in beams:
            frames.append(await mv_image(suite, imaging, shaped_field(suite, imaging, beam)))
            frames.append(await mv_image(suite, imaging, open_field(suite, imaging, float(beam.gantry_deg[0]))))
        session = await shown(suite, session, "port", tuple(frames), self.takes_s)
        for k, beam in enumerate(beams):
            judge(suite, imaging, rules, port_of(imaging, beam, frames[2 * k], frames[2 * k + 1]))
        return session


def static_beams(session: Session) -> tuple[Beam, ...]:
    """Fields that one image can show; RefusedError when there is none."""
    if not (found := tuple(beam for beam in session.beams if beam.technique == "static")):
        raise RefusedError("port: the plan has no static field; a moving field has no one shape; take a kV pair or a CBCT")
    return found


def port_of(imaging: Imaging, beam: Beam, shaped: MvFrame, opened: MvFrame) -> Port:
    """The field's edges in its image."""
    from ..imaging.field_edges import Opening, field_edges

    sides = beam.leaf_boundaries_mm if beam.leaf_mm is not None else None
    leaves = None if beam.leaf_mm is None else beam.leaf_mm[0]
    planned = Opening(float(beam.gantry_deg[0]), float(beam.collimator_deg[0]), jaws_of(beam), sides, leaves)
    pictures = integrals((shaped, opened))
    found = field_edges(pictures[0], pictures[1], imaging.geometry(shaped).view(0), planned)
    if not len(found.pair):
        raise RefusedError(f"port of beam {beam.number}: its field is too small to show edges; leave it out (port.fields)")
    mm, pair, side = found.worst
    what = "strip" if sides is None else "leaf pair"
    return Port(beam.number, found.off_mm.size, found.mean_mm, mm, f"{what} {pair + 1}, {side}")


def jaws_of(beam: Beam) -> tuple[float, float, float, float]:
    """As planned; what the plan leaves open is infinitely far out."""
    out = np.array([-np.inf if name.endswith("1") else np.inf for name in JAWS])
    x1, x2, y1, y2 = (float(v) for v in np.where(np.isnan(beam.jaw_mm[0]), out, beam.jaw_mm[0]))
    return x1, x2, y1, y2


def judge(suite: Suite, imaging: Imaging, rules: PortConfig, port: Port) -> None:
    """Keep it; RefusedError when an edge is not where the plan wants it."""
    imaging.ports.append(port)
    suite.linac.log("mv_imager", f"port of beam {port.beam}: {port.edges} edges", why=f"worst: {port.worst_at}",
                    new=f"mean {port.mean_mm:.2f} mm, worst {port.worst_mm:.2f} mm")
    if not port.worst_mm <= rules.edge_mm:
        where = "found nowhere near" if port.worst_mm == float("inf") else f"{port.worst_mm:.1f} mm from"
        raise RefusedError(f"port of beam {port.beam}: {port.worst_at}: the edge is {where} where the plan wants it, limit "
                           f"{rules.edge_mm:g} mm; look at the MLC and the jaws, then at the plan, before anybody treats")
