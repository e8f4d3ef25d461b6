"""Kinds of plan that can be made: which beams, which target, how many MU. The figures are this simulator's own."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from linac_ctl.errors import PlanError
from linac_ctl.plan.make.arcs import conformal_arc, sparing_arc
from linac_ctl.plan.make.beams import Head, Scene, beam, static_conformal
from linac_ctl.plan.make.fluence import field_in_field, sliding_window
from linac_ctl.plan.model import Beam

ARC_POINTS = 180  # 2 deg apart
Beams = Callable[[Scene, float], tuple[Beam, ...]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """One kind of plan."""

    what: str
    target: str
    mu: float  # of one fraction, all beams
    margin_mm: float
    beams: Beams
    fractions: int = 1


def _spine(at: Scene, mu: float) -> tuple[Beam, ...]:
    heads = [Head(n, f"arc {n}", "10FFF", 2400.0, mu / 2.0, collimator) for n, collimator in ((1, 10.0), (2, -10.0))]
    return (
        sparing_arc(heads[0], at, -179.0, 179.0, ARC_POINTS, 1.0),
        sparing_arc(heads[1], at, 179.0, -179.0, ARC_POINTS, 1.0),
    )


def _box(at: Scene, mu: float) -> tuple[Beam, ...]:
    return tuple(
        static_conformal(Head(n, name, "6X", 600.0, mu / 4.0), at, gantry)
        for n, (name, gantry) in enumerate((("AP", 0.0), ("L LAT", 90.0), ("PA", 180.0), ("R LAT", -90.0)), 1)
    )


def _single(at: Scene, mu: float) -> tuple[Beam, ...]:
    return (static_conformal(Head(1, "AP", "6X", 600.0, mu), at, 0.0),)


def _sliding(at: Scene, mu: float) -> tuple[Beam, ...]:
    return tuple(
        sliding_window(Head(n, f"IMRT {round(g % 360.0)}", "6X", 600.0, mu / 7.0, 5.0), at, g, 41)
        for n, g in enumerate((180.0, -128.0, -77.0, -26.0, 26.0, 77.0, 128.0), 1)
    )


def _step(at: Scene, mu: float) -> tuple[Beam, ...]:
    return tuple(
        field_in_field(Head(n, f"FIF {round(g % 360.0)}", "6X", 600.0, mu / 5.0), at, g)
        for n, g in enumerate((0.0, 72.0, 144.0, -144.0, -72.0), 1)
    )


def _noncoplanar(at: Scene, mu: float) -> tuple[Beam, ...]:
    """At a turned couch the gantry stays near the top: lower down it would meet the patient's body or the couch."""
    ways = ((0.0, -150.0, 150.0), (45.0, 0.0, -40.0), (90.0, -25.0, 25.0), (-45.0, 0.0, 40.0))
    way_deg = sum(abs(stop - start) for _, start, stop in ways)
    return tuple(
        conformal_arc(
            Head(
                n,
                f"couch {round(couch % 360.0)}",
                "6FFF",
                1400.0,
                round(mu * abs(stop - start) / way_deg, 6),
                0.0,
                couch,
            ),
            at,
            start,
            stop,
            round(abs(stop - start) / 5.0) + 1,
        )
        for n, (couch, start, stop) in enumerate(ways, 1)
    )


def _palliative(at: Scene, mu: float) -> tuple[Beam, ...]:
    """100 mm x 100 mm by jaws; by leaves where the machine has no jaws behind the leaf ends."""
    head, jaws = Head(1, "AP 10x10", "6X", 600.0, mu), np.array([[-50.0, 50.0, -50.0, 50.0]] * 2)
    if at.mlc.x_jaws:
        return (beam(head, at, np.zeros(2), np.array([0.0, 1.0]), jaws, None),)
    jaws[:, :2] = np.nan
    leaves = np.tile(np.repeat([50.0, -50.0], at.mlc.pairs), (2, 1))
    return (beam(head, at, np.zeros(2), np.array([0.0, 1.0]), jaws, leaves),)


def _arc(at: Scene, mu: float) -> tuple[Beam, ...]:
    return (conformal_arc(Head(1, "conformal arc", "6X", 600.0, mu), at, -179.0, 179.0, ARC_POINTS),)


def _short_arc(at: Scene, mu: float) -> tuple[Beam, ...]:
    return (conformal_arc(Head(1, "short arc", "6X", 600.0, mu), at, -30.0, 30.0, 31),)


def _spine_fields(at: Scene, mu: float) -> tuple[Beam, ...]:
    return tuple(
        static_conformal(Head(n, name, "6X", 600.0, mu / 3.0), at, gantry)
        for n, (name, gantry) in enumerate((("PA", 180.0), ("LPO", 120.0), ("RPO", -120.0)), 1)
    )


def _spine_vmat(at: Scene, mu: float) -> tuple[Beam, ...]:
    heads = [Head(n, f"arc {n}", "6X", 600.0, mu / 2.0, collimator) for n, collimator in ((1, 10.0), (2, -10.0))]
    return (
        sparing_arc(heads[0], at, -179.0, 179.0, ARC_POINTS, 1.0),
        sparing_arc(heads[1], at, 179.0, -179.0, ARC_POINTS, -1.0),
    )


RECIPES: dict[str, Recipe] = {
    "spine_sbrt": Recipe("two 10FFF VMAT arcs on a vertebra, the cord spared", "spine", 3800.0, 2.0, _spine, 3),
    "box_3dcrt": Recipe("four static conformal 6X fields", "pelvis", 260.0, 7.0, _box, 25),
    "single_field": Recipe("one static conformal 6X field from above", "pelvis", 65.0, 7.0, _single, 1),
    "sliding_window": Recipe("seven 6X fields with sliding leaves", "pelvis", 700.0, 5.0, _sliding, 25),
    "step_and_shoot": Recipe("five 6X fields of two segments", "pelvis", 320.0, 6.0, _step, 25),
    "noncoplanar": Recipe(
        "four 6FFF conformal arcs at couch 0, 45, 90 and 315 deg", "head", 2400.0, 2.0, _noncoplanar, 1
    ),
    "palliative": Recipe("one 6X field of 10 cm x 10 cm", "spine", 420.0, 5.0, _palliative, 1),
    "spine_3dcrt": Recipe("three static conformal 6X fields on a vertebra", "spine", 300.0, 7.0, _spine_fields, 10),
    "spine_vmat": Recipe("two 6X VMAT arcs on a vertebra, the cord spared", "spine", 600.0, 5.0, _spine_vmat, 10),
    "spine_noncoplanar": Recipe(
        "four 6FFF conformal arcs on a vertebra at couch 0, 45, 90 and 315 deg", "spine", 2400.0, 2.0, _noncoplanar, 3
    ),
    "arc_conformal": Recipe("one 6X conformal arc", "pelvis", 300.0, 6.0, _arc, 25),
    "short_arc": Recipe("one 6X conformal arc of 60 deg", "pelvis", 100.0, 7.0, _short_arc, 1),
}


def find_recipe(kind: str) -> Recipe:
    """The recipe of this name; PlanError names those there are."""
    if kind not in RECIPES:
        raise PlanError(f"plan make: no kind named {kind!r}; there are {', '.join(RECIPES)}")
    return RECIPES[kind]
