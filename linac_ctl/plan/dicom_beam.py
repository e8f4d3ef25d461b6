"""One item of BeamSequence to one Beam."""

import numpy as np

from linac_ctl.plan.accessories import accessories
from linac_ctl.plan.angles import DIRECTIONS, GANTRY_REACH_DEG, HALF_TURN_DEG, TurnError, unwrap
from linac_ctl.plan.couch import couch
from linac_ctl.plan.devices import declared, jaws, leaves
from linac_ctl.plan.dicom_fields import Item
from linac_ctl.plan.grid import to_deg, to_mm, to_mu
from linac_ctl.plan.mode import beam_mode
from linac_ctl.plan.model import Beam, Floats
from linac_ctl.plan.points import Point, read_points
from linac_ctl.plan.technique import technique

TREATED = ("TREATMENT", "CONTINUATION", "")


def beam_name(beam: Item) -> str:
    """BeamName, or what else describes it."""
    return beam.text("BeamName") or beam.text("BeamDescription") or f"beam {beam.text('BeamNumber')}"


def is_set_up(beam: Item) -> bool:
    """True for set-up and portal film beams: they carry no treatment dose."""
    return beam.text("TreatmentDeliveryType").upper() not in TREATED


def read_beam(beam: Item, mu: float) -> Beam:
    """The beam with `mu` from the fraction group; PlanError names beam, control point and attribute."""
    _require_photons(beam)
    points = read_points(beam)
    cumulative_mu = _cumulative(points, mu)
    gantry, collimator = _turns(points, "GantryAngle", "GantryRotationDirection", GANTRY_REACH_DEG), _collimator(points)
    _require_clear_way(beam, gantry, points)
    jaw_mm = jaws(points)
    leaf_mm, sides = leaves(points, declared(beam), beam)
    table, relative = couch(points)
    return Beam(
        number=beam.whole("BeamNumber"),
        name=beam_name(beam),
        technique=technique(cumulative_mu, gantry, jaw_mm, leaf_mm),
        mode=_mode(beam, points),
        mu=float(to_mu(mu)),
        dose_rate_mu_per_min=max(p.values.get("DoseRateSet", 0.0) for p in points) or None,
        cumulative_mu=cumulative_mu,
        gantry_deg=gantry,
        collimator_deg=collimator,
        jaw_mm=jaw_mm,
        leaf_mm=leaf_mm,
        leaf_boundaries_mm=sides,
        couch=table,
        couch_is_relative=relative,
        isocentre_mm=_isocentre(points),
        sad_mm=beam.maybe_number("SourceAxisDistance") or 1000.0,
        machine_name=beam.text("TreatmentMachineName"),
        accessory=accessories(beam),
        beam_type=beam.text("BeamType").upper(),
    )


def _require_photons(beam: Item) -> None:
    radiation = beam.text("RadiationType", "PHOTON").upper()
    if radiation != "PHOTON":
        raise beam.where.refuse(
            "RadiationType", f"is {radiation}; this machine gives photons only", "plan with photons"
        )
    unit = beam.text("PrimaryDosimeterUnit", "MU").upper()
    if unit != "MU":
        raise beam.where.refuse("PrimaryDosimeterUnit", f"is {unit}; dose is counted in MU here", "plan in MU")


def _cumulative(points: list[Point], mu: float) -> Floats:
    weights = np.array([point.weight for point in points])
    return to_mu(np.minimum(weights / weights[-1], 1.0) * mu)


def _turns(points: list[Point], angle: str, direction: str, reach_deg: float) -> Floats:
    said = [point.texts.get(direction, "").upper() for point in points]
    for point, text in zip(points, said, strict=True):
        if text not in DIRECTIONS:
            raise point.item.where.refuse(direction, f"is {text!r}; known are CW, CC and NONE")
    try:
        return to_deg(unwrap([point.values[angle] for point in points], [DIRECTIONS[text] for text in said], reach_deg))
    except TurnError as exc:
        at_fault = points[exc.point].item
        raise at_fault.where.refuse(direction, f"{said[exc.point] or 'absent'}: {exc}") from exc


def _collimator(points: list[Point]) -> Floats:
    return _turns(points, "BeamLimitingDeviceAngle", "BeamLimitingDeviceRotationDirection", HALF_TURN_DEG)


def _require_clear_way(beam: Item, gantry_deg: Floats, points: list[Point]) -> None:
    """Two equal angles, one direction, nothing between: a full turn or none at all."""
    direction = points[0].texts.get("GantryRotationDirection", "NONE").upper()
    still = len(points) == 2 and gantry_deg[0] == gantry_deg[1]
    if still and direction != "NONE" and beam.text("BeamType").upper() == "DYNAMIC":
        raise points[0].item.where.refuse(
            "GantryRotationDirection",
            f"is {direction}, but the gantry ends at {gantry_deg[0]:g} deg where it began: a full turn or none",
            "give control points in between",
        )


def _mode(beam: Item, points: list[Point]) -> str:
    mode = beam_mode(beam, points[0].item)
    for point in points[1:]:
        if point.item.value("NominalBeamEnergy") is not None and beam_mode(beam, point.item) != mode:
            raise point.item.where.refuse(
                "NominalBeamEnergy",
                f"changes from {mode} to {beam_mode(beam, point.item)} within the beam",
                "use one beam per energy",
            )
    return mode


def _isocentre(points: list[Point]) -> tuple[float, float, float] | None:
    first = points[0].isocentre_mm
    for point in points:
        if point.isocentre_mm and point.isocentre_mm != first:
            raise point.item.where.refuse(
                "IsocenterPosition",
                f"moves from {first} to {point.isocentre_mm} mm within the beam",
                "use one beam per isocentre",
            )
    if not first:
        return None
    if len(first) != 3:
        raise points[0].item.where.refuse("IsocenterPosition", f"holds {len(first)} values, not 3")
    x, y, z = (float(v) for v in to_mm(first))
    return x, y, z
