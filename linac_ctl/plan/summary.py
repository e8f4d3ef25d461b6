"""A plan in a few figures per beam, for tables and JSON."""

from typing import Any

import numpy as np

from linac_ctl.plan.model import Beam, Floats, Plan


def plan_summary(plan: Plan) -> dict[str, Any]:
    """Everything `plan show --json` prints; angles in deg, lengths in mm."""
    return {
        "file": plan.source,
        "sha256": plan.sha256,
        "label": plan.label,
        "patient_id": plan.patient_id,
        "patient_name": plan.patient_name,
        "patient_position": plan.patient_position,
        "approval": plan.approval,
        "sop_instance_uid": plan.sop_instance_uid,
        "geometry": plan.geometry,
        "fraction_groups": [
            {
                "number": group.number,
                "fractions": group.fractions,
                "beams": list(group.beams),
                "mu": [beam.mu for beam in plan.fraction(group.number)],
            }
            for group in plan.groups
        ],
        "setup_beams": list(plan.setup_beams),
        "notes": list(plan.notes),
        "beams": [beam_summary(beam) for beam in plan.beams],
    }


def beam_summary(beam: Beam) -> dict[str, Any]:
    """Figures of one beam."""
    return {
        "number": beam.number,
        "name": beam.name,
        "technique": beam.technique,
        "mode": beam.mode,
        "mu": beam.mu,
        "dose_rate_mu_per_min": beam.dose_rate_mu_per_min,
        "control_points": len(beam.cumulative_mu),
        "gantry_deg": _ends(beam.gantry_deg),
        "collimator_deg": _ends(beam.collimator_deg),
        "couch_rotation_deg": _ends(beam.couch[:, 3]),
        "couch_mm": None if beam.couch_is_relative else [float(v) for v in beam.couch[0, :3]],
        "jaws_mm": {name: _range(beam.jaw_mm[:, i]) for i, name in enumerate(("X1", "X2", "Y1", "Y2"))},
        "leaf_pairs": 0 if beam.leaf_boundaries_mm is None else len(beam.leaf_boundaries_mm) - 1,
        "has_leaf_positions": beam.leaf_mm is not None,
        "area_cm2": _range(areas_cm2(beam)),
        "isocentre_mm": beam.isocentre_mm,
        "accessory": beam.accessory,
        "machine_name": beam.machine_name,
    }


def areas_cm2(beam: Beam) -> Floats:
    """(n,) area of the aperture at the isocentre; NaN where neither leaves nor jaws bound it."""
    x1, x2, y1, y2 = (beam.jaw_mm[:, i : i + 1] for i in range(4))
    if beam.leaf_mm is None or beam.leaf_boundaries_mm is None:
        return np.asarray((x2 - x1) * (y2 - y1) / 100.0)[:, 0]
    pairs, sides = len(beam.leaf_boundaries_mm) - 1, beam.leaf_boundaries_mm
    high = np.fmin(beam.leaf_mm[:, :pairs], x2)
    low = np.fmax(beam.leaf_mm[:, pairs:], x1)
    width = np.fmin(sides[None, 1:], y2) - np.fmax(sides[None, :-1], y1)
    area: Floats = (np.maximum(high - low, 0.0) * np.maximum(width, 0.0)).sum(axis=1) / 100.0
    return area


def _ends(values: Floats) -> list[float]:
    return [float(values[0]), float(values[-1])]


def _range(values: Floats) -> list[float] | None:
    """[lowest, highest]; None where the plan says nothing."""
    return None if np.isnan(values).any() else [round(float(values.min()), 3), round(float(values.max()), 3)]
