"""A modulated beam without its modulation: leaf data lost, or all leaves parked open (accident of New York, 2005)."""

from collections.abc import Iterator

import numpy as np

from linac_ctl.config.machine import MachineConfig
from linac_ctl.plan.finding import Finding, found
from linac_ctl.plan.model import Beam, Floats
from linac_ctl.plan.technique import is_modulated, segments_with_mu

NEARLY_MM = 1.0  # leaf edges this close to the jaw do not shape the field


def check_modulation(beam: Beam, machine: MachineConfig) -> Iterator[Finding]:
    """Findings on beams whose dose is meant to be shaped on the way."""
    if beam.leaf_mm is None and beam.leaf_boundaries_mm is not None:
        yield _lost(beam, "has no leaf positions, but the beam names its leaves")
    elif beam.leaf_mm is None:
        if is_modulated(beam) and machine.mlc is not None:
            yield _lost(beam, f"has no leaf positions, but the beam is modulated ({_why(beam)})")
    elif not is_modulated(beam):
        return
    elif parked_open(beam, machine):
        yield found(
            beam,
            "LeafJawPositions",
            f"keeps all leaves parked open behind the jaws throughout ({_why(beam)})",
            "an aperture shaped by leaves",
            "leaf data were lost: export the plan again",
            0,
        )


def _lost(beam: Beam, what: str) -> Finding:
    limit, advice = "leaf positions at control point 0 at least", "leaf data were lost: export the plan again"
    return found(beam, "LeafJawPositions", what, limit, advice, 0)


def parked_open(beam: Beam, machine: MachineConfig) -> bool:
    """True if the leaves never move and none of those the jaws expose reaches into the field."""
    if beam.leaf_mm is None or beam.leaf_boundaries_mm is None or (np.diff(beam.leaf_mm, axis=0) != 0.0).any():
        return False
    return all(
        _clear_of_field(beam.leaf_mm[i], beam.leaf_boundaries_mm, beam.jaw_mm[i], machine)
        for i in range(len(beam.jaw_mm))
    )


def _clear_of_field(leaves: Floats, sides: Floats, jaws: Floats, machine: MachineConfig) -> bool:
    pairs = len(sides) - 1
    reach = machine.mlc.leaf.high if machine.mlc else float(leaves.max())
    x1, x2 = np.where(np.isnan(jaws[:2]), [-reach, reach], jaws[:2])
    y1, y2 = np.where(np.isnan(jaws[2:]), [-np.inf, np.inf], jaws[2:])
    seen = (sides[1:] > y1) & (sides[:-1] < y2)
    retracted = (leaves[:pairs] >= x2 - NEARLY_MM) & (leaves[pairs:] <= x1 + NEARLY_MM)
    return bool(retracted[seen].all())


def _why(beam: Beam) -> str:
    many = int(segments_with_mu(beam.cumulative_mu).sum())
    return f"{beam.technique}, {beam.beam_type or 'no BeamType'}, {many} segments with MU"
