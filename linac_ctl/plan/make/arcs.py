"""Arcs: conformal ones with even dose, and modulated ones that take turns on both sides of what they spare."""

import math

import numpy as np

from linac_ctl.plan.make.aperture import beside, conform, jaw_table, leaf_table, within_travel
from linac_ctl.plan.make.beams import Head, Scene, beam, travel_mm
from linac_ctl.plan.make.project import View
from linac_ctl.plan.model import Beam, Floats

SECTORS = 10  # changes of side over a full arc: both sides are seen from everywhere by one of two arcs
PASSING = 0.3  # share of a sector spent passing over the spared strip
LEAST_DOSE = 0.12  # relative dose per degree while passing


def conformal_arc(head: Head, at: Scene, start_deg: float, stop_deg: float, points: int) -> Beam:
    """Leaves follow the target's outline; the same MU in every degree."""
    gantry = np.linspace(start_deg, stop_deg, points)
    views = [View(float(g), head.collimator_deg, head.couch_deg) for g in gantry]
    openings = within_travel(np.stack([conform(at.target_shadow(view)) for view in views]), travel_mm(at.mlc, gantry))
    return beam(
        head, at, gantry, np.linspace(0.0, 1.0, points), jaw_table(openings, at.mlc), leaf_table(openings, at.mlc)
    )


def sparing_arc(head: Head, at: Scene, start_deg: float, stop_deg: float, points: int, first_side: float) -> Beam:
    """A VMAT arc: the aperture lies now on one side of what is spared, now on the other; little dose in between."""
    gantry = np.linspace(start_deg, stop_deg, points)
    sides = [first_side * _side(i / (points - 1)) for i in range(points)]
    views = [View(float(g), head.collimator_deg, head.couch_deg) for g in gantry]
    wanted = np.stack([beside(at.target_shadow(v), at.spare_shadow(v), s) for v, s in zip(views, sides, strict=True)])
    openings = within_travel(wanted, travel_mm(at.mlc, gantry))
    return beam(head, at, gantry, _share(sides, gantry), jaw_table(openings, at.mlc), leaf_table(openings, at.mlc))


def _side(along: float) -> float:
    """-1 or +1, with ramps between: where the aperture lies after this part of the arc."""
    sector = along * SECTORS
    into = sector - math.floor(sector + 0.5)  # -0.5 .. 0.5 about the nearest border
    border = round(sector - into)
    ramp = 1.0 if border in {0, SECTORS} else min(1.0, abs(into) * 2.0 / PASSING)
    return ramp if min(math.floor(sector), SECTORS - 1) % 2 == 0 else -ramp


def _share(sides: list[float], gantry_deg: Floats) -> Floats:
    """(n,) cumulative dose: smooth over the arc, low while passing over what is spared."""
    weight = [
        (LEAST_DOSE + (1.0 - LEAST_DOSE) * abs(s)) * (1.0 + 0.25 * math.cos(math.radians(2.0 * g)))
        for s, g in zip(sides, gantry_deg, strict=True)
    ]
    steps = [(a + b) / 2.0 * abs(float(d)) for a, b, d in zip(weight, weight[1:], np.diff(gantry_deg), strict=False)]
    total = np.concatenate([[0.0], np.cumsum(steps)])
    share: Floats = np.round(total / total[-1], 8)  # weights of 8 digits: the same on every computer
    return share
