"""Beams for one target: the parts that every recipe is made of."""

from dataclasses import dataclass

import numpy as np

from linac_ctl.plan.grid import to_deg, to_mu
from linac_ctl.plan.make.aperture import conform, jaw_table, leaf_table
from linac_ctl.plan.make.mlc import Mlc
from linac_ctl.plan.make.project import SAD_MM, View, shadow
from linac_ctl.plan.make.target import Target
from linac_ctl.plan.model import Beam, Floats
from linac_ctl.plan.technique import technique

GANTRY_DEG_PER_S = 6.0  # the speed that leaf travel is planned for


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What a recipe works on."""

    target: Target
    mlc: Mlc
    target_mm: Floats  # (m, 3) from the isocentre
    spare_mm: Floats  # (k, 3)
    margin_mm: float
    spare_margin_mm: float

    def target_shadow(self, view: View) -> Floats:
        """(p, 2) mm."""
        return shadow(self.target_mm, self.mlc.sides_mm, view, self.margin_mm)

    def spare_shadow(self, view: View) -> Floats:
        """(p, 2) mm; all NaN if there is nothing to spare."""
        if not len(self.spare_mm):
            return np.full((self.mlc.pairs, 2), np.nan)
        return shadow(self.spare_mm, self.mlc.sides_mm, view, self.spare_margin_mm)


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """What is the same all through a beam."""

    number: int
    name: str
    mode: str
    dose_rate_mu_per_min: float
    mu: float
    collimator_deg: float = 0.0
    couch_deg: float = 0.0


def scene(target: Target, mlc: Mlc, margin_mm: float, spare_margin_mm: float = 1.0) -> Scene:
    """Points of all shapes, once."""
    return Scene(target, mlc, target.target_points(), target.spare_points(), margin_mm, spare_margin_mm)


def beam(head: Head, at: Scene, gantry_deg: Floats, share: Floats, jaws: Floats, leaves: Floats | None) -> Beam:
    """A Beam of n control points. share: (n,) cumulative dose, rising from 0 to 1."""
    n = len(gantry_deg)
    cumulative = to_mu(share * head.mu)
    couch = np.tile([0.0, 0.0, 0.0, head.couch_deg, 0.0, 0.0], (n, 1))
    gantry = to_deg(gantry_deg)
    kind = technique(cumulative, gantry, jaws, leaves)
    return Beam(
        number=head.number,
        name=head.name,
        technique=kind,
        mode=head.mode,
        mu=float(to_mu(head.mu)),
        dose_rate_mu_per_min=head.dose_rate_mu_per_min,
        cumulative_mu=cumulative,
        gantry_deg=gantry,
        collimator_deg=np.full(n, head.collimator_deg),
        jaw_mm=jaws,
        leaf_mm=leaves,
        leaf_boundaries_mm=None if leaves is None else at.mlc.sides_mm,
        couch=couch,
        isocentre_mm=at.target.isocentre_mm,
        sad_mm=SAD_MM,
        machine_name="SIMULATOR",
        beam_type="STATIC" if kind == "static" else "DYNAMIC",
    )


def static_conformal(head: Head, at: Scene, gantry_deg: float) -> Beam:
    """Two control points, leaves on the target's outline."""
    opening = conform(at.target_shadow(View(gantry_deg, head.collimator_deg, head.couch_deg)))
    openings = np.stack([opening, opening])
    return beam(
        head,
        at,
        np.full(2, gantry_deg),
        np.array([0.0, 1.0]),
        jaw_table(openings, at.mlc),
        leaf_table(openings, at.mlc),
    )


def travel_mm(mlc: Mlc, gantry_deg: Floats) -> Floats:
    """(n - 1,) how far a leaf may go while the gantry turns at full speed; a little is kept for rounding."""
    return np.abs(np.diff(gantry_deg)) / GANTRY_DEG_PER_S * mlc.leaf_mm_per_s * 0.95 - 0.2
