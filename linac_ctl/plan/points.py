"""Control points as DICOM means them: what one does not repeat, it keeps from the one before (C.8.8.14.5)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from linac_ctl.plan.dicom_fields import Item

KEPT = (
    "GantryAngle",
    "BeamLimitingDeviceAngle",
    "PatientSupportAngle",
    "TableTopPitchAngle",
    "TableTopRollAngle",
    "TableTopEccentricAngle",
    "TableTopLateralPosition",
    "TableTopLongitudinalPosition",
    "TableTopVerticalPosition",
    "DoseRateSet",
    "GantryPitchAngle",
)
KEPT_TEXT = ("GantryRotationDirection", "BeamLimitingDeviceRotationDirection")
KNOWN = ("X", "Y", "MLCX")  # beam limiting devices, without the ASYM prefix
OTHER_DEVICE = "plan for a machine with leaves along X"
FIRST_NEEDS = ("GantryAngle", "BeamLimitingDeviceAngle", "PatientSupportAngle")


@dataclass(frozen=True, slots=True)
class Point:
    """One control point with everything that still holds there."""

    item: Item
    weight: float
    values: dict[str, float] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    positions: dict[str, tuple[float, ...]] = field(default_factory=dict)  # per device: X, Y, MLCX
    isocentre_mm: tuple[float, ...] = ()


def read_points(beam: Item) -> list[Point]:
    """All control points of a beam; PlanError unless they are whole, in order and rise to the final weight."""
    items = [item.at(point=i) for i, item in enumerate(beam.items("ControlPointSequence"))]
    _require_all(beam, items)
    points = list(_inherit(items))
    _require_weights(beam, points)
    for keyword in FIRST_NEEDS:
        if keyword not in points[0].values:
            raise points[0].item.where.refuse(keyword, "is missing")
    return points


def _require_all(beam: Item, items: list[Item]) -> None:
    if len(items) < 2:
        found = "no control points" if not items else "only one control point"
        raise beam.where.refuse(
            "ControlPointSequence", f"holds {found}, at least 2 are needed; the file may be truncated"
        )
    declared = beam.maybe_number("NumberOfControlPoints")
    if declared is not None and declared != len(items):
        raise beam.where.refuse(
            "NumberOfControlPoints",
            f"is {declared:g}, but {len(items)} control points are there; control points were lost",
        )
    first = items[0].maybe_number("ControlPointIndex") or 0.0
    for i, item in enumerate(items):
        index = item.maybe_number("ControlPointIndex")
        if index is not None and index != first + i:
            raise item.where.refuse("ControlPointIndex", f"is {index:g} where {first + i:g} is due")


def _inherit(items: list[Item]) -> Iterator[Point]:
    values: dict[str, float] = {}
    texts: dict[str, str] = {}
    positions: dict[str, tuple[float, ...]] = {}
    isocentre: tuple[float, ...] = ()
    for item in items:
        values = values | {k: v for k in KEPT if (v := item.maybe_number(k)) is not None}
        texts = texts | {k: said for k in KEPT_TEXT if (said := item.text(k))}
        positions = positions | _positions(item)
        isocentre = item.numbers("IsocenterPosition") or isocentre
        yield Point(item, item.number("CumulativeMetersetWeight"), values, texts, positions, isocentre)


def _positions(item: Item) -> dict[str, tuple[float, ...]]:
    """Positions this control point gives itself, by device without the ASYM prefix."""
    found: dict[str, tuple[float, ...]] = {}
    for device in item.items("BeamLimitingDevicePositionSequence"):
        name = device.text("RTBeamLimitingDeviceType").upper().removeprefix("ASYM")
        if name not in KNOWN:
            raise item.where.refuse(
                "RTBeamLimitingDeviceType", f"is {name!r}; known are {', '.join(KNOWN)}", OTHER_DEVICE
            )
        if name in found:
            raise item.where.refuse("RTBeamLimitingDeviceType", f"names device {name} twice")
        found[name] = device.numbers("LeafJawPositions")
    return found


def _require_weights(beam: Item, points: list[Point]) -> None:
    final = beam.number("FinalCumulativeMetersetWeight")
    if final <= 0.0:
        raise beam.where.refuse("FinalCumulativeMetersetWeight", f"is {final:g}, it must be above 0")
    first, last = points[0], points[-1]
    if first.weight != 0.0:
        raise first.item.where.refuse("CumulativeMetersetWeight", f"is {first.weight:g}, it must start at 0")
    for before, here in pairwise(points):
        if here.weight < before.weight:
            raise here.item.where.refuse(
                "CumulativeMetersetWeight",
                f"is {here.weight:g}, below {before.weight:g} at the control point before; it must not fall",
            )
    if abs(last.weight - final) > 1e-4 * final:  # planners round weights to 4 digits or more
        raise last.item.where.refuse(
            "CumulativeMetersetWeight",
            f"ends at {last.weight:g}, not at FinalCumulativeMetersetWeight {final:g}; control points were lost",
        )
